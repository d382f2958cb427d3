//! Seccomp: every thread may only use the system calls that a computation needs.

use super::{ForeignLibrary, SandboxError, failed};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter_all_threads,
};
use std::collections::BTreeMap;

/// Installs the filter for all threads of this process. A forbidden call kills the process with SIGSYS, except
/// for calls that a foreign library makes but can do without.
pub(super) fn install(library: ForeignLibrary) -> Result<(), SandboxError> {
    let refused = match library {
        ForeignLibrary::None => &[][..],
        ForeignLibrary::Tesseract => REFUSED,
    };
    let mut filters = Vec::new();
    if !refused.is_empty() {
        filters.push(refusal(refused).map_err(failed("seccomp"))?);
    }
    filters.push(program(refused).map_err(failed("seccomp"))?);
    // The stricter result of the two filters applies, so each narrows the other. The first must allow the
    // second to be installed.
    filters.iter().try_for_each(|program| apply_filter_all_threads(program)).map_err(failed("seccomp"))
}

/// Tesseract looks for a file of text regions next to the image; the call fails as if it did not exist.
const REFUSED: &[libc::c_long] = &[libc::SYS_openat];

/// Makes these calls fail with an error, and allows all others.
fn refusal(calls: &[libc::c_long]) -> Result<BpfProgram, BackendError> {
    SeccompFilter::new(
        calls.iter().map(|call| (*call, Vec::new())).collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EACCES.cast_unsigned()),
        std::env::consts::ARCH.try_into()?,
    )?
    .try_into()
}

/// Calls that are allowed with any arguments: on open descriptors, existing memory, and this process's own
/// threads and signals.
const FREE: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_fstat,
    libc::SYS_close,
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Allows what a computation needs, and `refused`, which the other filter handles.
fn program(refused: &[libc::c_long]) -> Result<BpfProgram, BackendError> {
    let mut rules: BTreeMap<libc::c_long, Vec<SeccompRule>> =
        FREE.iter().chain(refused).map(|call| (*call, Vec::new())).collect();
    let executable = u64::from(libc::PROT_EXEC.cast_unsigned());
    let unexecutable = when(2, SeccompCmpOp::MaskedEq(executable), 0)?;
    rules.insert(libc::SYS_mmap, vec![unexecutable.clone()]);
    rules.insert(libc::SYS_mprotect, vec![unexecutable]);
    // fcntl may only read the seals of the file.
    rules.insert(libc::SYS_fcntl, vec![when(1, SeccompCmpOp::Eq, libc::F_GET_SEALS.cast_unsigned().into())?]);
    // For abort() in this process. No other process can be signalled.
    rules.insert(libc::SYS_tgkill, vec![when(0, SeccompCmpOp::Eq, std::process::id().into())?]);
    SeccompFilter::new(
        rules,
        SeccompAction::KillProcess,
        SeccompAction::Allow,
        std::env::consts::ARCH.try_into()?,
    )?
    .try_into()
}

fn when(argument: u8, is: SeccompCmpOp, value: u64) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Dword, is, value)?])
}
