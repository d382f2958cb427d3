//! Why an extraction failed. Codes are stable: they are stored in `documents.error_code`.

use crate::limits::Limits;
use std::path::PathBuf;

/// A failed extraction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// Dossier cannot read text from this kind of file. The file is kept and can be downloaded.
    #[error("Dossier cannot read text from {media_type}")]
    Unsupported {
        /// The detected media type.
        media_type: String,
    },
    /// The file needs a password.
    #[error("The file is password-protected")]
    Encrypted,
    /// All of the text is in images, and OCR is not available on this machine.
    #[error("The text is in images and needs OCR: {reason}")]
    NeedsOcr {
        /// Which pages need OCR, and how to install the missing software.
        reason: String,
    },
    /// The file is damaged beyond recovery, or does not match its declared type.
    #[error("The file cannot be read: {reason}")]
    Malformed {
        /// For people. It may quote the file, so control characters are removed.
        reason: String,
    },
    /// The file is larger than [`Limits::input_bytes`].
    #[error("The file is {size} bytes; the extraction limit input_bytes is {limit}")]
    InputTooLarge {
        /// Size of the file in bytes.
        size: u64,
        /// [`Limits::input_bytes`].
        limit: u64,
    },
    /// One of the [`Limits`] was exceeded.
    #[error("The file exceeds the extraction limit {limit}")]
    LimitExceeded {
        /// The name of that limit.
        limit: &'static str,
    },
    /// The deadline [`Limits::wall`] passed.
    #[error("Extraction timed out after {} s", .limits.wall.as_secs_f32())]
    Timeout {
        /// The limits that applied.
        limits: Limits,
    },
    /// Something outside killed the worker: the kernel, because the host ran out of memory, or an operator.
    #[error("The extraction worker was killed from outside ({how}); the host may be out of memory")]
    WorkerKilled {
        /// The signal.
        how: String,
    },
    /// The worker died while reading the file, or violated the protocol.
    #[error("The extraction worker crashed on this file ({how})")]
    Crashed {
        /// For example `stack overflow`.
        how: String,
    },
    /// The caller's `tick` returned [`crate::Tick::Stop`].
    #[error("The extraction was cancelled")]
    Cancelled,
    /// The kernel lacks a sandbox layer, and the operator has not allowed extraction without it.
    #[error("The sandbox is not available: {reason}")]
    SandboxUnavailable {
        /// The layer, and the kernel's error.
        reason: String,
    },
    /// The worker could not be started, or communication with it failed.
    #[error("Cannot run the extraction worker {}: {reason}", .path.display())]
    WorkerUnavailable {
        /// The path that was tried.
        path: PathBuf,
        /// What went wrong, and how to fix it.
        reason: String,
    },
}

impl ExtractError {
    /// A stable name in `snake_case`, stored in `documents.error_code`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unsupported { .. } => "unsupported",
            Self::Encrypted => "encrypted",
            Self::NeedsOcr { .. } => "needs_ocr",
            Self::Malformed { .. } => "malformed",
            Self::InputTooLarge { .. } => "too_large",
            Self::LimitExceeded { .. } => "limit_exceeded",
            Self::Timeout { .. } => "timeout",
            Self::WorkerKilled { .. } => "worker_killed",
            Self::Crashed { .. } => "crashed",
            Self::Cancelled => "cancelled",
            Self::SandboxUnavailable { .. } => "sandbox_unavailable",
            Self::WorkerUnavailable { .. } => "worker_unavailable",
        }
    }

    /// Whether a retry of the same file may succeed: the cause lies with the host, not with the file.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Cancelled
                | Self::SandboxUnavailable { .. }
                | Self::WorkerUnavailable { .. }
                | Self::WorkerKilled { .. }
        )
    }
}
