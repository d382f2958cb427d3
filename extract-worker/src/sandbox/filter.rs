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

/// Calls that are allowed with any arguments, each with its reason: on open descriptors, existing memory, and this
/// process's own threads and signals. `mmap`, `mprotect`, `fcntl` and `tgkill` are allowed with some arguments only.
const FREE: &[(libc::c_long, &str)] = &[
    (libc::SYS_read, "language data that was opened before, and nothing else: the file itself is mapped"),
    (libc::SYS_write, "replies on the pipe, and a panic's message"),
    (libc::SYS_writev, "libc writes the reason of an abort with it"),
    (libc::SYS_fstat, "the size of the file; libc asks it of every stream"),
    (libc::SYS_close, "releases the descriptor of the file once it is mapped"),
    (libc::SYS_brk, "malloc, small"),
    (libc::SYS_munmap, "malloc, large; the stack of a thread that ends"),
    (libc::SYS_mremap, "realloc, large"),
    (libc::SYS_madvise, "free returns pages; a thread's stack is given back"),
    (libc::SYS_futex, "locks, and joining the parser thread"),
    (libc::SYS_sched_yield, "spin locks of Tesseract's OpenMP"),
    (libc::SYS_rt_sigaction, "abort() resets the handler of SIGABRT"),
    (libc::SYS_rt_sigprocmask, "abort() unblocks SIGABRT; pthreads block signals while they change state"),
    (libc::SYS_rt_sigreturn, "returns from the handler that reports a stack overflow"),
    (libc::SYS_sigaltstack, "a thread that ends removes the stack of that handler"),
    (libc::SYS_restart_syscall, "the kernel itself inserts it after a stopped futex"),
    (libc::SYS_getpid, "abort() sends the signal to this process"),
    (libc::SYS_gettid, "abort() sends the signal to this thread"),
    (libc::SYS_getrandom, "the keys of hash maps, which hostile files must not know"),
    (libc::SYS_clock_gettime, "the deadline of a page of OCR, where the vDSO is not available"),
    (libc::SYS_exit, "a thread ends"),
    (libc::SYS_exit_group, "the process ends"),
];

/// Allows what a computation needs, and `refused`, which the other filter handles.
fn program(refused: &[libc::c_long]) -> Result<BpfProgram, BackendError> {
    let mut rules: BTreeMap<libc::c_long, Vec<SeccompRule>> =
        FREE.iter().map(|(call, _)| call).chain(refused).map(|call| (*call, Vec::new())).collect();
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
