//! Limits of uploads.

use super::ConfigError;

const MIB: u64 = 1024 * 1024;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Uploads")]
pub(super) struct Args {
    /// Largest file. The database has its own limit (`max_file_bytes`), and the smaller one applies
    #[arg(long, env = "UPLOAD_MAX_BYTES", default_value_t = 10 * MIB, value_name = "BYTES")]
    upload_max_bytes: u64,
    /// Maximum number of files in one request
    #[arg(long, env = "UPLOAD_MAX_FILES", default_value_t = 100, value_name = "N")]
    upload_max_files: usize,
    /// Uploads at the same time. Further ones get a 503
    #[arg(long, env = "UPLOAD_CONCURRENCY", default_value_t = 512, value_name = "N")]
    upload_concurrency: usize,
    /// Database connections that uploads may use at the same time, at least 2. Unset: a quarter of `DATABASE_POOL_SIZE`
    #[arg(long, env = "UPLOAD_CONNECTIONS", value_name = "N")]
    upload_connections: Option<usize>,
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
    pub(crate) max_bytes: u64,
    pub(crate) max_files: usize,
    pub(crate) concurrency: usize,
    pub(crate) connections: Option<usize>,
    pub(crate) skip_bytes: u64,
    pub(crate) json_max_bytes: usize,
}

impl Args {
    pub(super) fn check(self) -> Result<Upload, ConfigError> {
        if self.upload_max_bytes == 0 {
            return Err(ConfigError::new(
                "UPLOAD_MAX_BYTES",
                "must be at least 1",
                "10485760 is 10 MiB, the default.",
            ));
        }
        if self.upload_max_files == 0 || self.upload_concurrency == 0 || self.upload_connections == Some(0) {
            return Err(ConfigError::new(
                "UPLOAD_MAX_FILES, UPLOAD_CONCURRENCY, UPLOAD_CONNECTIONS",
                "must be at least 1",
                "The defaults are 100, 512 and a quarter of DATABASE_POOL_SIZE.",
            ));
        }
        Ok(Upload {
            max_bytes: self.upload_max_bytes,
            max_files: self.upload_max_files,
            concurrency: self.upload_concurrency,
            connections: self.upload_connections,
            skip_bytes: self.upload_skip_bytes,
            json_max_bytes: usize::try_from(self.json_max_bytes).unwrap_or(usize::MAX),
        })
    }
}
