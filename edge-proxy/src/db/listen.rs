//! Notifications from Postgres, on one connection that is replaced when it breaks.

use super::{DbError, tls};
use crate::config::Endpoint;
use futures_util::stream::{StreamExt, poll_fn};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_postgres::AsyncMessage;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// An event on the listening connection.
#[derive(Debug)]
pub(crate) enum Notification {
    /// `LISTEN` is active. Earlier notifications are lost, so poll once.
    Listening,
    /// A notification on one of the channels.
    Received { channel: String, payload: String },
    /// The connection broke. Poll until the next [`Notification::Listening`].
    Disconnected,
}

/// Listens until `stop`, and reconnects with growing delays.
pub(crate) async fn listen(
    endpoint: Endpoint,
    channels: &'static [&'static str],
    events: mpsc::Sender<Notification>,
    stop: CancellationToken,
) {
    let mut pause = Duration::from_millis(250);
    while !stop.is_cancelled() {
        let outcome = stop.run_until_cancelled(session(&endpoint, channels, &events, &mut pause)).await;
        let Some(Err(error)) = outcome else { return };
        warn!("not listening, polling until reconnected: {}", crate::http::Chain(&error));
        if events.send(Notification::Disconnected).await.is_err() {
            return;
        }
        stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        pause = (pause * 2).min(Duration::from_secs(30));
    }
}

/// One connection, until it breaks (an error) or the receiver is gone.
async fn session(
    endpoint: &Endpoint,
    channels: &[&str],
    events: &mpsc::Sender<Notification>,
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
                if events.send(Notification::Listening).await.is_err() {
                    return Ok(());
                }
            }
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(message))) => {
                    let received = Notification::Received {
                        channel: message.channel().to_owned(),
                        payload: message.payload().to_owned(),
                    };
                    if events.send(received).await.is_err() {
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
