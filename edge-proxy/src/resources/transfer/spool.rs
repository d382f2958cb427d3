//! A bundle that arrives, in a file without a name that only this process can reach.
//!
//! Invariant: however slowly it arrives, it occupies no memory and no place of others, only the user's share of the disk.

use super::lines::unreadable;
use crate::app::App;
use crate::db::Caller;
use crate::fair::{Full, Place, Share};
use crate::http::{ApiError, Problem};
use axum::body::Bytes;
use futures_util::stream::{Stream, StreamExt};
use http::StatusCode;
use std::fs::File;
use std::io::{Seek, Write};
use tokio::task::spawn_blocking;

/// How much is written to the file at a time.
const SPOOL_BYTES: usize = 256 * 1024;
const KIB: usize = 1024;

/// A complete bundle, and its place on the disk.
pub(super) struct Spooled {
    pub(super) file: File,
    pub(super) space: Place,
}

/// Receives a body into a file and rewinds it. `check` sees all of it, piece by piece. The last `overlap` bytes of a piece are
/// also the first of the next one. `size` is checked as the bytes arrive.
pub(super) async fn spool<S>(
    app: &App,
    caller: &Caller,
    mut body: S,
    overlap: usize,
    mut check: impl FnMut(&[u8]) -> Result<(), Problem> + Send,
    size: impl Fn(u64) -> Result<(), Problem> + Send,
) -> Result<Spooled, ApiError>
where
    S: Stream<Item = Result<Bytes, axum::Error>> + Unpin + Send,
{
    let mut space = app
        .spooled
        .try_take_several(&app.db.party(caller), SPOOL_BYTES / KIB)
        .map_err(|full| no_space(&full))?;
    let mut file =
        spawn_blocking(tempfile::tempfile).await.map_err(ApiError::internal)?.map_err(ApiError::internal)?;
    let (mut received, mut buffer) = (0_u64, Vec::with_capacity(SPOOL_BYTES));
    loop {
        let frame = body.next().await.transpose().map_err(|error| unreadable(&error))?;
        let ended = frame.is_none();
        if let Some(frame) = frame {
            received += frame.len() as u64;
            buffer.extend_from_slice(&frame);
        }
        size(received)?;
        if buffer.len() < SPOOL_BYTES && !ended {
            continue;
        }
        check(&buffer)?;
        space.grow(buffer.len() / KIB).map_err(|full| no_space(&full))?;
        let keep = if ended { 0 } else { overlap };
        let next = buffer.split_off(buffer.len() - keep);
        (file, buffer) = spawn_blocking(move || file.write_all(&buffer).map(|()| (file, next)))
            .await
            .map_err(ApiError::internal)?
            .map_err(ApiError::internal)?;
        if ended {
            break;
        }
    }
    let rewound = spawn_blocking(move || file.rewind().map(|()| file)).await.map_err(ApiError::internal)?;
    Ok(Spooled { file: rewound.map_err(ApiError::internal)?, space })
}

fn no_space(full: &Full) -> Problem {
    let (status, whose) = match full.share {
        Share::All => (StatusCode::SERVICE_UNAVAILABLE, "all imports"),
        Share::User => (StatusCode::TOO_MANY_REQUESTS, "your imports"),
        Share::Group => (StatusCode::TOO_MANY_REQUESTS, "the imports of your organization"),
    };
    let mut problem = Problem::new(status, "The bundles that are being imported are too large together")
        .details(format!(
            "This edge has room for {} KiB of {whose} at the same time (IMPORT_SPOOL_BYTES).",
            full.places
        ))
        .hint("Wait for an import to finish, and retry after the number of seconds in Retry-After.");
    problem.retry_after = Some(full.retry_after.as_secs() + 1);
    problem
}
