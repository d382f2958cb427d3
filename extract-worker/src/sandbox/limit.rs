//! Resource limits: a parser that runs out of control harms only itself.

use super::{SandboxError, failed};
use dossier_extract::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// All limits except the one on processes, which can only follow once the parser thread exists.
pub(super) fn apply(limits: &Limits) -> Result<(), SandboxError> {
    let ceilings = [
        // Memory: an allocation beyond the limit fails, which ends only this process.
        (Resource::As, limits.memory_bytes, limits.memory_bytes),
        // CPU time: SIGXCPU at the limit, SIGKILL one second later.
        (Resource::Cpu, limits.cpu_seconds, limits.cpu_seconds.saturating_add(1)),
        // Descriptors 0 to 3 exist; no more can be opened (landlock needs one briefly).
        (Resource::Nofile, 6, 6),
        // Files: nothing can be written.
        (Resource::Fsize, 0, 0),
        // A crash must not leave a core dump with the document on disk.
        (Resource::Core, 0, 0),
    ];
    ceilings.into_iter().try_for_each(|(resource, soft, hard)| lower(resource, soft, hard))
}

/// Forbids further processes and threads for this user. Root is exempt from this limit, but not from seccomp.
pub(super) fn no_more_threads() -> Result<(), SandboxError> {
    lower(Resource::Nproc, 0, 0)?;
    lower(Resource::Nofile, 4, 4)
}

/// Sets a limit, but never raises it: a lower limit inherited from the parent is kept.
fn lower(resource: Resource, soft: u64, hard: u64) -> Result<(), SandboxError> {
    let now = getrlimit(resource);
    let hard = now.maximum.map_or(hard, |maximum| hard.min(maximum));
    let limit = Rlimit { current: Some(soft.min(hard)), maximum: Some(hard) };
    setrlimit(resource, limit).map_err(|error| failed("resource limits")(format!("{resource:?}: {error}")))
}
