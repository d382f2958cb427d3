//! Applies every sandbox layer before a byte of the file is read.
//!
//! The layers, from the outside in. Each one holds on its own:
//!
//! 1. descriptors ([`take_output`]): everything except standard input, output and error is closed;
//! 2. resource limits: memory, CPU time, no files, no new processes, no core dumps;
//! 3. `no_new_privs`, and not dumpable: exec gains nothing, ptrace and `/proc` reveal nothing;
//! 4. landlock: no path at all; no TCP, signals or abstract sockets to other processes;
//! 5. seccomp: on every thread, only the few system calls that a computation needs; any other kills.
//!
//! Further layers are applied where the host allows them ([`privileges`]): namespaces without a network, a user that
//! owns nothing, and a preference of the kernel to kill this process when memory runs out.
//!
//! Invariant: if a layer cannot be applied, the error names it, unless the operator allows missing layers
//! ([`Sandbox::AcceptMissing`]). Even then every layer is attempted, and the first reply names those that are missing.

mod crew;
mod filter;
mod limit;
mod paths;
mod privileges;

pub use crew::Crew;
use dossier_extract::{Isolation, Limits, Sandbox};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::thread::set_no_new_privs;
use std::fs::File;
use std::sync::mpsc;
use std::{io, thread};

/// Stack size of the parser thread and its helpers: libraries recurse over nested structures. Untouched pages cost nothing.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// A library that runs in the sandbox without being written for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignLibrary {
    /// None. A forbidden system call is treated as an attack and kills the process.
    None,
    /// Tesseract, which tries to open files that it can do without. Those calls fail with an error instead of
    /// killing the process.
    Tesseract,
}

/// A sandbox layer that could not be applied.
#[derive(Debug, thiserror::Error)]
#[error("{layer}: {reason}")]
pub struct SandboxError {
    layer: &'static str,
    reason: String,
}

/// Applies the sandbox, then runs `work` in it on a thread with a large stack. Tells it how it is isolated, and which
/// threads may help it.
///
/// The order is fixed. Landlock applies to the calling thread and the threads it starts, so it comes before
/// the parser thread and its helpers. Seccomp forbids starting threads, so it comes once these are running, and
/// applies to all threads at once. They wait until then.
pub fn enter<W>(
    limits: &Limits,
    sandbox: Sandbox,
    library: ForeignLibrary,
    work: W,
) -> Result<(), SandboxError>
where
    W: FnOnce(Isolation, Crew) + Send + 'static,
{
    tune_allocator();
    let helpers = Crew::size(limits);
    // No backtrace, because that would open files. The message is only used to label a crash.
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    let mut isolation = Isolation::default();
    for (layer, outcome) in privileges::give_up() {
        match outcome {
            Ok(()) => isolation.further.push(layer.to_owned()),
            Err(reason) => isolation.unavailable.push(format!("{layer}: {reason}")),
        }
    }
    let mut check = |layer: Result<(), SandboxError>| match (layer, sandbox) {
        (Err(error), Sandbox::Require) => Err(error),
        (Err(error), Sandbox::AcceptMissing) => {
            isolation.missing.push(error.to_string());
            Ok(())
        }
        (Ok(()), _) => Ok(()),
    };
    check(limit::apply(limits))?;
    check(set_no_new_privs(true).map_err(failed("no_new_privs")))?;
    check(set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(failed("not dumpable")))?;
    check(paths::deny_all())?;
    let crew = Crew::start(helpers);
    let (started, is_started) = mpsc::channel();
    let (closed, is_closed) = mpsc::channel();
    let parser = thread::Builder::new()
        .name("parser".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            if started.send(()).is_ok()
                && let Ok(isolation) = is_closed.recv()
            {
                work(isolation, crew);
            }
        })
        .map_err(failed("parser thread"))?;
    is_started.recv().map_err(failed("parser thread"))?;
    check(limit::no_more_threads())?;
    check(filter::install(library))?;
    if closed.send(isolation).is_ok() && parser.join().is_err() {
        // The panic hook has printed the message; the parent sees output without a final reply.
        std::process::exit(101);
    }
    Ok(())
}

/// Closes descriptors that the parent left open, and reserves standard output for replies: anything that a
/// library prints goes to standard error.
pub fn take_output(sandbox: Sandbox) -> Result<File, SandboxError> {
    let layer = "close_range";
    // SAFETY: this process has not opened anything above standard error yet, so no owner loses a descriptor.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) } == 0;
    if !closed && sandbox == Sandbox::Require {
        return Err(failed(layer)(io::Error::last_os_error()));
    }
    let output = rustix::io::dup(io::stdout()).map_err(failed(layer))?;
    rustix::stdio::dup2_stdout(io::stderr()).map_err(failed(layer))?;
    Ok(File::from(output))
}

/// Uses one arena and rarely returns memory to the kernel: the process is short-lived, its memory is bounded,
/// and otherwise half of its system calls would be for memory.
fn tune_allocator() {
    #[cfg(target_env = "gnu")]
    // SAFETY: called before any other thread exists; mallopt only sets parameters.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 * 1024 * 1024);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 512 * 1024 * 1024);
        libc::mallopt(libc::M_TOP_PAD, 1024 * 1024);
    }
}

fn failed<E: std::fmt::Display>(layer: &'static str) -> impl Fn(E) -> SandboxError {
    move |error| SandboxError { layer, reason: error.to_string() }
}
