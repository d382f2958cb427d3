//! Logging.

use super::ConfigError;
use tracing_subscriber::EnvFilter;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Logs")]
pub(super) struct Args {
    /// Format of the log: text, or one JSON object per line
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "text")]
    log_format: LogFormat,
    /// Log level: error, warn, info or debug, also by module (`info,dossier_edge::work::jobs=debug`)
    #[arg(long, env = "LOG", default_value = "info", value_name = "FILTER")]
    log: String,
}

/// The format of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    Json,
    Text,
}

/// Logging.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    /// A filter that [`EnvFilter`] accepts.
    pub(crate) filter: String,
}

impl Args {
    pub(super) fn check(self) -> Result<Log, ConfigError> {
        EnvFilter::try_new(&self.log).map_err(|error| {
            ConfigError::new(
                "LOG",
                error.to_string(),
                "Set a filter such as info, or info,dossier_edge::work::jobs=debug (the syntax of tracing's EnvFilter).",
            )
        })?;
        Ok(Log { format: self.log_format, filter: self.log })
    }
}
