//! What Postgres tells without being asked: one connection that listens, and is made again when it breaks.

use super::{DbError, tls};
use crate::config::Endpoint;
use futures_util::stream::{StreamExt, poll_fn};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_postgres::AsyncMessage;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Something that Postgres said.
#[derive(Debug)]
pub(crate) enum Notification {
    /// `LISTEN` is in force; what was said before is lost, so look once.
    Listening,
    /// A notification on one of the channels.
    Said { channel: String, payload: String },
    /// The connection is gone; poll until it is [`Notification::Listening`] again.
    Deaf,
}

/// Listens until `stop`, connecting again with growing pauses.
pub(crate) async fn listen(
    endpoint: Endpoint,
    channels: &'static [&'static str],
    heard: mpsc::Sender<Notification>,
    stop: CancellationToken,
) {
    let mut pause = Duration::from_millis(250);
    while !stop.is_cancelled() {
        let outcome = stop.run_until_cancelled(session(&endpoint, channels, &heard, &mut pause)).await;
        let Some(Err(error)) = outcome else { return };
        warn!("not listening ({}); polling until it is back", crate::http::Chain(&error));
        if heard.send(Notification::Deaf).await.is_err() {
            return;
        }
        stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        pause = (pause * 2).min(Duration::from_secs(30));
    }
}

/// One connection, until it breaks (an error) or nobody hears it any more.
async fn session(
    endpoint: &Endpoint,
    channels: &[&str],
    heard: &mpsc::Sender<Notification>,
    pause: &mut Duration,
) -> Result<(), DbError> {
    let (client, mut connection) = endpoint.postgres.connect(tls::connector(endpoint)?).await?;
    let mut messages = poll_fn(move |cx| connection.poll_message(cx));
    let commands = format!("listen {}", channels.join("; listen "));
    let mut listening = std::pin::pin!(client.batch_execute(&commands));
    let mut confirmed = false;
    loop {
        tokio::select! {
            outcome = &mut listening, if !confirmed => {
                outcome?;
                confirmed = true;
                *pause = Duration::from_millis(250);
                info!("listening for {}", channels.join(" and "));
                if heard.send(Notification::Listening).await.is_err() {
                    return Ok(());
                }
            }
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(said))) => {
                    let said = Notification::Said {
                        channel: said.channel().to_owned(),
                        payload: said.payload().to_owned(),
                    };
                    if heard.send(said).await.is_err() {
                        return Ok(());
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Err(DbError::Unreachable("the connection was closed".into())),
            }
        }
    }
}
