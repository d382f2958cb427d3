//! Landlock: no path, TCP port or other process can be reached, whatever the user's permissions are.

use super::{SandboxError, failed};
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetStatus, Scope,
};

/// Restricts every access right and grants none.
///
/// The rights of the first ABI (Linux 5.13) are required. Newer kernels add TCP (6.7), device ioctls (6.10),
/// abstract sockets and signals (6.12); these are requested on a best-effort basis.
pub(super) fn deny_all() -> Result<(), SandboxError> {
    let newest = ABI::V6;
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .map(|ruleset| ruleset.set_compatibility(CompatLevel::BestEffort))
        .and_then(|ruleset| ruleset.handle_access(AccessFs::from_all(newest)))
        .and_then(|ruleset| ruleset.handle_access(AccessNet::from_all(newest)))
        .and_then(|ruleset| ruleset.scope(Scope::from_all(newest)))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self)
        .map_err(failed("landlock"))?;
    match status.ruleset {
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(()),
        RulesetStatus::NotEnforced => Err(failed("landlock")(
            "the kernel does not support it (it needs Linux 5.13, CONFIG_SECURITY_LANDLOCK and lsm=landlock)",
        )),
    }
}
