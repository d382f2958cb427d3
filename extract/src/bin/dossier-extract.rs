//! The command-line face of the extract client.

use clap::Parser;
use dossier_extract::{
    ExtractError, Extraction, Extractor, Limits, PdfEngine, Request, Sandbox, Source, TextFormat, Tick,
};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Print the text of a document.
///
/// The file is read in a sandboxed child process that can open no file, no connection and start no
/// process. Pages are separated by a form feed. On failure nothing is printed on standard output, and
/// one line `code: message` on standard error.
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
#[derive(Debug, Parser)]
#[command(name = "dossier-extract", version, after_help = EXAMPLES)]
struct Arguments {
    /// The document, or - for standard input
    file: PathBuf,
    /// Head each page with a line that names its number, source and engine
    #[arg(long, conflicts_with = "json")]
    pages: bool,
    /// Print one JSON object: the media type, and the pages with source, engine and confidence
    #[arg(long)]
    json: bool,
    /// Print only what the bytes are, as a media type
    #[arg(long, conflicts_with_all = ["json", "pages"])]
    detect: bool,
    /// Read the bytes as this media type, whatever they look like
    #[arg(long, value_name = "TYPE")]
    media_type: Option<String>,
    /// The PDF engine to ask first; the others still stand behind it
    #[arg(long, value_enum)]
    engine: Option<PdfEngine>,
    /// How structure is written: headings, lists and tables
    #[arg(long, value_enum, default_value = "text")]
    format: TextFormat,
    /// The worker [default: dossier-extract-worker beside this program]
    #[arg(long, value_name = "PATH", env = "DOSSIER_EXTRACT_WORKER")]
    worker: Option<PathBuf>,
    /// Go on without the layers of the sandbox that this kernel lacks
    #[arg(long)]
    accept_missing_sandbox: bool,
    #[command(flatten)]
    limits: LimitArguments,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
struct LimitArguments {
    /// Largest file, in bytes
    #[arg(long, value_name = "N", default_value_t = Limits::default().input_bytes)]
    input_bytes: u64,
    /// Largest reply of the worker, in bytes
    #[arg(long, value_name = "N", default_value_t = Limits::default().output_bytes)]
    output_bytes: u64,
    /// Address space of the worker, in bytes
    #[arg(long, value_name = "N", default_value_t = Limits::default().memory_bytes)]
    memory_bytes: u64,
    /// Bytes that the compressed parts of an office file may inflate to together
    #[arg(long, value_name = "N", default_value_t = Limits::default().inflate_bytes)]
    inflate_bytes: u64,
    /// Most pages
    #[arg(long = "max-pages", value_name = "N", default_value_t = Limits::default().pages)]
    max_pages: u32,
    /// Processor time of the worker, in seconds
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

Error codes: unsupported, encrypted, malformed, too_large, limit_exceeded, timeout, crashed,
sandbox_unavailable, worker_unavailable, and io for a file that cannot be opened.
Exit status: 0 text printed, 1 no text, 2 wrong usage.";

impl LimitArguments {
    fn limits(&self) -> Limits {
        Limits {
            input_bytes: self.input_bytes,
            output_bytes: self.output_bytes,
            memory_bytes: self.memory_bytes,
            inflate_bytes: self.inflate_bytes,
            pages: self.max_pages,
            cpu_seconds: self.cpu_seconds,
            wall: Duration::try_from_secs_f64(self.wall_seconds).unwrap_or(Limits::default().wall),
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has seen enough.
        Err(Failed::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed as well; the exit status still says it.
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
    let request = Request {
        media_type: arguments.media_type.clone(),
        pdf_engine: arguments.engine,
        format: arguments.format,
    };
    let extraction = extractor.extract(&source, &request, || Tick::Continue)?;
    Ok(print(arguments, &extraction)?)
}

fn open(arguments: &Arguments, limit: u64) -> io::Result<Source> {
    if arguments.file.as_os_str() == "-" {
        return Source::from_reader(io::stdin().lock(), limit);
    }
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", arguments.file.display()));
    let file = std::fs::File::open(&arguments.file).map_err(named)?;
    Source::from_reader(file, limit).map_err(named)
}

fn extractor(arguments: &Arguments, limits: Limits) -> io::Result<Extractor> {
    let worker = match &arguments.worker {
        Some(worker) => worker.clone(),
        None => Extractor::default_worker()?,
    };
    let sandbox = if arguments.accept_missing_sandbox { Sandbox::AcceptMissing } else { Sandbox::Require };
    Ok(Extractor { worker, limits, sandbox })
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
