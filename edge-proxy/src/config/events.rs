//! Limits of event streams.

use super::ConfigError;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Events")]
pub(super) struct Args {
    /// Event streams at the same time. Each takes one of `MAX_CONNECTIONS`. Further ones get a 503
    #[arg(long, env = "EVENT_STREAMS", default_value_t = 2000, value_name = "N")]
    event_streams: usize,
    /// Event streams of one user at the same time. Further ones get a 429
    #[arg(long, env = "EVENT_STREAMS_PER_USER", default_value_t = 20, value_name = "N")]
    event_streams_per_user: usize,
}

/// Limits of event streams.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Events {
    pub(crate) streams: usize,
    pub(crate) per_user: usize,
}

impl Args {
    pub(super) fn check(self) -> Result<Events, ConfigError> {
        if self.event_streams == 0 || self.event_streams_per_user == 0 {
            return Err(ConfigError::new(
                "EVENT_STREAMS, EVENT_STREAMS_PER_USER",
                "must be at least 1",
                "The defaults are 2000 and 20.",
            ));
        }
        Ok(Events { streams: self.event_streams, per_user: self.event_streams_per_user })
    }
}
