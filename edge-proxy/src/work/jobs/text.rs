//! Text at the edge. Pages are staged in batches while the worker still reads, and become the document's together.
//!
//! Invariant: the document changes in one statement, `complete_job`. Until then nobody sees a page, and whatever ends the attempt
//! removes the staged ones.
//! Invariant: the worker never waits for the database. Pages that it is ahead are in memory, at most the limit of its output.

use super::edge::{TickFn, in_a_worker, store};
use super::{Job, JobError};
use crate::app::App;
use dossier_extract::{
    Extraction, Extractor, LanguageSoFar, Metadata, OcrOutcome, Page, PagesRead, Request, Source, Tick,
};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_postgres::types::Type;
use tokio_util::sync::CancellationToken;
use tracing::warn;

const STAGE: &str = "select dossier.stage_pages($1, $2, $3::jsonb, $4)";
const COMPLETE: &str = "select dossier.complete_job($1, $2, $3::jsonb, $4, $5::jsonb)";

/// So much text is worth a statement of its own: indexing it takes Postgres about as long as a worker takes to read it.
const BATCH_BYTES: usize = 32 * 1024;
/// How many batches Postgres indexes at the same time, on as many cores.
const BATCHES_AT_ONCE: usize = 2;

/// Extracts the text and stores it. Returns the resulting status.
pub(super) async fn extract(
    app: &App,
    extractor: Arc<Extractor>,
    job: &Job,
    source: Source,
    request: Request,
    hurry: &CancellationToken,
    lost: &CancellationToken,
) -> Result<String, JobError> {
    let (sender, pages) = unbounded_channel();
    let reading = in_a_worker(
        move |tick: TickFn| {
            // If nothing receives the pages, staging has failed.
            let each =
                move |read: PagesRead| if sender.send(read).is_ok() { Tick::Continue } else { Tick::Stop };
            extractor.extract_text_each(&source, &request, each, tick)
        },
        hurry,
        lost,
    );
    let (extraction, staged) = tokio::join!(reading, stage(app, job, pages));
    let staged = staged?;
    complete(app, job, &extraction?, &staged).await
}

/// The pages that the worker has read: how many of them are staged, and the rest.
#[derive(Default)]
struct Staged {
    count: usize,
    rest: VecDeque<Page>,
}

impl Staged {
    /// Takes pages for the next batch, if they are worth one. `running` batches are not finished yet.
    fn next_batch(&mut self, running: usize, is_reading: bool) -> Option<Vec<Page>> {
        let bytes: usize = self.rest.iter().map(|page| page.text.len()).sum();
        let fewest = match (is_reading, running) {
            (true, _) => BATCH_BYTES,
            // The last statement takes the remaining pages, unless something else is indexed meanwhile.
            (false, 0) => 2 * BATCH_BYTES,
            (false, _) => 1,
        };
        if running >= BATCHES_AT_ONCE || bytes < fewest {
            return None;
        }
        let share =
            if is_reading { bytes / (2 * BATCHES_AT_ONCE) } else { bytes / (BATCHES_AT_ONCE - running) };
        let most = share.max(BATCH_BYTES);
        let (mut batch, mut taken) = (Vec::new(), 0);
        while taken < most
            && let Some(page) = self.rest.pop_front()
        {
            taken += page.text.len();
            batch.push(page);
        }
        self.count += batch.len();
        Some(batch)
    }
}

/// Stages pages until the worker has ended. Until their language is certain, or certainly unknown, they cannot be indexed and wait.
async fn stage(app: &App, job: &Job, mut pages: UnboundedReceiver<PagesRead>) -> Result<Staged, JobError> {
    let mut staged = Staged::default();
    let mut language =
        job.language.clone().map_or(LanguageSoFar::Undecided, |named| LanguageSoFar::Decided(Some(named)));
    let mut running = FuturesUnordered::new();
    let mut is_reading = true;
    loop {
        if let LanguageSoFar::Decided(language) = &language
            && let Some(batch) = staged.next_batch(running.len(), is_reading)
        {
            running.push(stage_batch(app, job, batch, language.clone()));
            continue;
        }
        tokio::select! {
            Some(outcome) = running.next(), if !running.is_empty() => outcome?,
            read = pages.recv(), if is_reading => match read {
                Some(read) => {
                    staged.rest.extend(read.pages);
                    if language == LanguageSoFar::Undecided {
                        language = read.language;
                    }
                }
                None => is_reading = false,
            },
            else => return Ok(staged),
        }
    }
}

async fn stage_batch(
    app: &App,
    job: &Job,
    pages: Vec<Page>,
    language: Option<String>,
) -> Result<(), JobError> {
    let pages = serde_json::to_string(&pages).map_err(std::io::Error::from)?;
    store(app, job, STAGE, &[(&pages as _, Type::TEXT), (&language as _, Type::TEXT)]).await
}

/// The result of an extraction, except its pages.
#[derive(Serialize)]
struct Details<'a> {
    metadata: &'a Metadata,
    language: &'a Option<String>,
    needs_ocr: &'a [u32],
    ocr: &'a OcrOutcome,
    staged_pages: usize,
}

async fn complete(
    app: &App,
    job: &Job,
    extraction: &Extraction,
    staged: &Staged,
) -> Result<String, JobError> {
    let Extraction { media_type, pages: _, metadata, language, needs_ocr, ocr, isolation } = extraction;
    if !isolation.missing.is_empty() {
        let id = job.document_id;
        warn!(document.id = %id, "document {id} was parsed without sandbox layers: {}", isolation.missing.join("; "));
    }
    let pages = serde_json::to_string(&staged.rest).map_err(std::io::Error::from)?;
    let details = Details { metadata, language, needs_ocr, ocr, staged_pages: staged.count };
    let details = serde_json::to_string(&details).map_err(std::io::Error::from)?;
    let result = [(&pages as _, Type::TEXT), (media_type as _, Type::TEXT), (&details as _, Type::TEXT)];
    store(app, job, COMPLETE, &result).await?;
    Ok("ready".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use dossier_extract::PageSource;

    fn read(pages: u32, bytes: usize) -> Staged {
        let page = |page| Page {
            page,
            text: "x".repeat(bytes),
            source: PageSource::Text,
            confidence: None,
            engine: "test".to_owned(),
            quality: None,
            reason: None,
            structure: None,
        };
        Staged { count: 0, rest: (1..=pages).map(page).collect() }
    }

    #[test]
    fn batches_contain_every_page_once_and_in_order() {
        let mut staged = read(1000, 1024);
        let mut pages = Vec::new();
        while let Some(batch) = staged.next_batch(0, true) {
            assert!(!batch.is_empty());
            pages.extend(batch.iter().map(|page| page.page));
        }
        assert_eq!(staged.count, pages.len());
        pages.extend(staged.rest.iter().map(|page| page.page));
        assert_eq!(pages, (1..=1000).collect::<Vec<u32>>());
    }

    #[test]
    fn few_pages_wait_for_others_or_for_the_last_statement() {
        assert!(read(31, 1024).next_batch(0, true).is_none(), "more pages may come");
        assert!(read(63, 1024).next_batch(0, false).is_none(), "a second statement costs more than it saves");
        assert_eq!(
            read(31, 1024).next_batch(1, false).map(|batch| batch.len()),
            Some(31),
            "another is running"
        );
    }

    #[test]
    fn the_last_pages_are_divided_among_batches_that_run_together() {
        let mut staged = read(100, 1024);
        assert_eq!(staged.next_batch(0, false).map(|batch| batch.len()), Some(50));
        assert_eq!(staged.next_batch(1, false).map(|batch| batch.len()), Some(50));
        assert!(staged.next_batch(2, false).is_none(), "enough are running");
    }
}
