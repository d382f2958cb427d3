//! The resources that one extraction may use. Limits are always passed as arguments; these are the defaults.

use std::time::Duration;

const MIB: u64 = 1024 * 1024;

/// The limits of one extraction. The worker applies all of them except `wall` to itself before it reads a
/// byte. The parent enforces `output_bytes`, `pages` and `wall` from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest input file, in bytes.
    pub input_bytes: u64,
    /// Largest total reply (all pages, as sent over the pipe), in bytes.
    pub output_bytes: u64,
    /// Address space of the worker (`RLIMIT_AS`), in bytes.
    pub memory_bytes: u64,
    /// Total decompressed size of all parts of one file, in bytes.
    pub inflate_bytes: u64,
    /// Maximum number of pages per file.
    pub pages: u32,
    /// Maximum number of pixels in one image that is decoded or rendered for OCR or a thumbnail.
    pub pixels: u64,
    /// Maximum number of threads that read the pages of one PDF. There are never more than processors, and each needs
    /// 256 MiB of `memory_bytes`. All of them share `memory_bytes` and `cpu_seconds`.
    pub threads: u32,
    /// CPU time of the worker (`RLIMIT_CPU`), in whole seconds.
    pub cpu_seconds: u64,
    /// Wall-clock deadline, enforced by the parent.
    pub wall: Duration,
}

impl Limits {
    /// Every limit that [`crate::ExtractError::LimitExceeded`] may report.
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
            threads: 2,
            cpu_seconds: 10,
            wall: Duration::from_mins(1),
        }
    }
}

/// What to do if the kernel lacks a sandbox layer (for example landlock before Linux 5.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sandbox {
    /// Refuse to extract unless every layer is active.
    #[default]
    Require,
    /// Run with the layers that the kernel supports. The operator must choose this explicitly; it is never a
    /// fallback.
    AcceptMissing,
}
