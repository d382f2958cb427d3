//! Closes every door of this process before a byte of the file is read.
//!
//! Layers, from the outside in, each of which holds on its own:
//!
//! 1. descriptors ([`take_output`]): nothing but standard input, output and error survives;
//! 2. resource limits: memory, processor time, no files, no new processes, no core dumps;
//! 3. `no_new_privs`, and not dumpable: no gain by exec, no peeking by ptrace or `/proc`;
//! 4. landlock: no path at all, no TCP, no signals and no abstract sockets to the outside;
//! 5. seccomp: the few system calls that a computation needs, on every thread; any other kills.
//!
//! Invariant: a layer that cannot be closed is an error that names it, unless the operator has accepted
//! ([`Sandbox::AcceptMissing`]); even then every layer is attempted.

mod filter;
mod limit;
mod paths;

use dossier_extract::{Limits, Sandbox};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::thread::set_no_new_privs;
use std::fs::File;
use std::sync::mpsc;
use std::{io, thread};

/// Stack of the thread that parses: libraries recurse over what a file nests. Only touched pages cost.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Foreign code that works in the sandbox, which knows nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignLibrary {
    /// None: a forbidden system call is an attack, and ends the process.
    None,
    /// Tesseract, which tries to open files it can do without: that is answered with an error. It can
    /// open no more than anybody else.
    Tesseract,
}

/// A door that stays open.
#[derive(Debug, thiserror::Error)]
#[error("{layer}: {reason}")]
pub struct SandboxError {
    layer: &'static str,
    reason: String,
}

/// Closes the sandbox, then runs `work` in it, on a thread with a large stack.
///
/// The order is forced: landlock holds for the calling thread and those it starts, so it comes before
/// the parser's thread; seccomp forbids starting threads, so it comes after, when the thread is wholly
/// there, and for all threads at once; the parser waits until it is closed.
pub fn enter<W>(
    limits: &Limits,
    sandbox: Sandbox,
    library: ForeignLibrary,
    work: W,
) -> Result<(), SandboxError>
where
    W: FnOnce() + Send + 'static,
{
    tune_allocator();
    // A short word and no backtrace, which would open files: the message only ever labels a crash.
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    let check = |layer: Result<(), SandboxError>| match (layer, sandbox) {
        (Err(error), Sandbox::Require) => Err(error),
        (Err(_) | Ok(()), _) => Ok(()),
    };
    check(limit::apply(limits))?;
    check(set_no_new_privs(true).map_err(failed("no_new_privs")))?;
    check(set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(failed("not dumpable")))?;
    check(paths::deny_all())?;
    let (started, is_started) = mpsc::channel();
    let (closed, is_closed) = mpsc::channel();
    let parser = thread::Builder::new()
        .name("parser".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            if started.send(()).is_ok() && is_closed.recv().is_ok() {
                work();
            }
        })
        .map_err(failed("parser thread"))?;
    is_started.recv().map_err(failed("parser thread"))?;
    check(limit::no_more_threads())?;
    check(filter::install(library))?;
    if closed.send(()).is_ok() && parser.join().is_err() {
        // The panic hook has spoken; the parent sees a reply without an end.
        std::process::exit(101);
    }
    Ok(())
}

/// Closes what a careless parent has left open, and takes standard output for replies alone: whatever a
/// library prints goes to standard error.
pub fn take_output(sandbox: Sandbox) -> Result<File, SandboxError> {
    let layer = "close_range";
    // SAFETY: this process has opened nothing above standard error yet, so no owner loses a descriptor.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) } == 0;
    if !closed && sandbox == Sandbox::Require {
        return Err(failed(layer)(io::Error::last_os_error()));
    }
    let output = rustix::io::dup(io::stdout()).map_err(failed(layer))?;
    rustix::stdio::dup2_stdout(io::stderr()).map_err(failed(layer))?;
    Ok(File::from(output))
}

/// One arena, and no give and take of pages with the kernel: the process is short-lived, its memory
/// bounded, and half of its system calls would otherwise be these.
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
