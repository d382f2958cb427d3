//! Where and how text is extracted.

use super::ConfigError;
use dossier_extract::{Extractor, Languages, Limits, OcrLimits, OcrSettings, Sandbox};
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
    #[command(flatten)]
    limits: LimitArgs,
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
    /// Maximum address space of OCR, in MiB
    #[arg(long, env = "DOSSIER_OCR_MEMORY_MB", default_value_t = OcrLimits::default().memory_bytes / MIB, value_name = "N")]
    ocr_memory_mb: u64,
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

/// The limits of one extraction at the edge. The database has its own settings, `dossier.extract_*`.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_field_names, reason = "the flags have these names")]
struct LimitArgs {
    /// Maximum size of a file to extract at the edge, in MiB. Larger files are stored, but not extracted
    #[arg(long, env = "EXTRACT_INPUT_MB", default_value_t = Limits::default().input_bytes / MIB, value_name = "N")]
    extract_input_mb: u64,
    /// Maximum text of one file, in MiB
    #[arg(long, env = "EXTRACT_OUTPUT_MB", default_value_t = Limits::default().output_bytes / MIB, value_name = "N")]
    extract_output_mb: u64,
    /// Maximum address space of the program that parses one file, in MiB
    #[arg(long, env = "EXTRACT_MEMORY_MB", default_value_t = Limits::default().memory_bytes / MIB, value_name = "N")]
    extract_memory_mb: u64,
    /// Maximum decompressed size of all parts of one file, in MiB
    #[arg(long, env = "EXTRACT_INFLATE_MB", default_value_t = Limits::default().inflate_bytes / MIB, value_name = "N")]
    extract_inflate_mb: u64,
    /// Maximum number of pages of one file
    #[arg(long, env = "EXTRACT_PAGES", default_value_t = Limits::default().pages, value_name = "N")]
    extract_pages: u32,
    /// Maximum number of pixels of one image that is decoded or rendered
    #[arg(long, env = "EXTRACT_PIXELS", default_value_t = Limits::default().pixels, value_name = "N")]
    extract_pixels: u64,
    /// Maximum number of threads that read the pages of one PDF. There are never more than processors
    #[arg(long, env = "EXTRACT_THREADS", default_value_t = Limits::default().threads, value_name = "N")]
    extract_threads: u32,
    /// Maximum seconds of CPU time per file, without OCR
    #[arg(long, env = "EXTRACT_CPU_SECONDS", default_value_t = Limits::default().cpu_seconds, value_name = "N")]
    extract_cpu_seconds: u64,
    /// Maximum seconds per file, without OCR
    #[arg(long, env = "EXTRACT_SECONDS", default_value_t = Limits::default().wall.as_secs(), value_name = "N")]
    extract_seconds: u64,
}

const MIB: u64 = 1024 * 1024;
/// What the worker and its reply need besides the text itself.
const LEAST_MEMORY_MB: u64 = 128;

impl LimitArgs {
    fn check(&self) -> Result<Limits, ConfigError> {
        let bytes = |setting: &'static str, megabytes: u64| match megabytes.checked_mul(MIB) {
            Some(bytes) if bytes > 0 => Ok(bytes),
            _ => Err(ConfigError::new(setting, "must be at least 1", "Unset it for the default.")),
        };
        if self.extract_memory_mb < LEAST_MEMORY_MB {
            return Err(ConfigError::new(
                "EXTRACT_MEMORY_MB",
                "must be at least 128",
                "1024 suits files of the default sizes.",
            ));
        }
        if self.extract_cpu_seconds == 0 || self.extract_seconds == 0 || self.extract_pages == 0 {
            return Err(ConfigError::new(
                "EXTRACT_PAGES, EXTRACT_CPU_SECONDS and EXTRACT_SECONDS",
                "must be at least 1",
                "Unset them for the defaults. EXTRACT_WORKERS=0 turns extraction off.",
            ));
        }
        Ok(Limits {
            input_bytes: bytes("EXTRACT_INPUT_MB", self.extract_input_mb)?,
            output_bytes: bytes("EXTRACT_OUTPUT_MB", self.extract_output_mb)?,
            memory_bytes: bytes("EXTRACT_MEMORY_MB", self.extract_memory_mb)?,
            inflate_bytes: bytes("EXTRACT_INFLATE_MB", self.extract_inflate_mb)?,
            pages: self.extract_pages,
            pixels: self.extract_pixels,
            threads: self.extract_threads,
            cpu_seconds: self.extract_cpu_seconds,
            wall: Duration::from_secs(self.extract_seconds),
        })
    }
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
    pub(crate) limits: Limits,
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
        let limits = self.limits.check()?;
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
            limits,
            ocr: OcrSettings {
                languages: self.ocr_languages,
                tessdata: self.tessdata,
                limits: OcrLimits {
                    pages: self.ocr_pages,
                    page_time: Duration::from_secs(self.ocr_page_seconds),
                    cpu_seconds: self.ocr_cpu_seconds,
                    memory_bytes: self.ocr_memory_mb.saturating_mul(MIB),
                    wall: Duration::from_secs(self.ocr_seconds),
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
