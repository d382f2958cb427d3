//! Threads that help the parser. They start before the sandbox closes, because it forbids starting any later.
//!
//! Invariant: a helper runs nothing until the parser gives it a job, so no file is read before every layer is active.

use super::STACK_BYTES;
use dossier_extract::Limits;
use std::sync::mpsc;
use std::thread;

/// A file smaller than this is read sooner by one thread.
const SMALLEST_FILE: u64 = 96 * 1024;
/// Memory limit per thread: each has a stack, and a page in its hands.
const MEMORY_BYTES: u64 = 256 * 1024 * 1024;

type Job = Box<dyn FnOnce() + Send>;

/// The waiting helpers. They end with this value.
#[derive(Debug, Default)]
pub struct Crew {
    helpers: Vec<mpsc::Sender<Job>>,
}

impl Crew {
    /// How many helpers are worth starting for the file on standard input. Reads none of its bytes.
    pub(super) fn size(limits: &Limits) -> usize {
        let is_small = || {
            rustix::fs::fstat(std::io::stdin()).is_ok_and(|file| file.st_size.cast_unsigned() < SMALLEST_FILE)
        };
        let fitting = u64::from(limits.threads).min(limits.memory_bytes / MEMORY_BYTES);
        if fitting < 2 || is_small() {
            return 0;
        }
        // Counts the processors that the affinity and the control group leave to this process.
        let processors = thread::available_parallelism().map_or(1, usize::from);
        usize::try_from(fitting).unwrap_or(1).min(processors) - 1
    }

    /// Starts up to this many helpers, and returns once they wait for jobs. Without memory for another stack there are
    /// fewer: pages are then read by fewer threads.
    pub(super) fn start(helpers: usize) -> Self {
        let (started, is_started) = mpsc::channel();
        let spawn = |_| {
            let (sender, jobs) = mpsc::channel::<Job>();
            let started = started.clone();
            let thread =
                thread::Builder::new().name("helper".to_owned()).stack_size(STACK_BYTES).spawn(move || {
                    drop(started);
                    for job in jobs {
                        job();
                    }
                });
            thread.ok().map(|_| sender)
        };
        let helpers: Vec<_> = (0..helpers).map_while(spawn).collect();
        drop(started);
        // Every helper has dropped its end once it runs.
        let _: Result<(), _> = is_started.recv();
        Self { helpers }
    }

    /// Gives each helper a job.
    pub fn each<J: FnOnce() + Send + 'static>(&self, job: impl Fn() -> J) {
        for helper in &self.helpers {
            // If a helper has ended, the parser reads the remaining pages.
            let _ = helper.send(Box::new(job()));
        }
    }

    /// The number of helpers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.helpers.len()
    }

    /// Whether the parser is alone.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.helpers.is_empty()
    }
}
