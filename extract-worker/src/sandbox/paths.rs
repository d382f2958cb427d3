//! Landlock: no path, no TCP port, no process outside can be reached, whatever the user may.

use super::{SandboxError, failed};
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetStatus, Scope,
};

/// Handles every access right and grants none.
///
/// The rights of the first ABI (Linux 5.13) are the layer; newer kernels add TCP (6.7), devices' ioctl
/// (6.10), abstract sockets and signals (6.12), and are asked for them without insisting.
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
            "this kernel lacks it (Linux 5.13, CONFIG_SECURITY_LANDLOCK, lsm=landlock)",
        )),
    }
}
