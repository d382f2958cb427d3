//! A ZIP of `bundle.ndjson`, which contains everything except bytes, and of the files themselves under readable names:
//! `sessions/<title>/<document>`.
//!
//! Invariant: the archive is never in memory. It is written forward, each entry followed by its sizes, and only one line of
//! its directory per document is kept. Entries are deflated, because few readers accept a stored entry whose size follows it.
//! Invariant: compression runs on blocking threads, one piece at a time. A slow client occupies none.

use super::file_names::{Folder, component};
use super::ndjson::{Ndjson, PIECE_BYTES};
use super::session_reader::{Document, Piece, SessionReader};
use crate::app::App;
use crate::db::{Caller, DbError};
use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::{JoinError, spawn_blocking};
use uuid::Uuid;
use zip::result::{ZipError, ZipResult};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

/// The entry that describes the archive.
pub(super) const BUNDLE: &str = "bundle.ndjson";

/// Much less work than the default level for slightly more space. Most documents are already compressed.
const LEVEL: i64 = 1;
/// From this size on, an entry needs the fields of ZIP64. Compression may add a little.
const LARGE: u64 = (1 << 32) - (1 << 24);

/// Why an archive could not be completed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArchiveError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("writing the archive failed: {0}")]
    Zip(#[from] ZipError),
    #[error("a task of the archive failed: {0}")]
    Task(#[from] JoinError),
}

/// Writes an archive.
pub(super) struct Zip {
    app: App,
    caller: Caller,
    bytes: bool,
    archive: Archive,
    state: State,
    /// The names in the folder of sessions, and in that of the current session.
    sessions: Folder,
    documents: Folder,
    folder: String,
    files: VecDeque<File>,
}

enum State {
    Bundle(Box<SessionReader>, Ndjson),
    Files,
    Ended,
}

/// A document whose bytes follow.
struct File {
    document: Uuid,
    path: String,
    from: u64,
    size: u64,
    created: DateTime,
}

impl Zip {
    /// `reader` omits bytes. `bytes`: whether they follow as files.
    pub(super) fn new(app: App, caller: Caller, reader: SessionReader, bytes: bool) -> Self {
        Self {
            app,
            caller,
            bytes,
            archive: Archive::new(),
            state: State::Bundle(Box::new(reader), Ndjson::default()),
            sessions: Folder::default(),
            documents: Folder::default(),
            folder: String::new(),
            files: VecDeque::new(),
        }
    }

    /// The next bytes of the archive, `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, ArchiveError> {
        loop {
            match &mut self.state {
                State::Bundle(reader, _) => match reader.next().await? {
                    Some(piece) => self.describe(piece).await?,
                    None => self.state = State::Files,
                },
                State::Files => {
                    if let Some(file) = self.files.pop_front() {
                        self.file(file).await?;
                    } else {
                        self.archive.finish().await?;
                        self.state = State::Ended;
                    }
                }
                State::Ended => return Ok(None),
            }
            let written = self.archive.written();
            if !written.is_empty() {
                return Ok(Some(written));
            }
        }
    }

    /// Writes a piece to the bundle, and remembers the file that it names.
    async fn describe(&mut self, piece: Piece) -> Result<(), ArchiveError> {
        let State::Bundle(_, lines) = &mut self.state else { return Ok(()) };
        if piece == Piece::Begin {
            self.archive.with(|zip| zip.start_file(BUNDLE, options(0, DateTime::default()))).await?;
        }
        let mut text = lines.write(&piece);
        match piece {
            Piece::Session { id, title, .. } => {
                let id = id.to_string();
                self.folder = self.sessions.add(&component(title.as_deref().unwrap_or_default(), &id));
                self.documents = Folder::default();
            }
            Piece::Document(document) if self.bytes && document.stored > 0 => {
                let name = self.documents.add(&component(&document.name, &document.id.to_string()));
                let path = format!("sessions/{}/{name}", self.folder);
                let record = serde_json::json!({ "path": path }).to_string();
                text += &lines.part("file", "document_id", document.id, &record);
                self.files.push_back(File::new(&document, path));
            }
            _ => {}
        }
        self.archive.with(move |zip| Ok(zip.write_all(text.as_bytes())?)).await
    }

    /// Writes the next piece of a file. The file then waits for its next turn.
    async fn file(&mut self, mut file: File) -> Result<(), ArchiveError> {
        if file.from == 0 {
            let (path, options) = (file.path.clone(), options(file.size, file.created));
            self.archive.with(move |zip| zip.start_file(path, options)).await?;
        }
        let length = PIECE_BYTES.min(file.size - file.from);
        let piece = self.app.db.whole_content(&self.caller, file.document, file.from, length).await?;
        self.archive.with(move |zip| Ok(zip.write_all(&piece)?)).await?;
        file.from += length;
        if file.from < file.size {
            self.files.push_front(file);
        }
        Ok(())
    }
}

impl File {
    fn new(document: &Document, path: String) -> Self {
        let [year, month, day, hour, minute, second] =
            std::array::from_fn(|at| document.created.get(at).copied().unwrap_or_default());
        let small = |number: i32| u8::try_from(number).unwrap_or_default();
        let created = DateTime::from_date_and_time(
            u16::try_from(year).unwrap_or_default(),
            small(month),
            small(day),
            small(hour),
            small(minute),
            small(second),
        );
        Self {
            document: document.id,
            path,
            from: 0,
            size: document.stored,
            // ZIP cannot express times before 1980.
            created: created.unwrap_or_default(),
        }
    }
}

fn options(size: u64, created: DateTime) -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(LEVEL))
        .last_modified_time(created)
        .unix_permissions(0o644)
        .large_file(size > LARGE)
}

/// The writer, and the bytes it has written that were not yet taken.
struct Archive {
    zip: Option<ZipWriter<StreamWriter<Sink>>>,
    sink: Sink,
}

impl Archive {
    fn new() -> Self {
        let sink = Sink::default();
        Self { zip: Some(ZipWriter::new_stream(sink.clone())), sink }
    }

    /// Runs `work` on a blocking thread. After a failure, nothing more can be written.
    async fn with<F>(&mut self, work: F) -> Result<(), ArchiveError>
    where
        F: FnOnce(&mut ZipWriter<StreamWriter<Sink>>) -> ZipResult<()> + Send + 'static,
    {
        let mut zip = self.take()?;
        let (zip, done) = spawn_blocking(move || {
            let done = work(&mut zip);
            (zip, done)
        })
        .await?;
        done?;
        self.zip = Some(zip);
        Ok(())
    }

    /// Writes the directory.
    async fn finish(&mut self) -> Result<(), ArchiveError> {
        let zip = self.take()?;
        spawn_blocking(move || zip.finish().map(drop)).await??;
        Ok(())
    }

    fn take(&mut self) -> Result<ZipWriter<StreamWriter<Sink>>, ArchiveError> {
        self.zip.take().ok_or_else(|| ZipError::Io(io::ErrorKind::BrokenPipe.into()).into())
    }

    fn written(&self) -> Vec<u8> {
        std::mem::take(&mut *self.sink.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
