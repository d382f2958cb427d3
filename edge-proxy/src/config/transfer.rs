//! Limits of exports and imports.

use super::ConfigError;

const MIB: usize = 1024 * 1024;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Export and import")]
pub(super) struct Args {
    /// Largest text of a session for an export as a Word document, which is built in memory
    #[arg(long, env = "EXPORT_DOCX_MAX_BYTES", default_value_t = 4 * MIB, value_name = "BYTES")]
    export_docx_max_bytes: usize,
    /// Largest ZIP archive for an import. The temporary directory holds at most two at the same time
    #[arg(long, env = "IMPORT_ZIP_MAX_BYTES", default_value_t = 512 * MIB as u64, value_name = "BYTES")]
    import_zip_max_bytes: u64,
}

/// Limits of exports and imports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Transfer {
    pub(crate) docx_max_bytes: usize,
    pub(crate) import_zip_max_bytes: u64,
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
        Ok(Transfer {
            docx_max_bytes: self.export_docx_max_bytes,
            import_zip_max_bytes: self.import_zip_max_bytes,
        })
    }
}
