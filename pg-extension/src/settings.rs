//! The extension's settings (`dossier.*` in postgresql.conf), and the extractor built from them.
//!
//! Invariant: only superusers may set which program runs, and how much it may use.

use crate::errors;
use dossier_extract::{Extractor, LanguagesError, Limits, OcrLimits, OcrSettings, PdfEngine, Sandbox};
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting, PostgresGucEnum};
use pgrx::pg_sys;
use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};
use std::time::Duration;

const MIB: u64 = 1024 * 1024;

#[derive(Clone, Copy, PostgresGucEnum)]
enum SandboxSetting {
    #[name = c"require"]
    Require,
    #[name = c"accept_missing"]
    AcceptMissing,
}

#[derive(Clone, Copy, PostgresGucEnum)]
enum PdfEngineSetting {
    #[name = c"hayro"]
    Hayro,
    #[name = c"pdf_extract"]
    PdfExtract,
}

static WORKER_PATH: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static SANDBOX: GucSetting<SandboxSetting> = GucSetting::<SandboxSetting>::new(SandboxSetting::Require);
static PDF_ENGINE: GucSetting<PdfEngineSetting> =
    GucSetting::<PdfEngineSetting>::new(PdfEngineSetting::Hayro);
static MAX_CONCURRENT: GucSetting<i32> = GucSetting::<i32>::new(4);
static TIMEOUT_MS: GucSetting<i32> = GucSetting::<i32>::new(60_000);
static CPU_SECONDS: GucSetting<i32> = GucSetting::<i32>::new(10);
static MEMORY_MB: GucSetting<i32> = GucSetting::<i32>::new(1024);
static INPUT_MB: GucSetting<i32> = GucSetting::<i32>::new(64);
static OUTPUT_MB: GucSetting<i32> = GucSetting::<i32>::new(32);
static INFLATE_MB: GucSetting<i32> = GucSetting::<i32>::new(256);
static PAGES: GucSetting<i32> = GucSetting::<i32>::new(10_000);
static THREADS: GucSetting<i32> = GucSetting::<i32>::new(2);
static OCR_LANGUAGES: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c"eng"));
static TESSDATA: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static OCR_PAGES: GucSetting<i32> = GucSetting::<i32>::new(200);
static OCR_PAGE_MS: GucSetting<i32> = GucSetting::<i32>::new(20_000);
static OCR_TIMEOUT_MS: GucSetting<i32> = GucSetting::<i32>::new(600_000);
static OCR_CPU_SECONDS: GucSetting<i32> = GucSetting::<i32>::new(300);

/// Defines the settings. Called once, when the library is loaded.
pub(crate) fn define() {
    define_choices();
    define_limits();
}

fn define_choices() {
    GucRegistry::define_string_guc(
        c"dossier.worker_path",
        c"Path of the extraction worker.",
        c"If empty: dossier-extract-worker in the folder of the postgres executable.",
        &WORKER_PATH,
        GucContext::Suset,
        GucFlags::SUPERUSER_ONLY,
    );
    GucRegistry::define_enum_guc(
        c"dossier.sandbox",
        c"What to do if the kernel lacks a sandbox layer.",
        c"'require' refuses to extract. 'accept_missing' extracts with the available layers.",
        &SANDBOX,
        GucContext::Suset,
        GucFlags::empty(),
    );
    GucRegistry::define_enum_guc(
        c"dossier.pdf_engine",
        c"Engine that extracts the text of a PDF first.",
        c"If its text looks garbled, the other engines are tried.",
        &PDF_ENGINE,
        GucContext::Userset,
        GucFlags::empty(),
    );
    GucRegistry::define_string_guc(
        c"dossier.ocr_languages",
        c"Languages for OCR: Tesseract names joined by +, such as eng+deu.",
        c"Each needs its data on the host of the database. Each makes every page slower.",
        &OCR_LANGUAGES,
        GucContext::Suset,
        GucFlags::empty(),
    );
    GucRegistry::define_string_guc(
        c"dossier.tessdata",
        c"Folder of the language data for OCR.",
        c"If empty: the folder that Debian packages use.",
        &TESSDATA,
        GucContext::Suset,
        GucFlags::SUPERUSER_ONLY,
    );
}

fn define_limits() {
    let limit = |name, about, setting, max, unit| {
        GucRegistry::define_int_guc(name, about, c"", setting, 1, max, GucContext::Suset, unit);
    };
    limit(
        c"dossier.max_concurrent_extractions",
        c"Number of extractions that run at once in the cluster. Further ones wait.",
        &MAX_CONCURRENT,
        1_000,
        GucFlags::empty(),
    );
    limit(
        c"dossier.extract_timeout",
        c"Deadline of one extraction.",
        &TIMEOUT_MS,
        3_600_000,
        GucFlags::UNIT_MS,
    );
    limit(c"dossier.extract_cpu_time", c"CPU time of one extraction.", &CPU_SECONDS, 3_600, GucFlags::UNIT_S);
    limit(c"dossier.extract_memory", c"Address space of one worker.", &MEMORY_MB, 65_536, GucFlags::UNIT_MB);
    limit(c"dossier.extract_input", c"Largest file that is extracted.", &INPUT_MB, 1_024, GucFlags::UNIT_MB);
    limit(
        c"dossier.extract_output",
        c"Most text that is extracted from one file.",
        &OUTPUT_MB,
        200,
        GucFlags::UNIT_MB,
    );
    limit(
        c"dossier.extract_inflate",
        c"Total size of the inflated parts of one file.",
        &INFLATE_MB,
        65_536,
        GucFlags::UNIT_MB,
    );
    limit(
        c"dossier.extract_pages",
        c"Most pages that are extracted from one file.",
        &PAGES,
        1_000_000,
        GucFlags::empty(),
    );
    limit(
        c"dossier.extract_threads",
        c"Most threads that read the pages of one PDF.",
        &THREADS,
        64,
        GucFlags::empty(),
    );
    limit(
        c"dossier.ocr_pages",
        c"Most pages of one file that OCR reads.",
        &OCR_PAGES,
        10_000,
        GucFlags::empty(),
    );
    limit(
        c"dossier.ocr_page_time",
        c"Deadline of OCR for one page.",
        &OCR_PAGE_MS,
        600_000,
        GucFlags::UNIT_MS,
    );
    limit(
        c"dossier.ocr_timeout",
        c"Deadline of OCR for one file, after its extraction.",
        &OCR_TIMEOUT_MS,
        3_600_000,
        GucFlags::UNIT_MS,
    );
    limit(
        c"dossier.ocr_cpu_time",
        c"CPU time of OCR for one file.",
        &OCR_CPU_SECONDS,
        3_600,
        GucFlags::UNIT_S,
    );
}

/// Builds the extractor from the current settings. Raises an SQL error for invalid languages.
pub(crate) fn extractor() -> Extractor {
    Extractor { worker: worker_path(), limits: limits(), ocr: ocr(), sandbox: sandbox() }
}

/// The engine that this session tries first.
pub(crate) fn pdf_engine() -> PdfEngine {
    match PDF_ENGINE.get() {
        PdfEngineSetting::Hayro => PdfEngine::Hayro,
        PdfEngineSetting::PdfExtract => PdfEngine::PdfExtract,
    }
}

/// How many extractions may run at once in the cluster.
pub(crate) fn max_concurrent() -> u32 {
    MAX_CONCURRENT.get().unsigned_abs()
}

fn worker_path() -> PathBuf {
    match WORKER_PATH.get() {
        Some(path) if !path.is_empty() => PathBuf::from(path.to_string_lossy().into_owned()),
        _ => server_folder().join(Extractor::WORKER),
    }
}

/// The folder of the running `postgres` executable.
fn server_folder() -> PathBuf {
    // SAFETY: the postmaster fills `my_exec_path` with a NUL-terminated string before it forks, and
    // nothing writes to it afterwards.
    let exec = unsafe { CStr::from_ptr((&raw const pg_sys::my_exec_path).cast()) };
    Path::new(&*exec.to_string_lossy()).parent().unwrap_or(Path::new("/")).to_path_buf()
}

fn ocr() -> OcrSettings {
    let languages = OCR_LANGUAGES.get().map_or_else(Default::default, |names| {
        names.to_string_lossy().parse().unwrap_or_else(|error: LanguagesError| {
            errors::raise_value(
                format!("dossier.ocr_languages: {error}"),
                "A superuser can set it, for example to eng.",
            )
        })
    });
    OcrSettings {
        languages,
        tessdata: TESSDATA
            .get()
            .filter(|path| !path.is_empty())
            .map(|path| path.to_string_lossy().into_owned().into()),
        limits: OcrLimits {
            pages: OCR_PAGES.get().unsigned_abs(),
            page_time: milliseconds(&OCR_PAGE_MS),
            cpu_seconds: u64::from(OCR_CPU_SECONDS.get().unsigned_abs()),
            wall: milliseconds(&OCR_TIMEOUT_MS),
            ..OcrLimits::default()
        },
    }
}

fn milliseconds(setting: &GucSetting<i32>) -> Duration {
    Duration::from_millis(u64::from(setting.get().unsigned_abs()))
}

fn sandbox() -> Sandbox {
    match SANDBOX.get() {
        SandboxSetting::Require => Sandbox::Require,
        SandboxSetting::AcceptMissing => Sandbox::AcceptMissing,
    }
}

fn limits() -> Limits {
    let megabytes = |setting: &GucSetting<i32>| u64::from(setting.get().unsigned_abs()) * MIB;
    Limits {
        input_bytes: megabytes(&INPUT_MB),
        output_bytes: megabytes(&OUTPUT_MB),
        memory_bytes: megabytes(&MEMORY_MB),
        inflate_bytes: megabytes(&INFLATE_MB),
        pages: PAGES.get().unsigned_abs(),
        threads: THREADS.get().unsigned_abs(),
        cpu_seconds: u64::from(CPU_SECONDS.get().unsigned_abs()),
        wall: milliseconds(&TIMEOUT_MS),
        ..Limits::default()
    }
}
