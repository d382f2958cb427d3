//! The worker's command-line arguments, written by the parent and read by the worker.

use crate::{Languages, Limits, PdfEngine, Request, Sandbox, TextFormat};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::Duration;

/// What the worker should do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Task {
    /// Extract the text, page by page.
    #[default]
    Extract,
    /// Detect the media type.
    Detect,
    /// Run OCR on some pages.
    Recognize(Recognition),
    /// Make a small image of the first page.
    Thumbnail {
        /// The longest side, in pixels.
        side: u32,
    },
}

/// Which pages go through OCR, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recognition {
    /// Page numbers from 1, in ascending order.
    pub pages: Vec<u32>,
    /// See [`crate::OcrSettings::languages`].
    pub languages: Languages,
    /// Tesseract's name of a language that is read before the others, if its data is installed.
    pub preferred: Option<String>,
    /// See [`crate::OcrSettings::tessdata`].
    pub tessdata: Option<PathBuf>,
    /// See [`crate::OcrLimits::page_time`]; whole milliseconds.
    pub page_time: Duration,
}

/// Everything a worker receives besides the file, which arrives on its standard input.
///
/// `limits.wall` and `request.ocr` are not sent: the parent enforces the deadline and decides whether OCR
/// is needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invocation {
    /// What to do.
    pub task: Task,
    /// What to extract.
    pub request: Request,
    /// The limits.
    pub limits: Limits,
    /// What to do if the kernel lacks a sandbox layer.
    pub sandbox: Sandbox,
}

impl Invocation {
    /// The argument list without the program name.
    #[must_use]
    pub fn to_arguments(&self) -> Vec<OsString> {
        let limits = &self.limits;
        let mut arguments = vec![
            format!("--input-bytes={}", limits.input_bytes),
            format!("--output-bytes={}", limits.output_bytes),
            format!("--memory-bytes={}", limits.memory_bytes),
            format!("--inflate-bytes={}", limits.inflate_bytes),
            format!("--pages={}", limits.pages),
            format!("--pixels={}", limits.pixels),
            format!("--threads={}", limits.threads),
            format!("--cpu-seconds={}", limits.cpu_seconds),
        ];
        if self.sandbox == Sandbox::AcceptMissing {
            arguments.push("--accept-missing-sandbox".to_owned());
        }
        if let Some(media_type) = &self.request.media_type {
            // An argument cannot contain NUL. Without it, the worker sees an unknown type.
            arguments.push(format!("--media-type={}", media_type.replace('\0', "")));
        }
        if let Some(engine) = self.request.pdf_engine {
            arguments.push(format!("--pdf-engine={}", engine.name()));
        }
        if self.request.format != TextFormat::default() {
            arguments.push(format!("--format={}", self.request.format.name()));
        }
        if self.request.structure {
            arguments.push("--structure".to_owned());
        }
        let mut arguments: Vec<OsString> = arguments.into_iter().map(OsString::from).collect();
        arguments.extend(self.task.to_arguments());
        arguments
    }

    /// Parses the output of [`Invocation::to_arguments`]. The error is a message for people.
    pub fn from_arguments<I, A>(arguments: I) -> Result<Self, String>
    where
        I: IntoIterator<Item = A>,
        A: AsRef<OsStr>,
    {
        let mut this = Self::default();
        for argument in arguments {
            let argument = argument.as_ref();
            if let Some(folder) = argument.as_bytes().strip_prefix(TESSDATA.as_bytes()) {
                let folder = OsString::from_vec(folder.to_vec());
                this.task.recognition()?.tessdata = Some(PathBuf::from(folder));
                continue;
            }
            let argument = argument.to_str().ok_or("an argument is not UTF-8")?;
            let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
            this.take(name, value)?;
        }
        Ok(this)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        let limits = &mut self.limits;
        match name {
            "--input-bytes" => limits.input_bytes = number(name, value)?,
            "--output-bytes" => limits.output_bytes = number(name, value)?,
            "--memory-bytes" => limits.memory_bytes = number(name, value)?,
            "--inflate-bytes" => limits.inflate_bytes = number(name, value)?,
            "--pages" => limits.pages = number(name, value)?,
            "--pixels" => limits.pixels = number(name, value)?,
            "--threads" => limits.threads = number(name, value)?,
            "--cpu-seconds" => limits.cpu_seconds = number(name, value)?,
            "--accept-missing-sandbox" => self.sandbox = Sandbox::AcceptMissing,
            "--media-type" => self.request.media_type = Some(value.to_owned()),
            "--pdf-engine" => {
                let engine = PdfEngine::from_name(value).ok_or(format!("unknown PDF engine '{value}'"))?;
                self.request.pdf_engine = Some(engine);
            }
            "--format" => {
                let format = TextFormat::from_name(value).ok_or(format!("unknown text format '{value}'"))?;
                self.request.format = format;
            }
            "--structure" => self.request.structure = true,
            "--detect" => self.task = Task::Detect,
            "--thumbnail" => self.task = Task::Thumbnail { side: number(name, value)? },
            "--recognize" => {
                let pages = value.split(',').map(|page| number(name, page)).collect::<Result<_, _>>()?;
                self.task = Task::Recognize(Recognition { pages, ..Recognition::default() });
            }
            "--languages" => {
                let languages = value.parse::<Languages>().map_err(|error| error.to_string())?;
                self.task.recognition()?.languages = languages;
            }
            "--prefer-language" => {
                self.task.recognition()?.preferred = Some(value.to_owned());
            }
            "--page-milliseconds" => {
                self.task.recognition()?.page_time = Duration::from_millis(number(name, value)?);
            }
            _ => return Err(format!("unknown argument {name}")),
        }
        Ok(())
    }
}

/// The only argument that may be any bytes except NUL: a directory.
const TESSDATA: &str = "--tessdata=";

impl Task {
    /// The arguments for OCR follow `--recognize`.
    fn to_arguments(&self) -> Vec<OsString> {
        match self {
            Self::Extract => Vec::new(),
            Self::Detect => vec!["--detect".into()],
            Self::Thumbnail { side } => vec![format!("--thumbnail={side}").into()],
            Self::Recognize(recognition) => {
                let pages: Vec<String> = recognition.pages.iter().map(u32::to_string).collect();
                let mut arguments: Vec<OsString> = vec![
                    format!("--recognize={}", pages.join(",")).into(),
                    format!("--languages={}", recognition.languages).into(),
                    format!("--page-milliseconds={}", recognition.page_time.as_millis()).into(),
                ];
                if let Some(language) = &recognition.preferred {
                    arguments.push(format!("--prefer-language={}", language.replace('\0', "")).into());
                }
                if let Some(folder) = &recognition.tessdata {
                    let mut argument = OsString::from(TESSDATA);
                    argument.push(folder);
                    arguments.push(argument);
                }
                arguments
            }
        }
    }

    fn recognition(&mut self) -> Result<&mut Recognition, String> {
        match self {
            Self::Recognize(recognition) => Ok(recognition),
            _ => Err("an OCR argument comes before --recognize".to_owned()),
        }
    }
}

fn number<N: std::str::FromStr>(name: &str, value: &str) -> Result<N, String> {
    value.parse().map_err(|_| format!("{name} needs a number, not '{value}'"))
}
