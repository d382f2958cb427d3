//! What one extraction may cost. Limits are an argument everywhere, with these defaults.

use std::time::Duration;

const MIB: u64 = 1024 * 1024;

/// The limits of one extraction; the worker enforces all but `wall` on itself before it reads a byte,
/// the parent enforces `output_bytes`, `pages` and `wall` from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest file that is handed to a worker, in bytes.
    pub input_bytes: u64,
    /// Largest reply (all pages together, as sent over the pipe), in bytes.
    pub output_bytes: u64,
    /// Address space of the worker (`RLIMIT_AS`), in bytes.
    pub memory_bytes: u64,
    /// Bytes that all compressed parts of one file may inflate to together.
    pub inflate_bytes: u64,
    /// Most pages that are read of one file.
    pub pages: u32,
    /// Most pixels of one picture that is decoded or drawn, for OCR or a thumbnail.
    pub pixels: u64,
    /// Processor time of the worker (`RLIMIT_CPU`), in whole seconds.
    pub cpu_seconds: u64,
    /// Wall-clock deadline, held by the parent.
    pub wall: Duration,
}

impl Limits {
    /// Every limit that [`crate::ExtractError::LimitExceeded`] can name.
    pub(crate) const NAMES: [&'static str; 8] = [
        "output_bytes",
        "memory_bytes",
        "inflate_bytes",
        "pages",
        "pixels",
        "cpu_seconds",
        "drawing",
        "ocr_page_time",
    ];
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            input_bytes: 64 * MIB,
            output_bytes: 32 * MIB,
            memory_bytes: 1024 * MIB,
            inflate_bytes: 256 * MIB,
            pages: 10_000,
            pixels: 64_000_000,
            cpu_seconds: 10,
            wall: Duration::from_mins(1),
        }
    }
}

/// What to do on a kernel that lacks a layer of the sandbox (landlock before Linux 5.13, for example).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sandbox {
    /// Every layer, or no extraction.
    #[default]
    Require,
    /// The layers that the kernel has. An operator's explicit choice, never a fallback.
    AcceptMissing,
}
