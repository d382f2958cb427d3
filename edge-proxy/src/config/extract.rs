//! Who extracts text, and with what.

use super::ConfigError;
use dossier_extract::{Languages, OcrLimits, OcrSettings, Sandbox};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Extraction")]
pub(super) struct Args {
    /// Where text is extracted: in the database (`dossier.run_job` of the native extension),
    /// here at the edge, or wherever it can be
    #[arg(long, env = "EXTRACT_MODE", value_enum, default_value = "auto")]
    extract_mode: ExtractMode,
    /// How many documents are extracted at once; 0: none here, other edges do it
    #[arg(long, env = "EXTRACT_WORKERS", default_value_t = 2, value_name = "N")]
    extract_workers: usize,
    /// The program that parses files; beside this one when not given
    #[arg(long, env = "DOSSIER_EXTRACT_WORKER", value_name = "PATH")]
    extract_worker: Option<PathBuf>,
    /// On a kernel that lacks a layer of the sandbox: refuse, or accept that
    #[arg(long, env = "EXTRACT_SANDBOX", value_enum, default_value = "require")]
    extract_sandbox: SandboxArg,
    /// Languages that OCR looks for, Tesseract's names joined by +; each needs its data
    /// (tesseract-ocr-deu on Debian). The database has its own setting, `dossier.ocr_languages`
    #[arg(long, env = "DOSSIER_OCR_LANGUAGES", default_value_t = Languages::default(), value_name = "NAMES")]
    ocr_languages: Languages,
    /// The folder of OCR's language data; where Debian's packages put it when not given
    #[arg(long, env = "DOSSIER_TESSDATA", value_name = "DIR")]
    tessdata: Option<PathBuf>,
    /// Most pages of one file that OCR reads
    #[arg(long, env = "DOSSIER_OCR_PAGES", default_value_t = OcrLimits::default().pages, value_name = "N")]
    ocr_pages: u32,
    /// Most time that OCR takes for one page
    #[arg(long, env = "DOSSIER_OCR_PAGE_SECONDS", default_value_t = OcrLimits::default().page_time.as_secs(), value_name = "N")]
    ocr_page_seconds: u64,
    /// Most time that OCR takes for one file
    #[arg(long, env = "DOSSIER_OCR_SECONDS", default_value_t = OcrLimits::default().wall.as_secs(), value_name = "N")]
    ocr_seconds: u64,
    /// Most processor time that OCR takes for one file
    #[arg(long, env = "DOSSIER_OCR_CPU_SECONDS", default_value_t = OcrLimits::default().cpu_seconds, value_name = "N")]
    ocr_cpu_seconds: u64,
    /// How long a job belongs to its worker before another may take it (it is extended while it runs)
    #[arg(long, env = "JOB_LEASE_SECONDS", default_value_t = 120, value_name = "N")]
    job_lease_seconds: i32,
    /// How often jobs are looked for when no notification comes
    #[arg(long, env = "JOB_POLL_SECONDS", default_value_t = 5, value_name = "N")]
    job_poll_seconds: u64,
    /// How often abandoned uploads are swept
    #[arg(long, env = "SWEEP_SECONDS", default_value_t = 300, value_name = "N")]
    sweep_seconds: u64,
}

/// Where text is extracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ExtractMode {
    /// In the database when it has `dossier.run_job`, else at the edge
    Auto,
    /// In the database: bytes stay there
    Database,
    /// At the edge, with the worker program
    Edge,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum SandboxArg {
    Require,
    AcceptMissing,
}

/// Who extracts text, and with what.
#[derive(Debug, Clone)]
pub(crate) struct Extract {
    pub(crate) mode: ExtractMode,
    pub(crate) workers: usize,
    /// The worker program; it need not exist when the database extracts.
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
                "shorter than 10 seconds",
                "A lease is extended at a third of its length; 120 suits most networks.",
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
    std::env::current_exe().map(|path| path.with_file_name("dossier-extract-worker")).map_err(|error| {
        ConfigError::new(
            "DOSSIER_EXTRACT_WORKER",
            format!("this program's own path is unknown ({error})"),
            "Give the path of dossier-extract-worker.",
        )
    })
}
