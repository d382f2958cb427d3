//! Why a text could not be had. Codes are stable: they are stored in `documents.error_code`.

use crate::limits::Limits;
use std::path::PathBuf;

/// An extraction that gave no text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// Dossier reads no text from this kind of file; it is kept and can be downloaded.
    #[error("no text can be read from {media_type}")]
    Unsupported { media_type: String },
    /// The file needs a password.
    #[error("the file is protected by a password")]
    Encrypted,
    /// The file is broken beyond recovery, or is not what it says.
    #[error("the file cannot be read: {reason}")]
    Malformed { reason: String },
    /// The file is larger than [`Limits::input_bytes`].
    #[error("the file has {size} bytes, more than the limit of {limit}")]
    InputTooLarge { size: u64, limit: u64 },
    /// A limit of [`Limits`] was passed; `limit` names it.
    #[error("the file needs more than the limit of {limit}")]
    LimitExceeded { limit: &'static str },
    /// The deadline [`Limits::wall`] passed.
    #[error("no text after {} s", .limits.wall.as_secs_f32())]
    Timeout { limits: Limits },
    /// The worker died on the file.
    #[error("the worker stopped on this file ({how})")]
    Crashed { how: String },
    /// The caller's `tick` said stop.
    #[error("the extraction was cancelled")]
    Cancelled,
    /// The kernel lacks a layer of the sandbox, and the operator has not accepted that.
    #[error("the sandbox cannot be closed: {reason}")]
    SandboxUnavailable { reason: String },
    /// The worker could not be started or spoken to.
    #[error("the worker {} cannot be run: {reason}", .path.display())]
    WorkerUnavailable { path: PathBuf, reason: String },
}

impl ExtractError {
    /// A stable name in `snake_case`, for `documents.error_code`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unsupported { .. } => "unsupported",
            Self::Encrypted => "encrypted",
            Self::Malformed { .. } => "malformed",
            Self::InputTooLarge { .. } => "too_large",
            Self::LimitExceeded { .. } => "limit_exceeded",
            Self::Timeout { .. } => "timeout",
            Self::Crashed { .. } => "crashed",
            Self::Cancelled => "cancelled",
            Self::SandboxUnavailable { .. } => "sandbox_unavailable",
            Self::WorkerUnavailable { .. } => "worker_unavailable",
        }
    }

    /// Whether the same file may succeed later: the fault is the host's or the moment's, not the file's.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Cancelled | Self::SandboxUnavailable { .. } | Self::WorkerUnavailable { .. })
    }
}
