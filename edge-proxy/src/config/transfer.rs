//! Limits of exports and imports.

use super::ConfigError;
use crate::fair::Limits;

const MIB: usize = 1024 * 1024;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Export and import")]
pub(super) struct Args {
    /// Largest text of a session for an export as a Word document, which is built in memory
    #[arg(long, env = "EXPORT_DOCX_MAX_BYTES", default_value_t = 4 * MIB, value_name = "BYTES")]
    export_docx_max_bytes: usize,
    /// Largest ZIP archive for an import
    #[arg(long, env = "IMPORT_ZIP_MAX_BYTES", default_value_t = 512 * MIB as u64, value_name = "BYTES")]
    import_zip_max_bytes: u64,
    /// Imports at the same time, of all users. Further ones get a 503
    #[arg(long, env = "IMPORT_CONCURRENCY", default_value_t = 64, value_name = "N")]
    import_concurrency: usize,
    /// Imports of one user at the same time. Further ones get a 429
    #[arg(long, env = "IMPORT_USER_CONCURRENCY", default_value_t = 4, value_name = "N")]
    import_user_concurrency: usize,
    /// Imports of one organization at the same time. Further ones get a 429
    #[arg(long, env = "IMPORT_ORGANIZATION_CONCURRENCY", default_value_t = 8, value_name = "N")]
    import_organization_concurrency: usize,
    /// Imports that are written at the same time, each on a connection beyond `DATABASE_POOL_SIZE`. Others wait. One user has
    /// one, and one organization half of them
    #[arg(long, env = "IMPORT_CONNECTIONS", default_value_t = 4, value_name = "N")]
    import_connections: usize,
    /// Space in the temporary directory for bundles that are being imported. One user may use a quarter of it, one
    /// organization half, but always enough for one archive. Further ones get a 429 or a 503
    #[arg(long, env = "IMPORT_SPOOL_BYTES", default_value_t = 2048 * MIB as u64, value_name = "BYTES")]
    import_spool_bytes: u64,
}

/// Limits of exports and imports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Transfer {
    pub(crate) docx_max_bytes: usize,
    pub(crate) import_zip_max_bytes: u64,
    pub(crate) imports: Limits,
    pub(crate) writers: Limits,
    /// Space in the temporary directory, in KiB.
    pub(crate) spooled_kib: Limits,
}

impl Args {
    pub(super) fn check(self) -> Result<Transfer, ConfigError> {
        if self.export_docx_max_bytes == 0 {
            return Err(ConfigError::new(
                "EXPORT_DOCX_MAX_BYTES",
                "must be at least 1",
                "4194304 is 4 MiB, the default.",
            ));
        }
        if self.import_zip_max_bytes == 0 {
            return Err(ConfigError::new(
                "IMPORT_ZIP_MAX_BYTES",
                "must be at least 1",
                "536870912 is 512 MiB, the default.",
            ));
        }
        let at_least_one = [
            self.import_concurrency,
            self.import_user_concurrency,
            self.import_organization_concurrency,
            self.import_connections,
        ];
        if at_least_one.contains(&0) {
            return Err(ConfigError::new(
                "IMPORT_CONCURRENCY, IMPORT_USER_CONCURRENCY, IMPORT_ORGANIZATION_CONCURRENCY, IMPORT_CONNECTIONS",
                "must be at least 1",
                "The defaults are 64, 4, 8 and 4.",
            ));
        }
        if self.import_spool_bytes < self.import_zip_max_bytes {
            return Err(ConfigError::new(
                "IMPORT_SPOOL_BYTES",
                format!("must be at least IMPORT_ZIP_MAX_BYTES, which is {}", self.import_zip_max_bytes),
                "It is the space for all archives that are being imported.",
            ));
        }
        let kib = |bytes: u64| usize::try_from(bytes.div_ceil(1024)).unwrap_or(usize::MAX);
        let (spool, archive) = (kib(self.import_spool_bytes), kib(self.import_zip_max_bytes) + 1024);
        let connections = self.import_connections;
        Ok(Transfer {
            imports: Limits {
                total: self.import_concurrency,
                per_user: self.import_user_concurrency,
                per_organization: self.import_organization_concurrency,
                waiting: 0,
            },
            writers: Limits {
                total: connections,
                per_user: 1,
                per_organization: connections.div_ceil(2),
                waiting: usize::MAX,
            },
            spooled_kib: Limits {
                total: spool,
                per_user: (spool / 4).max(archive),
                per_organization: (spool / 2).max(archive),
                waiting: 0,
            },
            docx_max_bytes: self.export_docx_max_bytes,
            import_zip_max_bytes: self.import_zip_max_bytes,
        })
    }
}
