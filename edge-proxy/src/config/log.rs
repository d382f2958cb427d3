//! What is written about what happens.

use super::ConfigError;
use tracing_subscriber::EnvFilter;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Logs")]
pub(super) struct Args {
    /// One JSON object a line, or text
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "text")]
    log_format: LogFormat,
    /// What is logged: error, warn, info, debug, or finer (`info,dossier_edge::jobs=debug`)
    #[arg(long, env = "LOG", default_value = "info", value_name = "FILTER")]
    log: String,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    Json,
    Text,
}

/// What is written about what happens.
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
                "For example info, or info,dossier_edge::jobs=debug (see docs of tracing's EnvFilter).",
            )
        })?;
        Ok(Log { format: self.log_format, filter: self.log })
    }
}
