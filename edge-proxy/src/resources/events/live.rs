//! One event stream, from its first read to its end.

use super::CHANGES;
use super::changes::{Changes, Known};
use crate::app::App;
use crate::auth::Claims;
use crate::db::{Caller, DbError, Work, first};
use crate::http::{ApiError, Chain, not_found};
use crate::work::{News, Watcher};
use bytes::Bytes;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_postgres::types::Type;
use uuid::Uuid;

/// A comment keeps a silent stream alive in proxies.
const COMMENT_EVERY: Duration = Duration::from_secs(15);
/// How often a stream reads while no notification can arrive.
const POLL_DEAF: Duration = Duration::from_secs(3);
/// Chunks do not notify. So while an upload makes progress, a stream reads this often, and more rarely while it does not.
const POLL_UPLOADS: Duration = Duration::from_secs(1);
const POLL_UPLOADS_AT_LEAST: Duration = Duration::from_secs(30);
/// The members may be in a table of the app, which does not notify.
const RECHECK_EVERY: Duration = Duration::from_mins(5);
/// Changes that follow each other faster are read together.
const READ_AT_MOST_EVERY: Duration = Duration::from_millis(200);
/// A read of a session takes milliseconds. A stream waits no longer for a database in trouble.
const READ_TIME: Duration = Duration::from_secs(10);
/// The longest pause after reads that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

const IS_MEMBER: &str = "select exists (select from dossier.organizations where id = $1)";

/// Why a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The session is gone: in the trash, or purged.
    Deleted,
    /// The caller is no longer a member.
    Removed,
    /// The token has expired.
    Expired,
    /// The edge stops.
    Restarting,
}

impl End {
    fn written(self) -> String {
        let (reason, message, hint) = match self {
            Self::Deleted => {
                ("deleted", "The session was deleted", "Restore it from the trash to open it again.")
            }
            Self::Removed => (
                "removed",
                "You can no longer see this session",
                "Ask an owner or admin of its organization.",
            ),
            Self::Expired => {
                ("expired", "The token has expired", "Refresh the session and reconnect with Last-Event-ID.")
            }
            Self::Restarting => {
                ("restarting", "This edge is stopping", "Reconnect with Last-Event-ID, also to another edge.")
            }
        };
        let retry =
            if self == Self::Restarting { format!("retry: {}\n", scattered()) } else { String::new() };
        format!(
            "{retry}event: end\ndata: {{\"reason\": \"{reason}\", \"message\": \"{message}\", \"hint\": \"{hint}\"}}\n\n"
        )
    }
}

/// Milliseconds to wait before reconnecting: different for each client, so that they do not all come at once.
fn scattered() -> u64 {
    500 + 10 * u64::from(Uuid::new_v4().as_bytes()[0])
}

/// An event stream.
pub(super) struct Live {
    app: App,
    caller: Caller,
    watcher: Watcher,
    expires: Instant,
    /// The position of the last read.
    since: Option<String>,
    known: Known,
    /// What happened since the last read that succeeded.
    news: News,
    /// Events that are still to be sent.
    unsent: Option<String>,
    last_read: Instant,
    next_read: Instant,
    next_comment: Instant,
    upload_pause: Duration,
    failure_pause: Duration,
    has_ended: bool,
}

impl Live {
    /// Opens the stream with a first read, which refuses callers that may not see the session.
    pub(super) async fn open(
        app: App,
        claims: &Claims,
        watcher: Watcher,
        since: Option<String>,
    ) -> Result<Self, ApiError> {
        let now = Instant::now();
        let mut live = Self {
            expires: now + app.verifier.valid_for(claims),
            caller: claims.caller.doing(Work::Watch),
            app,
            watcher,
            since,
            known: Known::default(),
            news: News::default(),
            unsent: None,
            last_read: now,
            next_read: now,
            next_comment: now + COMMENT_EVERY,
            upload_pause: POLL_UPLOADS,
            failure_pause: POLL_UPLOADS,
            has_ended: false,
        };
        match live.read().await {
            Ok(Some(events)) => live.unsent = Some(events),
            Ok(None) => return Err(not_found("session", live.watcher.session())),
            Err(error) => return Err(error.seen_by(live.caller.role)),
        }
        Ok(live)
    }

    /// The next piece of the stream. `None`: it has ended.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        let piece = match self.unsent.take() {
            Some(events) => events,
            None if self.has_ended => return None,
            None => self.wait().await,
        };
        self.next_comment = Instant::now() + COMMENT_EVERY;
        Some(piece.into())
    }

    async fn wait(&mut self) -> String {
        let app = self.app.clone();
        loop {
            let timer = self.next_read.min(self.next_comment).min(self.expires);
            tokio::select! {
                biased;
                () = app.stopping.cancelled() => return self.end(End::Restarting),
                () = self.watcher.woken() => {}
                () = sleep_until(timer) => {
                    let now = Instant::now();
                    if now >= self.expires {
                        return self.end(End::Expired);
                    }
                    if now >= self.next_comment {
                        return ":\n\n".to_owned();
                    }
                }
            }
            // In a box, so that an idle stream has no room for it.
            let read = Box::pin(async {
                sleep_until(self.last_read + READ_AT_MOST_EVERY).await;
                self.read().await
            });
            match app.stopping.run_until_cancelled(read).await {
                None => return self.end(End::Restarting),
                Some(Ok(None)) => {
                    let end = Box::pin(self.reason()).await;
                    return self.end(end);
                }
                Some(Ok(Some(events))) if events.is_empty() => {}
                Some(Ok(Some(events))) => return events,
                Some(Err(error)) => {
                    tracing::debug!("reading the changes of a session failed: {}", Chain(&error));
                    self.failure_pause = (self.failure_pause * 2).min(LONGEST_PAUSE);
                    self.next_read = Instant::now() + self.failure_pause;
                }
            }
        }
    }

    /// Reads what has changed, as the caller. `None`: the caller can no longer see the session.
    async fn read(&mut self) -> Result<Option<String>, DbError> {
        let turn = self.app.db.turn(&self.caller).await?;
        // Before the statement: what happens during it is news for the next read.
        self.news.add(self.watcher.news());
        let was_listening = self.app.events.listening();
        self.news.missed |= !was_listening;
        let session = self.watcher.session();
        let params = [(&session as _, Type::UUID), (&self.since as _, Type::TEXT)];
        let rows = self.app.db.rows_in_turn(turn, READ_TIME, &self.caller, CHANGES, &params).await?;
        let Some(json) = first::<String>(&rows)? else { return Ok(None) };
        let changes = Changes::read(&json).map_err(|error| DbError::Setup(error.into()))?;
        if self.watcher.organization().is_none()
            && let Some(organization) = changes.organization()
        {
            self.watcher.belongs_to(organization);
        }
        let events = self.known.events(&changes, &self.news);
        self.news = News::default();
        self.since = Some(changes.id.to_owned());
        self.failure_pause = POLL_UPLOADS;
        self.upload_pause =
            if events.is_empty() { (self.upload_pause * 2).min(POLL_UPLOADS_AT_LEAST) } else { POLL_UPLOADS };
        let pause = if !was_listening {
            POLL_DEAF
        } else if changes.has_uploads() {
            self.upload_pause
        } else {
            RECHECK_EVERY
        };
        self.last_read = Instant::now();
        self.next_read = self.last_read + pause;
        Ok(Some(events))
    }

    /// Why the caller can no longer see the session.
    async fn reason(&self) -> End {
        let organization = self.watcher.organization();
        let params = [(&organization as _, Type::UUID)];
        let rows = self.app.db.rows_within(READ_TIME, &self.caller, IS_MEMBER, &params).await;
        match rows.and_then(|rows| first::<bool>(&rows)) {
            Ok(Some(true)) => End::Deleted,
            _ => End::Removed,
        }
    }

    fn end(&mut self, end: End) -> String {
        self.has_ended = true;
        end.written()
    }
}
