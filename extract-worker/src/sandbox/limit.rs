//! Resource limits: a parser that runs wild hurts only itself.

use super::{SandboxError, failed};
use dossier_extract::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// All limits but that of processes, which the parser's thread must precede.
pub(super) fn apply(limits: &Limits) -> Result<(), SandboxError> {
    let ceilings = [
        // Memory: an allocation beyond it fails, and that ends this process alone.
        (Resource::As, limits.memory_bytes, limits.memory_bytes),
        // Processor time: SIGXCPU says so; a second later SIGKILL does not ask.
        (Resource::Cpu, limits.cpu_seconds, limits.cpu_seconds.saturating_add(1)),
        // Descriptors 0 to 3 exist, and none can be added (landlock needs one for a moment).
        (Resource::Nofile, 6, 6),
        // Nothing can be written to any file.
        (Resource::Fsize, 0, 0),
        // A crash leaves no picture of somebody's document on the disk.
        (Resource::Core, 0, 0),
    ];
    ceilings.into_iter().try_for_each(|(resource, soft, hard)| lower(resource, soft, hard))
}

/// No further process or thread for this user (root is exempt; seccomp is not).
pub(super) fn no_more_threads() -> Result<(), SandboxError> {
    lower(Resource::Nproc, 0, 0)?;
    lower(Resource::Nofile, 4, 4)
}

/// Never raises: a limit that the parent inherited to us stays where it is lower.
fn lower(resource: Resource, soft: u64, hard: u64) -> Result<(), SandboxError> {
    let now = getrlimit(resource);
    let hard = now.maximum.map_or(hard, |maximum| hard.min(maximum));
    let limit = Rlimit { current: Some(soft.min(hard)), maximum: Some(hard) };
    setrlimit(resource, limit).map_err(|error| failed("resource limits")(format!("{resource:?}: {error}")))
}
