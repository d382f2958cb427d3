//! The worker's argument list, written by the parent and read by the worker.

use crate::{Limits, PdfEngine, Request, Sandbox, TextFormat};
use std::ffi::{OsStr, OsString};

/// What the worker is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Task {
    /// Reply with the text, page by page.
    #[default]
    Extract,
    /// Reply with the media type alone.
    Detect,
}

/// Everything a worker is told; the file itself arrives as its standard input.
///
/// `limits.wall` is not part of it: the parent holds the deadline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invocation {
    /// What to do.
    pub task: Task,
    /// What to extract.
    pub request: Request,
    /// What it may cost.
    pub limits: Limits,
    /// What to do where the kernel lacks a layer.
    pub sandbox: Sandbox,
}

impl Invocation {
    /// The argument list, without the program's name.
    #[must_use]
    pub fn to_arguments(&self) -> Vec<OsString> {
        let limits = &self.limits;
        let mut arguments = vec![
            format!("--input-bytes={}", limits.input_bytes),
            format!("--output-bytes={}", limits.output_bytes),
            format!("--memory-bytes={}", limits.memory_bytes),
            format!("--inflate-bytes={}", limits.inflate_bytes),
            format!("--pages={}", limits.pages),
            format!("--cpu-seconds={}", limits.cpu_seconds),
        ];
        if self.task == Task::Detect {
            arguments.push("--detect".to_owned());
        }
        if self.sandbox == Sandbox::AcceptMissing {
            arguments.push("--accept-missing-sandbox".to_owned());
        }
        if let Some(media_type) = &self.request.media_type {
            // A NUL cannot be an argument; the worker then finds a type it does not know.
            arguments.push(format!("--media-type={}", media_type.replace('\0', "")));
        }
        if let Some(engine) = self.request.pdf_engine {
            arguments.push(format!("--pdf-engine={}", engine.name()));
        }
        if self.request.format != TextFormat::default() {
            arguments.push(format!("--format={}", self.request.format.name()));
        }
        arguments.into_iter().map(OsString::from).collect()
    }

    /// Reads what [`Invocation::to_arguments`] wrote. The error is for people.
    pub fn from_arguments<I, A>(arguments: I) -> Result<Self, String>
    where
        I: IntoIterator<Item = A>,
        A: AsRef<OsStr>,
    {
        let mut this = Self::default();
        for argument in arguments {
            let argument = argument.as_ref().to_str().ok_or("an argument is not UTF-8")?;
            let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
            let limits = &mut this.limits;
            match name {
                "--input-bytes" => limits.input_bytes = number(name, value)?,
                "--output-bytes" => limits.output_bytes = number(name, value)?,
                "--memory-bytes" => limits.memory_bytes = number(name, value)?,
                "--inflate-bytes" => limits.inflate_bytes = number(name, value)?,
                "--pages" => limits.pages = number(name, value)?,
                "--cpu-seconds" => limits.cpu_seconds = number(name, value)?,
                "--detect" => this.task = Task::Detect,
                "--accept-missing-sandbox" => this.sandbox = Sandbox::AcceptMissing,
                "--media-type" => this.request.media_type = Some(value.to_owned()),
                "--pdf-engine" => {
                    let engine =
                        PdfEngine::from_name(value).ok_or(format!("no PDF engine is called {value}"))?;
                    this.request.pdf_engine = Some(engine);
                }
                "--format" => {
                    let format =
                        TextFormat::from_name(value).ok_or(format!("no format is called {value}"))?;
                    this.request.format = format;
                }
                _ => return Err(format!("no argument is called {name}")),
            }
        }
        Ok(this)
    }
}

fn number<N: std::str::FromStr>(name: &str, value: &str) -> Result<N, String> {
    value.parse().map_err(|_| format!("{name} needs a number, not '{value}'"))
}
