//! Why a text could not be had. Codes are stable: they are stored in `documents.error_code`.

use crate::limits::Limits;
use std::path::PathBuf;

/// An extraction that gave no text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// Dossier reads no text from this kind of file; it is kept and can be downloaded.
    #[error("no text can be read from {media_type}")]
    Unsupported {
        /// What the bytes are.
        media_type: String,
    },
    /// The file needs a password.
    #[error("the file is protected by a password")]
    Encrypted,
    /// All text is in pictures, and this machine cannot recognise it.
    #[error("the text is in pictures and needs OCR: {reason}")]
    NeedsOcr {
        /// Which pages, what is missing, and how to install it.
        reason: String,
    },
    /// The file is broken beyond recovery, or is not what it says.
    #[error("the file cannot be read: {reason}")]
    Malformed {
        /// For people; may quote the file, so never holds control characters.
        reason: String,
    },
    /// The file is larger than [`Limits::input_bytes`].
    #[error("the file has {size} bytes, more than the limit of {limit}")]
    InputTooLarge {
        /// Of the file.
        size: u64,
        /// [`Limits::input_bytes`].
        limit: u64,
    },
    /// A limit of [`Limits`] was passed; `limit` names it.
    #[error("the file needs more than the limit of {limit}")]
    LimitExceeded {
        /// One of [`Limits`]'s names.
        limit: &'static str,
    },
    /// The deadline [`Limits::wall`] passed.
    #[error("no text after {} s", .limits.wall.as_secs_f32())]
    Timeout {
        /// The limits of this extraction.
        limits: Limits,
    },
    /// The worker died on the file, or said something no worker says.
    #[error("the worker stopped on this file ({how})")]
    Crashed {
        /// `stack overflow`, for example.
        how: String,
    },
    /// The caller's `tick` said stop.
    #[error("the extraction was cancelled")]
    Cancelled,
    /// The kernel lacks a layer of the sandbox, and the operator has not accepted that.
    #[error("the sandbox cannot be closed: {reason}")]
    SandboxUnavailable {
        /// The layer, and what the kernel said.
        reason: String,
    },
    /// The worker could not be started or spoken to.
    #[error("the worker {} cannot be run: {reason}", .path.display())]
    WorkerUnavailable {
        /// Where it was looked for.
        path: PathBuf,
        /// What went wrong, and what to do about it.
        reason: String,
    },
}

impl ExtractError {
    /// A stable name in `snake_case`, for `documents.error_code`.
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
