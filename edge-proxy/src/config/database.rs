//! Connections to Postgres: where, how many, and how they are encrypted.

use super::ConfigError;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use tokio_postgres::config::SslMode;

const ADVICE: &str = "Set a connection string, for example \
    postgres://authenticator:password@127.0.0.1:5432/postgres (add ?sslmode=require for a hosted database).";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Database")]
pub(super) struct Args {
    /// Connection string for a login role that can become anon, authenticated and `service_role`. A pooler in transaction
    /// mode is supported. `sslmode` is disable, prefer, require (encrypted, not verified), verify-ca or verify-full (with
    /// `sslrootcert` or the system's certificates)
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// Connection string for LISTEN, which a pooler in transaction mode does not support. Unset: `DATABASE_URL`
    #[arg(long, env = "DATABASE_LISTEN_URL", hide_env_values = true, value_name = "URL")]
    database_listen_url: Option<String>,
    /// Number of connections that requests and workers share
    #[arg(long, env = "DATABASE_POOL_SIZE", default_value_t = 8, value_name = "N")]
    database_pool_size: usize,
    /// Connections that one user may use at the same time. Further requests of the user wait. Unset: half of
    /// `DATABASE_POOL_SIZE`
    #[arg(long, env = "DATABASE_USER_CONNECTIONS", value_name = "N")]
    database_user_connections: Option<usize>,
    /// Connections that the users of one organization may use at the same time, or the users without an organization at one
    /// address. Unset: three quarters of `DATABASE_POOL_SIZE`
    #[arg(long, env = "DATABASE_ORGANIZATION_CONNECTIONS", value_name = "N")]
    database_organization_connections: Option<usize>,
    /// Connections that are kept for short requests: searches, packs, exports and imports do not use them. They also use at
    /// most half of each share. Unset: a quarter of `DATABASE_POOL_SIZE`
    #[arg(long, env = "DATABASE_SHORT_CONNECTIONS", value_name = "N")]
    database_short_connections: Option<usize>,
    /// Requests of one user that may wait for a connection. Further ones get a 429
    #[arg(long, env = "DATABASE_WAITING_PER_USER", default_value_t = 256, value_name = "N")]
    database_waiting_per_user: usize,
    /// Seconds that a request waits for a connection before it gets a 429 (the share is in use) or a 503 (all are)
    #[arg(long, env = "DATABASE_WAIT_SECONDS", default_value_t = 10, value_name = "N")]
    database_wait_seconds: u64,
    /// Seconds that one statement of a request may run
    #[arg(long, env = "STATEMENT_TIMEOUT_SECONDS", default_value_t = 30, value_name = "N")]
    statement_timeout_seconds: u64,
}

/// How a connection is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tls {
    /// Encrypted if the server supports it (or always, depending on `sslmode`), but the server is not verified.
    Unverified,
    /// The chain and the name of the certificate are verified with these certificates, or the system's.
    Full(Option<PathBuf>),
    /// The chain of the certificate is verified with these certificates, or the system's, but not its name.
    Chain(Option<PathBuf>),
}

/// A server to connect to.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) postgres: tokio_postgres::Config,
    pub(crate) tls: Tls,
}

/// Connections to the database.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pub(crate) requests: Endpoint,
    pub(crate) listen: Endpoint,
    pub(crate) pool_size: usize,
    pub(crate) per_user: usize,
    pub(crate) per_organization: usize,
    /// Connections that statements that may take long do not use.
    pub(crate) kept_for_short: usize,
    /// Requests of a user that may wait.
    pub(crate) waiting: usize,
    pub(crate) wait: Duration,
    pub(crate) statement_timeout: Duration,
}

impl Args {
    pub(super) fn check(self) -> Result<Database, ConfigError> {
        if self.database_pool_size == 0 {
            return Err(ConfigError::new(
                "DATABASE_POOL_SIZE",
                "must be at least 1",
                "8 suits two cores. A small database plan may allow fewer.",
            ));
        }
        let size = self.database_pool_size;
        let per_user = share("DATABASE_USER_CONNECTIONS", self.database_user_connections, size / 2, size)?;
        let per_organization = self.database_organization_connections;
        let per_organization =
            share("DATABASE_ORGANIZATION_CONNECTIONS", per_organization, (size * 3).div_ceil(4), size)?;
        let kept_for_short = self.database_short_connections.unwrap_or((size / 4).max(1));
        if self.database_short_connections.is_some_and(|kept| kept >= size) {
            return Err(ConfigError::new(
                "DATABASE_SHORT_CONNECTIONS",
                format!("must be less than DATABASE_POOL_SIZE, which is {size}"),
                "Otherwise no search or pack could run. Omit it to keep a quarter.",
            ));
        }
        let url = self.database_url.ok_or_else(|| ConfigError::new("DATABASE_URL", "not set", ADVICE))?;
        let requests = endpoint("DATABASE_URL", &url)?;
        let listen = match &self.database_listen_url {
            Some(url) => endpoint("DATABASE_LISTEN_URL", url)?,
            None => requests.clone(),
        };
        Ok(Database {
            requests,
            listen,
            pool_size: size,
            per_user,
            per_organization,
            kept_for_short: kept_for_short.min(size - 1),
            waiting: self.database_waiting_per_user.max(1),
            wait: Duration::from_secs(self.database_wait_seconds),
            statement_timeout: Duration::from_secs(self.statement_timeout_seconds),
        })
    }
}

/// A part of the connections: as set, or `usual`, but at least one.
fn share(setting: &'static str, set: Option<usize>, usual: usize, size: usize) -> Result<usize, ConfigError> {
    match set {
        Some(share) if !(1..=size).contains(&share) => Err(ConfigError::new(
            setting,
            format!("must be between 1 and DATABASE_POOL_SIZE, which is {size}"),
            "Set it to DATABASE_POOL_SIZE for no limit.",
        )),
        Some(share) => Ok(share),
        None => Ok(usual.max(1)),
    }
}

/// Parses `url`, including two parameters of libpq that `tokio_postgres` does not support.
fn endpoint(setting: &'static str, url: &str) -> Result<Endpoint, ConfigError> {
    let invalid = |problem: String| ConfigError::new(setting, problem, ADVICE);
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(invalid("not a postgres:// URL".to_owned()));
    }
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let mut mode = None;
    let mut root = None;
    let mut kept = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value),
            Some(("sslrootcert", "system")) => root = None,
            Some(("sslrootcert", value)) => root = Some(PathBuf::from(decode(value))),
            _ => kept.push(pair),
        }
    }
    let kept = if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) };
    let mut postgres: tokio_postgres::Config =
        kept.parse().map_err(|error: tokio_postgres::Error| invalid(describe(&error)))?;
    let (ssl, tls) = match mode {
        None | Some("prefer") => (SslMode::Prefer, Tls::Unverified),
        Some("disable") => (SslMode::Disable, Tls::Unverified),
        Some("require") if root.is_none() => (SslMode::Require, Tls::Unverified),
        // As in libpq: `require` with a root certificate verifies the chain.
        Some("require" | "verify-ca") => (SslMode::Require, Tls::Chain(root)),
        Some("verify-full") => (SslMode::Require, Tls::Full(root)),
        Some(other) => return Err(invalid(format!("sslmode={other} is not supported"))),
    };
    postgres.ssl_mode(ssl);
    postgres.connect_timeout(Duration::from_secs(10));
    if postgres.get_application_name().is_none() {
        postgres.application_name("dossier-edge");
    }
    Ok(Endpoint { postgres, tls })
}

fn decode(value: &str) -> String {
    percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned()
}

/// The error with its cause. `tokio_postgres` alone only reports "invalid connection string".
fn describe(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

impl fmt::Debug for Endpoint {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("hosts", &self.postgres.get_hosts())
            .field("ports", &self.postgres.get_ports())
            .field("user", &self.postgres.get_user())
            .field("dbname", &self.postgres.get_dbname())
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(url: &str) -> (SslMode, Tls) {
        let endpoint = endpoint("DATABASE_URL", url).unwrap();
        (endpoint.postgres.get_ssl_mode(), endpoint.tls)
    }

    #[test]
    fn sslmode_means_what_libpq_means() {
        assert_eq!(tls("postgres://h/d"), (SslMode::Prefer, Tls::Unverified));
        assert_eq!(tls("postgres://h/d?sslmode=disable"), (SslMode::Disable, Tls::Unverified));
        assert_eq!(tls("postgres://h/d?sslmode=require"), (SslMode::Require, Tls::Unverified));
        assert_eq!(tls("postgres://h/d?sslmode=verify-full"), (SslMode::Require, Tls::Full(None)));
        let root = Some(PathBuf::from("/etc/ca file.pem"));
        assert_eq!(
            tls("postgres://h/d?sslrootcert=/etc/ca%20file.pem&sslmode=require"),
            (SslMode::Require, Tls::Chain(root))
        );
    }

    #[test]
    fn other_parameters_are_kept() {
        let endpoint =
            endpoint("DATABASE_URL", "postgresql://u@/d?host=/run/pg&sslmode=disable&port=5433").unwrap();
        assert_eq!(endpoint.postgres.get_ports(), &[5433]);
        assert_eq!(endpoint.postgres.get_application_name(), Some("dossier-edge"));
    }
}
