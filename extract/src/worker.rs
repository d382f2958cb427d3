//! The child process. This is the only place in Dossier that starts one.
//!
//! Invariant: a worker outlives neither its handle (killed and reaped on drop) nor its parent
//! (`PR_SET_PDEATHSIG`).

use crate::{Invocation, Source};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, getppid, pidfd_open, set_parent_process_death_signal};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How much of the end of standard error is kept, to classify how the worker ended.
const STDERR_BYTES: usize = 4096;
/// How much of standard output is read at once: the capacity of a pipe.
const READ_BYTES: usize = 64 * 1024;

/// A running worker.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Child,
    /// Readable once the child has exited. Kernels before 5.3 have no pidfd; there we check at every tick.
    gone: Option<OwnedFd>,
    output: Option<File>,
    stderr: Option<File>,
    stderr_tail: Vec<u8>,
    buffer: Vec<u8>,
}

/// What happened within one tick.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// Nothing, or a signal arrived: call `tick`.
    Nothing,
    /// The worker wrote to its standard output.
    Output(&'a [u8]),
    /// The worker has exited, and all of its output has been read.
    Ended(End),
}

/// How a worker ended.
#[derive(Debug)]
pub(crate) struct End {
    /// `None` if something else reaped it.
    pub(crate) status: Option<ExitStatus>,
    /// The end of its standard error.
    pub(crate) stderr: String,
}

impl Worker {
    /// Starts `program`. It inherits only the source from this process: no environment, no working directory,
    /// no other descriptor.
    pub(crate) fn spawn(program: &Path, invocation: &Invocation, source: &Source) -> io::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "the one place that starts a process")]
        let mut command = Command::new(program);
        command
            .args(invocation.to_arguments())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(source.as_fd().try_clone_to_owned()?))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let parent = rustix::process::getpid();
        // SAFETY: between fork and exec the closure makes only two async-signal-safe system calls, and its
        // error path does not allocate (`io::Error` from an errno).
        unsafe { command.pre_exec(move || die_with(parent)) };
        let mut child = command.spawn()?;
        let output = child.stdout.take().map(|pipe| File::from(OwnedFd::from(pipe)));
        let stderr = child.stderr.take().map(|pipe| File::from(OwnedFd::from(pipe)));
        let gone =
            Pid::from_raw(child.id().cast_signed()).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        Ok(Self { child, gone, output, stderr, stderr_tail: Vec::new(), buffer: Vec::new() })
    }

    /// Waits for the next event, at most `patience`; returns earlier if a signal arrives.
    pub(crate) fn next(&mut self, patience: Duration) -> io::Result<Event<'_>> {
        let Some(ready) = self.poll(patience)? else { return Ok(Event::Nothing) };
        if ready.stderr {
            self.read_stderr();
        }
        if ready.output && self.read_output() {
            return Ok(Event::Output(&self.buffer));
        }
        if self.output.is_some() || self.stderr.is_some() {
            return Ok(Event::Nothing);
        }
        let status = match self.child.try_wait() {
            Ok(None) => return Ok(Event::Nothing),
            Ok(Some(status)) => Some(status),
            // The host process ignores SIGCHLD or reaps every child itself.
            Err(_) => None,
        };
        let stderr = String::from_utf8_lossy(&self.stderr_tail).into_owned();
        Ok(Event::Ended(End { status, stderr }))
    }

    /// Which pipes are readable; `None` if a signal arrived first.
    fn poll(&self, patience: Duration) -> io::Result<Option<Ready>> {
        let patience = Timespec { tv_sec: 0, tv_nsec: patience.subsec_nanos().into() };
        let output = self.output.as_ref().map(AsFd::as_fd);
        let stderr = self.stderr.as_ref().map(AsFd::as_fd);
        // While a pipe is open, its end of file tells us the same. Only once both are closed is this needed.
        let gone = self.gone.as_ref().filter(|_| output.is_none() && stderr.is_none()).map(AsFd::as_fd);
        let open = [output, stderr, gone].into_iter().flatten();
        let mut polled: Vec<PollFd<'_>> =
            open.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        match poll(&mut polled, Some(&patience)) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let mut answers = polled.iter().map(|fd| !fd.revents().is_empty());
        let mut answer = |open: bool| open && answers.next().unwrap_or(false);
        Ok(Some(Ready { output: answer(output.is_some()), stderr: answer(stderr.is_some()) }))
    }

    /// Reads what is available; at end of file it closes the pipe and returns `false`.
    fn read_output(&mut self) -> bool {
        let Some(pipe) = &mut self.output else { return false };
        self.buffer.resize(READ_BYTES, 0);
        let count = read(pipe, &mut self.buffer);
        self.buffer.truncate(count);
        if count == 0 {
            self.output = None;
        }
        count > 0
    }

    /// Keeps the end of standard error. Reads the rest as well, so that the worker never blocks on it.
    fn read_stderr(&mut self) {
        let Some(pipe) = &mut self.stderr else { return };
        let mut chunk = [0; STDERR_BYTES];
        let count = read(pipe, &mut chunk);
        if count == 0 {
            self.stderr = None;
        }
        self.stderr_tail.extend_from_slice(&chunk[..count]);
        let excess = self.stderr_tail.len().saturating_sub(STDERR_BYTES);
        self.stderr_tail.drain(..excess);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Debug)]
struct Ready {
    output: bool,
    stderr: bool,
}

/// Reads after a successful `poll`. An error is treated as end of file.
fn read(pipe: &mut File, buffer: &mut [u8]) -> usize {
    pipe.read(buffer).unwrap_or(0)
}

/// Runs in the child between fork and exec.
fn die_with(parent: Pid) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have exited before the line above.
    if getppid() == Some(parent) { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::ESRCH)) }
}
