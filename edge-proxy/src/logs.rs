//! Logging to standard error, one event per line.

use crate::config::{Log, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Libraries that log per connection what the listener logs per request.
const QUIET: &str = "pingora_core=error,pingora_proxy=off,rustls=warn,tokio_postgres=warn";

/// Starts logging. Later calls have no effect.
pub(crate) fn start(config: &Log) {
    // The operator's filter comes last, so that it wins.
    let filter = EnvFilter::new(format!("{QUIET},{}", config.filter));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let _ = match config.format {
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
        }
        LogFormat::Text => lines.compact().try_init(),
    };
}
