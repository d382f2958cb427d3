//! An archive as lines: those of its bundle, then the bytes of its files.
//!
//! Invariant: an archive is spooled to a file without a name that only this process can reach. Nothing is ever unpacked to
//! a path: names in the archive are only looked up in memory.
//! Invariant: a file is read only up to the size that the bundle declares for its document.

use super::lines::{LONGEST_LINE, Source, too_long};
use super::ndjson::PIECE_BYTES;
use super::spool::{Spooled, spool};
use super::zip::BUNDLE;
use crate::app::App;
use crate::db::Caller;
use crate::http::{ApiError, Problem};
use axum::body::Bytes;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::stream::Stream;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use zip::ZipArchive;
use zip::result::ZipError;

/// The directory of an archive is read into memory, a few hundred bytes per entry.
const MOST_ENTRIES: usize = 100_000;
/// The signature of each of its entries.
const ENTRY: &[u8] = b"PK\x01\x02";
/// How many lines are prepared in advance.
const AHEAD: usize = 2;

/// Receives an archive.
pub(super) async fn receive<S>(app: &App, caller: &Caller, body: S) -> Result<Spooled, ApiError>
where
    S: Stream<Item = Result<Bytes, axum::Error>> + Unpin + Send,
{
    let (limit, mut entries) = (app.transfer.import_zip_max_bytes, 0);
    let check = move |piece: &[u8]| {
        entries += memchr::memmem::find_iter(piece, ENTRY).count();
        if entries > MOST_ENTRIES { Err(too_many_entries()) } else { Ok(()) }
    };
    let size = move |received| if received > limit { Err(too_large(limit)) } else { Ok(()) };
    // A signature may straddle two pieces, but is never in both.
    spool(app, caller, body, ENTRY.len() - 1, check, size).await
}

/// The lines of an archive. A blocking thread reads them while they are consumed.
pub(super) struct Archive(mpsc::Receiver<Result<Vec<u8>, Problem>>);

pub(super) fn lines(file: File) -> Archive {
    let (sender, receiver) = mpsc::channel(AHEAD);
    spawn_blocking(move || {
        let unpacked =
            Unpacking { sender: &sender, lines: 0, sizes: HashMap::new(), files: Vec::new() }.run(file);
        if let Err(Stop::Refused(problem)) = unpacked {
            // If the receiver is gone, no reason is needed.
            let _ = sender.blocking_send(Err(problem));
        }
    });
    Archive(receiver)
}

impl Source for Archive {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        self.0.recv().await.transpose()
    }
}

/// Why no more lines come.
enum Stop {
    Refused(Problem),
    /// The receiver is gone.
    Gone,
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

/// The members of a record that matter here.
#[derive(Deserialize)]
struct Record {
    #[serde(rename = "type")]
    kind: Option<Value>,
    id: Option<Value>,
    size_bytes: Option<Value>,
    document_id: Option<Value>,
    path: Option<Value>,
    lines: Option<Value>,
}

struct Unpacking<'a> {
    sender: &'a mpsc::Sender<Result<Vec<u8>, Problem>>,
    lines: u64,
    /// The declared sizes of documents.
    sizes: HashMap<String, u64>,
    /// Documents and the paths of their bytes.
    files: Vec<(String, String)>,
}

impl Unpacking<'_> {
    fn run(mut self, file: File) -> Result<(), Stop> {
        let mut archive =
            ZipArchive::new(BufReader::new(file)).map_err(|error| unreadable_archive(&error))?;
        self.bundle(&mut archive)?;
        for (document, path) in std::mem::take(&mut self.files) {
            self.file(&mut archive, &document, &path)?;
        }
        let end = serde_json::json!({ "type": "end", "lines": self.lines });
        self.send(end.to_string().into_bytes())
    }

    /// Sends every line of the bundle except its end record, which follows the bytes.
    fn bundle<R: Read + Seek>(&mut self, archive: &mut ZipArchive<R>) -> Result<(), Stop> {
        let entry = archive.by_name(BUNDLE).map_err(|error| broken(BUNDLE, &error))?;
        let mut reader = BufReader::new(entry);
        loop {
            let mut line = Vec::new();
            let most = LONGEST_LINE as u64 + 1;
            reader
                .by_ref()
                .take(most)
                .read_until(b'\n', &mut line)
                .map_err(|error| broken(BUNDLE, &error.into()))?;
            if line.pop_if(|byte| *byte == b'\n').is_none() && line.len() > LONGEST_LINE {
                return Err(too_long(self.lines + 1).into());
            }
            let record: Option<Record> = serde_json::from_slice(&line).ok();
            let Some(record) = record.filter(|record| !record.is("end")) else {
                return self.ended(&line);
            };
            self.note(record)?;
            self.send(line)?;
        }
    }

    /// Checks the end record, or the line in its place.
    fn ended(&self, line: &[u8]) -> Result<(), Stop> {
        let counted = serde_json::from_slice(line).ok().and_then(|record: Record| record.lines?.as_u64());
        if counted == Some(self.lines) {
            return Ok(());
        }
        Err(Problem::bad_request(format!(
            "Line {} of {BUNDLE} is neither a record nor a matching end record",
            self.lines + 1
        ))
        .hint("Export the sessions again and send the complete archive.")
        .into())
    }

    /// Remembers the sizes and paths that are needed for the files.
    fn note(&mut self, record: Record) -> Result<(), Stop> {
        if record.is("document")
            && let (Some(Value::String(id)), Some(size)) = (record.id, record.size_bytes)
        {
            self.sizes.insert(id, size.as_u64().unwrap_or(0));
        } else if record.kind == Some(Value::from("file"))
            && let (Some(Value::String(document)), Some(Value::String(path))) =
                (record.document_id, record.path)
        {
            self.files.push((document, path));
        }
        if self.sizes.len().max(self.files.len()) > MOST_ENTRIES {
            return Err(too_many_entries().into());
        }
        Ok(())
    }

    /// Sends the bytes of a document in pieces.
    fn file<R: Read + Seek>(
        &mut self,
        archive: &mut ZipArchive<R>,
        document: &str,
        path: &str,
    ) -> Result<(), Stop> {
        let declared = self.sizes.get(document).copied().unwrap_or(0);
        let entry = archive.by_name(path).map_err(|error| broken(path, &error))?;
        let mut reader = entry.take(declared + 1);
        let mut remaining = declared;
        loop {
            let mut piece = Vec::new();
            reader
                .by_ref()
                .take(PIECE_BYTES)
                .read_to_end(&mut piece)
                .map_err(|error| broken(path, &error.into()))?;
            if piece.is_empty() {
                return Ok(());
            }
            remaining = remaining.checked_sub(piece.len() as u64).ok_or_else(|| {
                Problem::bad_request(format!(
                    "The file {path:?} is larger than the {declared} bytes that its document declares"
                ))
                .hint("The archive was changed. Export the sessions again.")
            })?;
            let record = serde_json::json!({
                "type": "bytes", "document_id": document, "base64": BASE64_STANDARD.encode(piece),
            });
            self.send(record.to_string().into_bytes())?;
        }
    }

    fn send(&mut self, line: Vec<u8>) -> Result<(), Stop> {
        self.lines += 1;
        self.sender.blocking_send(Ok(line)).map_err(|_| Stop::Gone)
    }
}

impl Record {
    fn is(&self, kind: &str) -> bool {
        self.kind.as_ref().and_then(Value::as_str) == Some(kind)
    }
}

fn too_large(limit: u64) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The archive is larger than {limit} bytes"))
        .details("This is a limit of the edge (IMPORT_ZIP_MAX_BYTES).")
        .hint(
            "Export fewer sessions per archive, send them as NDJSON, or ask the operator to raise the limit.",
        )
}

fn too_many_entries() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The archive has more than {MOST_ENTRIES} entries"))
        .details("This is a limit of the edge.")
        .hint("Export fewer sessions per archive.")
}

/// The archive has no directory that could be read.
fn unreadable_archive(error: &ZipError) -> Problem {
    Problem::bad_request("The archive cannot be read")
        .details(format!("Reading its directory failed: {error}."))
        .hint("Send a complete ZIP archive as GET /api/export returns it.")
}

fn broken(what: &str, error: &ZipError) -> Problem {
    match error {
        ZipError::FileNotFound => Problem::bad_request(format!("{what:?} is missing from the archive")),
        error => Problem::bad_request(format!("{what:?} cannot be read from the archive"))
            .details(format!("Reading it failed: {error}.")),
    }
    .hint("Send a complete ZIP archive as GET /api/export returns it.")
}
