//! The command-line interface of the extraction client.

use clap::Parser;
use dossier_extract::{
    ExtractError, Extraction, Extractor, Languages, Limits, Ocr, OcrLimits, OcrSettings, PdfEngine, Request,
    Sandbox, Source, TextFormat, Thumbnail, ThumbnailRequest, Tick,
};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Print the text of a document
///
/// A sandboxed child process reads the file; it cannot open files or connections, or start processes.
/// Pages are separated by form feeds. On failure nothing is printed to standard output, and standard
/// error gets one line, `code: message`.
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
#[derive(Debug, Parser)]
#[command(name = "dossier-extract", version, after_help = EXAMPLES)]
struct Arguments {
    /// The document, or - for standard input
    file: PathBuf,
    /// Print a header line before each page with its number, source and engine
    #[arg(long, conflicts_with = "json")]
    pages: bool,
    /// Print one JSON object: media type, metadata, and pages with source, engine and confidence
    #[arg(long)]
    json: bool,
    /// Print only the detected media type
    #[arg(long, conflicts_with_all = ["json", "pages"])]
    detect: bool,
    /// Write a WebP thumbnail of the first page of a PDF, an image or an office file to this path; print no text
    #[arg(long, value_name = "OUT", conflicts_with_all = ["json", "pages", "detect"])]
    thumbnail: Option<PathBuf>,
    /// Longest side of the thumbnail, in pixels
    #[arg(long, value_name = "N", default_value_t = Thumbnail::DEFAULT_SIDE)]
    thumbnail_side: u32,
    /// Read the file as this media type instead of detecting it
    #[arg(long, value_name = "TYPE")]
    media_type: Option<String>,
    /// The PDF engine to try first; the others remain as fallbacks
    #[arg(long, value_enum)]
    engine: Option<PdfEngine>,
    /// How to write headings, lists and tables
    #[arg(long, value_enum, default_value = "text")]
    format: TextFormat,
    /// With plain text in JSON: also report headings, tables and the Markdown of PDF pages
    #[arg(long, requires = "json")]
    structure: bool,
    /// Path of the worker [default: dossier-extract-worker next to this program]
    #[arg(long, value_name = "PATH", env = "DOSSIER_EXTRACT_WORKER")]
    worker: Option<PathBuf>,
    /// Run even if the kernel lacks a sandbox layer; every available layer is still used
    #[arg(long)]
    accept_missing_sandbox: bool,
    #[command(flatten)]
    ocr: OcrArguments,
    #[command(flatten)]
    limits: LimitArguments,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "OCR (needs Tesseract: apt-get install tesseract-ocr)")]
struct OcrArguments {
    /// When to run OCR: never, on pages without text, or on every page
    #[arg(long, value_enum, default_value = "auto")]
    ocr: Ocr,
    /// Tesseract languages, joined by +; each needs its data (apt-get install tesseract-ocr-deu)
    #[arg(long, value_name = "NAMES", default_value_t = Languages::default())]
    ocr_languages: Languages,
    /// Directory with the language data [default: /usr/share/tesseract-ocr/5/tessdata or similar]
    #[arg(long, value_name = "DIR")]
    tessdata: Option<PathBuf>,
    /// Maximum number of pages that go through OCR
    #[arg(long, value_name = "N", default_value_t = OcrLimits::default().pages)]
    ocr_pages: u32,
    /// Maximum time per page, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = OcrLimits::default().page_time.as_secs_f64())]
    ocr_page_seconds: f64,
    /// CPU time for all pages, in seconds
    #[arg(long, value_name = "N", default_value_t = OcrLimits::default().cpu_seconds)]
    ocr_cpu_seconds: u64,
    /// Deadline for all pages, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = OcrLimits::default().wall.as_secs_f64())]
    ocr_wall_seconds: f64,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
struct LimitArguments {
    /// Maximum size of the file, in bytes
    #[arg(long, value_name = "N", default_value_t = Limits::default().input_bytes)]
    input_bytes: u64,
    /// Maximum size of the worker's reply, in bytes
    #[arg(long, value_name = "N", default_value_t = Limits::default().output_bytes)]
    output_bytes: u64,
    /// Address space of the worker, in bytes
    #[arg(long, value_name = "N", default_value_t = Limits::default().memory_bytes)]
    memory_bytes: u64,
    /// Maximum decompressed size of all parts of an office file, in bytes
    #[arg(long, value_name = "N", default_value_t = Limits::default().inflate_bytes)]
    inflate_bytes: u64,
    /// Maximum number of pages
    #[arg(long = "max-pages", value_name = "N", default_value_t = Limits::default().pages)]
    max_pages: u32,
    /// Maximum number of pixels in one decoded or rendered image
    #[arg(long, value_name = "N", default_value_t = Limits::default().pixels)]
    pixels: u64,
    /// Maximum number of threads that read the pages of a PDF; never more than processors
    #[arg(long, value_name = "N", default_value_t = Limits::default().threads)]
    threads: u32,
    /// CPU time of the worker, in seconds
    #[arg(long, value_name = "N", default_value_t = Limits::default().cpu_seconds)]
    cpu_seconds: u64,
    /// Deadline, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().wall.as_secs_f64())]
    wall_seconds: f64,
}

const EXAMPLES: &str = "\
Examples:
  dossier-extract report.pdf
  dossier-extract --json report.pdf | jq -r '.pages[2].text'
  curl -s https://example.com/report.docx | dossier-extract -
  dossier-extract --ocr-languages eng+deu scan.pdf
  dossier-extract --thumbnail cover.webp report.pdf

Error codes: unsupported, encrypted, needs_ocr, malformed, too_large, limit_exceeded, timeout, crashed,
worker_killed, sandbox_unavailable, worker_unavailable, and io for a file that cannot be opened. If OCR fails on some
pages, their text is still printed, and a line `note: ...` on standard error names the pages and the reason.
Exit status: 0 on success, 1 on failure, 2 for invalid arguments.";

impl OcrArguments {
    fn settings(&self) -> OcrSettings {
        let default = OcrLimits::default();
        OcrSettings {
            languages: self.ocr_languages.clone(),
            tessdata: self.tessdata.clone(),
            limits: OcrLimits {
                pages: self.ocr_pages,
                page_time: Duration::try_from_secs_f64(self.ocr_page_seconds).unwrap_or(default.page_time),
                cpu_seconds: self.ocr_cpu_seconds,
                wall: Duration::try_from_secs_f64(self.ocr_wall_seconds).unwrap_or(default.wall),
                ..default
            },
        }
    }
}

impl LimitArguments {
    fn limits(&self) -> Limits {
        Limits {
            input_bytes: self.input_bytes,
            output_bytes: self.output_bytes,
            memory_bytes: self.memory_bytes,
            inflate_bytes: self.inflate_bytes,
            pages: self.max_pages,
            pixels: self.pixels,
            threads: self.threads,
            cpu_seconds: self.cpu_seconds,
            wall: Duration::try_from_secs_f64(self.wall_seconds).unwrap_or(Limits::default().wall),
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of our output closed the pipe: it has seen enough.
        Err(Failed::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed as well; the exit status still reports the failure.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("{}: {_0}", _0.code())]
    Extract(#[from] ExtractError),
    #[error("io: {_0}")]
    Io(#[from] io::Error),
}

fn run(arguments: &Arguments) -> Result<(), Failed> {
    let limits = arguments.limits.limits();
    let source = open(arguments, limits.input_bytes)?;
    let extractor = extractor(arguments, limits)?;
    if arguments.detect {
        let media_type = extractor.detect(&source, || Tick::Continue)?;
        return Ok(writeln!(io::stdout(), "{media_type}")?);
    }
    if let Some(path) = &arguments.thumbnail {
        let request =
            ThumbnailRequest { media_type: arguments.media_type.clone(), side: arguments.thumbnail_side };
        let thumbnail = extractor.thumbnail(&source, &request, || Tick::Continue)?;
        return Ok(std::fs::write(path, thumbnail.bytes).map_err(named(path))?);
    }
    let request = Request {
        media_type: arguments.media_type.clone(),
        pdf_engine: arguments.engine,
        format: arguments.format,
        structure: arguments.structure,
        ocr: arguments.ocr.ocr,
    };
    let extraction = extractor.extract(&source, &request, || Tick::Continue)?;
    if !extraction.isolation.missing.is_empty() {
        let missing = extraction.isolation.missing.join("; ");
        let _ = writeln!(io::stderr(), "note: the file was read without sandbox layers: {missing}");
    }
    if let Some(reason) = extraction.ocr.reason() {
        // The text is still printed. Standard error may be closed.
        let pages: Vec<String> = extraction.needs_ocr.iter().map(ToString::to_string).collect();
        let which = if pages.is_empty() {
            "not read by OCR".to_owned()
        } else {
            format!("pages {} need OCR", pages.join(", "))
        };
        let _ = writeln!(io::stderr(), "note: {which}: {reason}");
    }
    Ok(print(arguments, &extraction)?)
}

/// Adds the path to an I/O error.
fn named(path: &Path) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn open(arguments: &Arguments, limit: u64) -> io::Result<Source> {
    if arguments.file.as_os_str() == "-" {
        return Source::from_reader(io::stdin().lock(), limit);
    }
    let named = named(&arguments.file);
    let file = std::fs::File::open(&arguments.file).map_err(&named)?;
    Source::from_reader(file, limit).map_err(&named)
}

fn extractor(arguments: &Arguments, limits: Limits) -> io::Result<Extractor> {
    let worker = match &arguments.worker {
        Some(worker) => worker.clone(),
        None => Extractor::default_worker()?,
    };
    let sandbox = if arguments.accept_missing_sandbox { Sandbox::AcceptMissing } else { Sandbox::Require };
    Ok(Extractor { worker, limits, ocr: arguments.ocr.settings(), sandbox })
}

fn print(arguments: &Arguments, extraction: &Extraction) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    if arguments.json {
        serde_json::to_writer(&mut out, extraction)?;
        writeln!(out)?;
        return out.flush();
    }
    for page in &extraction.pages {
        if arguments.pages {
            let source = format!("{:?}", page.source).to_lowercase();
            writeln!(out, "=== page {} ({source}, {})", page.page, page.engine)?;
        } else if page.page > 1 {
            write!(out, "\x0c")?;
        }
        out.write_all(page.text.as_bytes())?;
        if !page.text.ends_with('\n') {
            writeln!(out)?;
        }
    }
    out.flush()
}
