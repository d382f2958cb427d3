//! Reads sessions piece by piece, in the order in which every format writes them.
//!
//! Invariant: a piece is read when it is requested, as the caller, and no database connection is held in between. One
//! context, a few pages or one chunk is in memory, whatever the size of the export.
//! Invariant: a session and the list of its documents are read from one snapshot, and so are a document and its pages.
//! Different sessions and documents may come from different snapshots. A document that was deleted before its turn is an
//! error; it is never silently omitted.

use crate::app::App;
use crate::db::{Caller, DbError};
use std::sync::LazyLock;
use tokio_postgres::types::Type;
use uuid::Uuid;

const SESSION: &str = "select dossier.bundle_session(s)::text, s.title, \
                       array(select d.id from dossier.documents as d where d.session_id = s.id \
                       and d.status <> 'uploading' order by d.created_at, d.id) \
                       from dossier.sessions as s where s.id = $1 and s.deleted_at is null";
const VERSION: &str = "select dossier.context_version_record(v)::text, v.version \
                       from dossier.session_context_versions as v \
                       where v.session_id = $1 and v.version > $2 order by v.version limit 1";
/// How many pages are read at a time.
const PAGES_AT_ONCE: usize = 20;

/// SQL: the first pages after `after` of the document `d`, as `part`.
fn pages_after(after: &str) -> String {
    format!(
        "cross join lateral ( \
           select array_agg(p.record order by p.page) as pages, max(p.page) as last \
           from ( \
             select one.page, dossier.bundle_page(one)::text as record from dossier.document_pages as one \
             where one.document_id = d.id and one.page > {after} order by one.page limit {PAGES_AT_ONCE} \
           ) as p \
         ) as part"
    )
}

/// With the first pages, because extraction may replace them at any time. Without bytes that differ from the uploaded ones,
/// because an import would refuse the whole bundle.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select dossier.bundle_document(d)::text, d.name, \
     case when d.storage = 'postgres' and d.error_code is distinct from 'checksum_mismatch' then d.size_bytes else 0 end, \
     string_to_array(to_char(d.created_at at time zone 'UTC', 'YYYY MM DD HH24 MI SS'), ' ')::integer[], \
     d.token_count, part.pages, part.last from dossier.documents as d {} where d.id = $1",
        pages_after("0")
    )
});
/// No row: the document was deleted, or extracted again meanwhile, so that its text is another.
static PAGES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select part.pages, part.last from dossier.documents as d {} \
         where d.id = $1 and d.token_count is not distinct from $3",
        pages_after("$2")
    )
});

/// A piece of an export. Records are JSON objects as Postgres writes them.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Begin,
    Session {
        id: Uuid,
        record: String,
        title: Option<String>,
    },
    Version {
        session: Uuid,
        record: String,
    },
    /// No more versions. Documents follow.
    Documents,
    Document(Document),
    Pages {
        document: Uuid,
        records: Vec<String>,
    },
    Bytes {
        document: Uuid,
        bytes: Vec<u8>,
    },
    DocumentEnd,
    SessionEnd,
    End,
}

/// A document, before its pages and bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) id: Uuid,
    pub(super) session: Uuid,
    pub(super) record: String,
    pub(super) name: String,
    /// How many of its bytes can be read, 0 if they are not stored.
    pub(super) stored: u64,
    /// Year, month, day, hour, minute, second; UTC.
    pub(super) created: Vec<i32>,
}

/// What is still to be read. The last step of the stack comes first.
#[derive(Debug, Clone)]
enum Step {
    Begin,
    Session(Uuid),
    VersionAfter(Uuid, i32),
    Documents,
    Document { session: Uuid, id: Uuid },
    FirstPages { document: Uuid, records: Vec<String> },
    PagesAfter { document: Uuid, page: i32, tokens: Option<i64> },
    Bytes { document: Uuid, from: u64, size: u64 },
    DocumentEnd,
    SessionEnd,
    End,
}

/// Whether and how bytes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bytes {
    LeftOut,
    /// In pieces of this size. The last one may be shorter.
    InPiecesOf(u64),
}

/// Reads sessions.
pub(super) struct SessionReader {
    app: App,
    caller: Caller,
    bytes: Bytes,
    steps: Vec<Step>,
}

impl SessionReader {
    pub(super) fn new(app: App, caller: Caller, sessions: &[Uuid], bytes: Bytes) -> Self {
        let mut steps = vec![Step::End];
        steps.extend(sessions.iter().rev().copied().map(Step::Session));
        steps.push(Step::Begin);
        Self { app, caller, bytes, steps }
    }

    /// The next piece, `None` after the end.
    pub(super) async fn next(&mut self) -> Result<Option<Piece>, DbError> {
        while let Some(step) = self.steps.pop() {
            if let Some(piece) = self.read(step).await? {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    /// The piece of a step, if it has one. The steps that follow from it are pushed onto the stack.
    async fn read(&mut self, step: Step) -> Result<Option<Piece>, DbError> {
        match step {
            Step::Begin => Ok(Some(Piece::Begin)),
            Step::Documents => Ok(Some(Piece::Documents)),
            Step::DocumentEnd => Ok(Some(Piece::DocumentEnd)),
            Step::SessionEnd => Ok(Some(Piece::SessionEnd)),
            Step::End => Ok(Some(Piece::End)),
            Step::Session(id) => self.session(id).await.map(Some),
            Step::VersionAfter(session, after) => self.version(session, after).await,
            Step::Document { session, id } => self.document(session, id).await.map(Some),
            Step::FirstPages { document, records } => Ok(Some(Piece::Pages { document, records })),
            Step::PagesAfter { document, page, tokens } => self.pages(document, page, tokens).await,
            Step::Bytes { document, from, size } => self.piece(document, from, size).await.map(Some),
        }
    }

    async fn session(&mut self, id: Uuid) -> Result<Piece, DbError> {
        let rows = self.app.db.rows(&self.caller, SESSION, &[(&id, Type::UUID)]).await?;
        let row = rows.first().ok_or(DbError::Changed)?;
        let documents: Vec<Uuid> = row.try_get(2)?;
        self.steps.push(Step::SessionEnd);
        self.steps
            .extend(documents.into_iter().rev().map(|document| Step::Document { session: id, id: document }));
        self.steps.extend([Step::Documents, Step::VersionAfter(id, 0)]);
        Ok(Piece::Session { id, record: row.try_get(0)?, title: row.try_get(1)? })
    }

    async fn version(&mut self, session: Uuid, after: i32) -> Result<Option<Piece>, DbError> {
        let params = [(&session as _, Type::UUID), (&after as _, Type::INT4)];
        let rows = self.app.db.rows(&self.caller, VERSION, &params).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        self.steps.push(Step::VersionAfter(session, row.try_get(1)?));
        Ok(Some(Piece::Version { session, record: row.try_get(0)? }))
    }

    async fn document(&mut self, session: Uuid, id: Uuid) -> Result<Piece, DbError> {
        let rows = self.app.db.rows(&self.caller, &DOCUMENT, &[(&id, Type::UUID)]).await?;
        let row = rows.first().ok_or(DbError::Changed)?;
        let stored = u64::try_from(row.try_get::<_, i64>(2)?).unwrap_or(0);
        self.steps.push(Step::DocumentEnd);
        if self.bytes != Bytes::LeftOut && stored > 0 {
            self.steps.push(Step::Bytes { document: id, from: 0, size: stored });
        }
        if let (Some(records), Some(page)) = (row.try_get::<_, Option<Vec<String>>>(5)?, row.try_get(6)?) {
            if records.len() == PAGES_AT_ONCE {
                self.steps.push(Step::PagesAfter { document: id, page, tokens: row.try_get(4)? });
            }
            self.steps.push(Step::FirstPages { document: id, records });
        }
        Ok(Piece::Document(Document {
            id,
            session,
            record: row.try_get(0)?,
            name: row.try_get(1)?,
            stored,
            created: row.try_get(3)?,
        }))
    }

    async fn pages(
        &mut self,
        document: Uuid,
        after: i32,
        tokens: Option<i64>,
    ) -> Result<Option<Piece>, DbError> {
        let params = [(&document as _, Type::UUID), (&after as _, Type::INT4), (&tokens as _, Type::INT8)];
        let rows = self.app.db.rows(&self.caller, &PAGES, &params).await?;
        let row = rows.first().ok_or(DbError::Changed)?;
        let (Some(records), Some(page)) = (row.try_get(0)?, row.try_get(1)?) else { return Ok(None) };
        self.steps.push(Step::PagesAfter { document, page, tokens });
        Ok(Some(Piece::Pages { document, records }))
    }

    async fn piece(&mut self, document: Uuid, from: u64, size: u64) -> Result<Piece, DbError> {
        let Bytes::InPiecesOf(most) = self.bytes else { return Err(DbError::Changed) };
        let bytes = self.app.db.whole_content(&self.caller, document, from, most.min(size - from)).await?;
        let from = from + bytes.len() as u64;
        if from < size {
            self.steps.push(Step::Bytes { document, from, size });
        }
        Ok(Piece::Bytes { document, bytes })
    }
}
