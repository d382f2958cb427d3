//! Where and how text is extracted.

use super::ConfigError;
use dossier_extract::{Extractor, Languages, OcrLimits, OcrSettings, Sandbox};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Extraction")]
pub(super) struct Args {
    /// Where text is extracted
    #[arg(long, env = "EXTRACT_MODE", value_enum, default_value = "auto")]
    extract_mode: ExtractMode,
    /// Number of documents to extract at the same time. 0: none, other edges do it
    #[arg(long, env = "EXTRACT_WORKERS", default_value_t = 2, value_name = "N")]
    extract_workers: usize,
    /// Path of the program that parses files. Unset: in the same folder as this program
    #[arg(long, env = "DOSSIER_EXTRACT_WORKER", value_name = "PATH")]
    extract_worker: Option<PathBuf>,
    /// If the kernel lacks a sandbox layer: refuse to extract, or run with weaker isolation
    #[arg(long, env = "EXTRACT_SANDBOX", value_enum, default_value = "require")]
    extract_sandbox: SandboxArg,
    /// Languages for OCR, as Tesseract names joined by +. Each needs its language data (tesseract-ocr-deu on Debian).
    /// The database has its own setting, `dossier.ocr_languages`
    #[arg(long, env = "DOSSIER_OCR_LANGUAGES", default_value_t = Languages::default(), value_name = "NAMES")]
    ocr_languages: Languages,
    /// Folder with the language data for OCR. Unset: where Debian's packages install it
    #[arg(long, env = "DOSSIER_TESSDATA", value_name = "DIR")]
    tessdata: Option<PathBuf>,
    /// Maximum number of pages per file for OCR
    #[arg(long, env = "DOSSIER_OCR_PAGES", default_value_t = OcrLimits::default().pages, value_name = "N")]
    ocr_pages: u32,
    /// Maximum seconds of OCR per page
    #[arg(long, env = "DOSSIER_OCR_PAGE_SECONDS", default_value_t = OcrLimits::default().page_time.as_secs(), value_name = "N")]
    ocr_page_seconds: u64,
    /// Maximum seconds of OCR per file
    #[arg(long, env = "DOSSIER_OCR_SECONDS", default_value_t = OcrLimits::default().wall.as_secs(), value_name = "N")]
    ocr_seconds: u64,
    /// Maximum seconds of CPU time for OCR per file
    #[arg(long, env = "DOSSIER_OCR_CPU_SECONDS", default_value_t = OcrLimits::default().cpu_seconds, value_name = "N")]
    ocr_cpu_seconds: u64,
    /// Seconds until another worker may claim a job whose lease is not extended
    #[arg(long, env = "JOB_LEASE_SECONDS", default_value_t = 120, value_name = "N")]
    job_lease_seconds: i32,
    /// Interval in seconds for polling jobs if no notification arrives
    #[arg(long, env = "JOB_POLL_SECONDS", default_value_t = 5, value_name = "N")]
    job_poll_seconds: u64,
    /// Interval in seconds for removing abandoned uploads and other expired data
    #[arg(long, env = "SWEEP_SECONDS", default_value_t = 300, value_name = "N")]
    sweep_seconds: u64,
}

/// Where text is extracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ExtractMode {
    /// In the database if it has the native extension (`dossier.run_job`), otherwise at the edge
    Auto,
    /// In the database, so that the bytes stay there
    Database,
    /// At the edge, with the worker program
    Edge,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum SandboxArg {
    Require,
    AcceptMissing,
}

/// Where and how text is extracted.
#[derive(Debug, Clone)]
pub(crate) struct Extract {
    pub(crate) mode: ExtractMode,
    pub(crate) workers: usize,
    /// The worker program. It need not exist if the database extracts.
    pub(crate) program: PathBuf,
    pub(crate) sandbox: Sandbox,
    pub(crate) ocr: OcrSettings,
    pub(crate) lease_seconds: i32,
    pub(crate) poll: Duration,
    pub(crate) sweep: Duration,
}

impl Args {
    pub(super) fn check(self) -> Result<Extract, ConfigError> {
        if self.job_lease_seconds < 10 {
            return Err(ConfigError::new(
                "JOB_LEASE_SECONDS",
                "must be at least 10 seconds",
                "A lease is extended after a third of its length. 120 suits most networks.",
            ));
        }
        let program = match self.extract_worker {
            Some(path) => path,
            None => beside_this_program()?,
        };
        Ok(Extract {
            mode: self.extract_mode,
            workers: self.extract_workers,
            program,
            sandbox: match self.extract_sandbox {
                SandboxArg::Require => Sandbox::Require,
                SandboxArg::AcceptMissing => Sandbox::AcceptMissing,
            },
            ocr: OcrSettings {
                languages: self.ocr_languages,
                tessdata: self.tessdata,
                limits: OcrLimits {
                    pages: self.ocr_pages,
                    page_time: Duration::from_secs(self.ocr_page_seconds),
                    cpu_seconds: self.ocr_cpu_seconds,
                    wall: Duration::from_secs(self.ocr_seconds),
                    ..OcrLimits::default()
                },
            },
            lease_seconds: self.job_lease_seconds,
            poll: Duration::from_secs(self.job_poll_seconds.max(1)),
            sweep: Duration::from_secs(self.sweep_seconds.max(1)),
        })
    }
}

fn beside_this_program() -> Result<PathBuf, ConfigError> {
    Extractor::default_worker().map_err(|error| {
        ConfigError::new(
            "DOSSIER_EXTRACT_WORKER",
            format!("not set, and the path of this program is unknown: {error}"),
            "Set the path of dossier-extract-worker.",
        )
    })
}
