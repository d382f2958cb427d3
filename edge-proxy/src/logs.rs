//! Where log lines go: standard error, one a line.

use crate::config::{Log, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Libraries that report per connection what the gate reports per request.
const QUIET: &str = "pingora_core=error,pingora_proxy=off,rustls=warn,tokio_postgres=warn";

/// Starts logging; later calls change nothing.
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
