//! Limits of uploads.

use super::ConfigError;
use crate::fair::Limits;
use std::time::Duration;

const MIB: u64 = 1024 * 1024;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Uploads")]
pub(super) struct Args {
    /// Largest file, if this edge accepts less than the database. Unset: the limit of the database (`max_file_bytes`)
    #[arg(long, env = "UPLOAD_MAX_BYTES", value_name = "BYTES")]
    upload_max_bytes: Option<u64>,
    /// Maximum number of files in one request
    #[arg(long, env = "UPLOAD_MAX_FILES", default_value_t = 100, value_name = "N")]
    upload_max_files: usize,
    /// Uploads at the same time, of all users. Further ones get a 503
    #[arg(long, env = "UPLOAD_CONCURRENCY", default_value_t = 512, value_name = "N")]
    upload_concurrency: usize,
    /// Uploads of one user at the same time. Further ones get a 429
    #[arg(long, env = "UPLOAD_USER_CONCURRENCY", default_value_t = 128, value_name = "N")]
    upload_user_concurrency: usize,
    /// Uploads of one organization at the same time. Further ones get a 429
    #[arg(long, env = "UPLOAD_ORGANIZATION_CONCURRENCY", default_value_t = 256, value_name = "N")]
    upload_organization_concurrency: usize,
    /// Database connections that the chunks of uploads may use at the same time, at least 3, of which one user may use half, but
    /// at least 2. Unset: a quarter of `DATABASE_POOL_SIZE`
    #[arg(long, env = "UPLOAD_CONNECTIONS", value_name = "N")]
    upload_connections: Option<usize>,
    /// How long an unfinished resumable upload is kept, at most 30d: a number and s, m, h or d
    #[arg(long, env = "UPLOAD_EXPIRES", default_value = "24h", value_name = "TIME")]
    upload_expires: String,
    /// How much of a refused file is skipped to reach the files after it
    #[arg(long, env = "UPLOAD_SKIP_BYTES", default_value_t = MIB, value_name = "BYTES")]
    upload_skip_bytes: u64,
    /// Largest JSON body
    #[arg(long, env = "JSON_MAX_BYTES", default_value_t = 2 * MIB, value_name = "BYTES")]
    json_max_bytes: u64,
}

/// Limits of uploads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Upload {
    /// `None`: only the database limits a file.
    pub(crate) max_bytes: Option<u64>,
    pub(crate) max_files: usize,
    pub(crate) places: Limits,
    pub(crate) connections: Option<usize>,
    /// How long an unfinished resumable upload is kept.
    pub(crate) expires: Duration,
    pub(crate) skip_bytes: u64,
    pub(crate) json_max_bytes: usize,
}

impl Args {
    pub(super) fn check(self) -> Result<Upload, ConfigError> {
        if self.upload_max_bytes == Some(0) {
            return Err(ConfigError::new(
                "UPLOAD_MAX_BYTES",
                "must be at least 1",
                "Omit it to accept files up to the limit of the database (max_file_bytes).",
            ));
        }
        let at_least_one = [
            self.upload_max_files,
            self.upload_concurrency,
            self.upload_user_concurrency,
            self.upload_organization_concurrency,
            self.upload_connections.unwrap_or(1),
        ];
        if at_least_one.contains(&0) {
            return Err(ConfigError::new(
                "UPLOAD_MAX_FILES, UPLOAD_CONCURRENCY, UPLOAD_USER_CONCURRENCY, UPLOAD_ORGANIZATION_CONCURRENCY, \
                 UPLOAD_CONNECTIONS",
                "must be at least 1",
                "The defaults are 100, 512, 128, 256 and a quarter of DATABASE_POOL_SIZE.",
            ));
        }
        Ok(Upload {
            max_bytes: self.upload_max_bytes,
            max_files: self.upload_max_files,
            places: Limits {
                total: self.upload_concurrency,
                per_user: self.upload_user_concurrency,
                per_organization: self.upload_organization_concurrency,
                waiting: 0,
            },
            connections: self.upload_connections,
            expires: expiry(&self.upload_expires)?,
            skip_bytes: self.upload_skip_bytes,
            json_max_bytes: usize::try_from(self.json_max_bytes).unwrap_or(usize::MAX),
        })
    }
}

/// A time such as `24h`. The database has the same bounds.
fn expiry(text: &str) -> Result<Duration, ConfigError> {
    const LONGEST: u64 = 30 * 24 * 60 * 60;
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[number.len()..] {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(60 * 60),
        "d" => Some(24 * 60 * 60),
        _ => None,
    };
    let seconds = unit.and_then(|unit| number.parse::<u64>().ok()?.checked_mul(unit));
    seconds.filter(|seconds| (1..=LONGEST).contains(seconds)).map(Duration::from_secs).ok_or_else(|| {
        ConfigError::new(
            "UPLOAD_EXPIRES",
            format!("{text}: not a time between 1s and 30d"),
            "Set a number and its unit: 90m, 24h or 7d.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        for (text, seconds) in [("1s", 1), ("90m", 5400), ("24h", 86_400), ("30d", 2_592_000)] {
            assert_eq!(expiry(text).unwrap(), Duration::from_secs(seconds), "{text}");
        }
        for wrong in ["", "24", "h", "0h", "31d", "-1h", "1.5h", "1w", "24H", "24hh", "99999999999999999999d"]
        {
            assert!(expiry(wrong).is_err(), "{wrong}");
        }
    }
}
