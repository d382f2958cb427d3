//! The operator's settings, checked once at the start.
//!
//! There is one struct per concern. `clap` reads flags and environment variables, and a flag takes precedence. Each concern
//! checks its own arguments and returns a struct that needs no further checks.
//! Invariant: nothing outside this module reads the environment.

mod auth;
mod cors;
mod database;
mod demo;
mod events;
mod extract;
mod listener;
mod log;
mod transfer;
mod upload;

pub(crate) use auth::Auth;
pub(crate) use cors::{Origins, RequestHeaders};
pub(crate) use database::{Database, Endpoint, Tls};
pub(crate) use demo::Demo;
pub(crate) use events::Events;
pub(crate) use extract::{Extract, ExtractMode};
pub(crate) use listener::{Listener, Upstream};
pub(crate) use log::{Log, LogFormat};
pub(crate) use transfer::Transfer;
pub(crate) use upload::Upload;

use clap::Parser;

/// An invalid setting, and how to fix it.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: {problem}\n  {advice}")]
pub(crate) struct ConfigError {
    setting: &'static str,
    problem: String,
    advice: &'static str,
}

impl ConfigError {
    fn new(setting: &'static str, problem: impl Into<String>, advice: &'static str) -> Self {
        Self { setting, problem: problem.into(), advice }
    }
}

const ABOUT: &str = "\
Dossier's edge: streaming uploads, sessions and documents in front of a Supabase stack.

It verifies the caller's JWT and runs every statement in Postgres as that caller, so that row level \
security applies. It streams files into chunk rows in constant memory, extracts their text in sandboxed \
workers, and passes other Supabase paths through.";

const EXAMPLES: &str = "\
Examples:
  # With a local Postgres that has Dossier's schema:
  DATABASE_URL=postgres://authenticator:secret@127.0.0.1:5432/app \\
  JWT_SECRET=at-least-32-characters-of-secret dossier-edge

  # In front of a hosted Supabase project (LISTEN needs the direct connection or the session pooler):
  DATABASE_URL='postgres://postgres.ref:pw@pooler.supabase.com:6543/postgres?sslmode=require' \\
  DATABASE_LISTEN_URL='postgres://postgres.ref:pw@pooler.supabase.com:5432/postgres?sslmode=require' \\
  JWKS_URL=https://ref.supabase.co/auth/v1/.well-known/jwks.json \\
  SUPABASE_URL=https://ref.supabase.co LISTEN=0.0.0.0:8080 dossier-edge

  # Check everything that this configuration needs:
  dossier-edge check

  # Examine the database, for people and for scripts:
  dossier-edge doctor
  dossier-edge doctor --json

Every flag can also be set by the environment variable in brackets. The flag takes precedence.";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "dossier-edge", version, about = ABOUT, long_about = None, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Run this command instead of serving
    #[arg(value_enum)]
    pub(crate) command: Option<Command>,
    /// With `doctor`: print the findings as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    database: database::Args,
    #[command(flatten)]
    auth: auth::Args,
    #[command(flatten)]
    listener: listener::Args,
    #[command(flatten)]
    upload: upload::Args,
    #[command(flatten)]
    transfer: transfer::Args,
    #[command(flatten)]
    events: events::Args,
    #[command(flatten)]
    extract: extract::Args,
    #[command(flatten)]
    demo: demo::Args,
    #[command(flatten)]
    log: log::Args,
}

/// A command to run instead of serving.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Command {
    /// Check everything that this configuration needs, one line each, with a fix for each failure
    Check,
    /// Examine the installation in the database and print fixes. The exit code is 1 if there is an error
    Doctor,
    #[expect(clippy::doc_markdown, reason = "it is the text of --help")]
    /// Print the description of the API (OpenAPI 3.1), as it is served at /api/openapi.json
    Openapi,
}

/// The task, with the part of the configuration that it needs.
#[derive(Debug)]
pub(crate) enum Task {
    Serve(Box<Config>),
    Check(Box<Config>),
    Doctor { database: Box<Database>, log: Log, json: bool },
    Openapi { log: Log },
}

impl Task {
    /// Checks the arguments that the task needs, and returns the first problem.
    pub(crate) fn from_args(args: Args) -> Result<Self, ConfigError> {
        Ok(match args.command {
            None => Self::Serve(Box::new(Config::from_args(args)?)),
            Some(Command::Check) => Self::Check(Box::new(Config::from_args(args)?)),
            Some(Command::Doctor) => {
                let database = Box::new(args.database.check()?);
                Self::Doctor { log: args.log.check()?, database, json: args.json }
            }
            Some(Command::Openapi) => Self::Openapi { log: args.log.check()? },
        })
    }

    pub(crate) fn log(&self) -> &Log {
        match self {
            Self::Serve(config) | Self::Check(config) => &config.log,
            Self::Doctor { log, .. } | Self::Openapi { log } => log,
        }
    }
}

/// All settings.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) database: Database,
    pub(crate) auth: Auth,
    pub(crate) listener: Listener,
    pub(crate) upload: Upload,
    pub(crate) transfer: Transfer,
    pub(crate) events: Events,
    pub(crate) extract: Extract,
    /// Never in production.
    pub(crate) demo: Option<Demo>,
    pub(crate) log: Log,
}

impl Config {
    fn from_args(args: Args) -> Result<Self, ConfigError> {
        let (auth, listener) = (args.auth.check()?, args.listener.check()?);
        Ok(Self {
            log: args.log.check()?,
            database: args.database.check()?,
            demo: args.demo.check(&auth, &listener)?,
            auth,
            listener,
            upload: args.upload.check()?,
            transfer: args.transfer.check()?,
            events: args.events.check()?,
            extract: args.extract.check()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATABASE: &str = "--database-url=postgres://u@127.0.0.1/d";
    const SECRET: &str = "--jwt-secret=0123456789abcdef0123456789abcdef";

    fn config(flags: &[&str]) -> Result<Config, String> {
        let args = Args::try_parse_from([&["dossier-edge"], flags].concat()).map_err(|e| e.to_string())?;
        Config::from_args(args).map_err(|e| e.to_string())
    }

    #[test]
    fn the_smallest_configuration_has_safe_defaults() {
        let config = config(&[DATABASE, SECRET]).unwrap();
        assert_eq!(config.listener.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.upload.max_bytes, None);
        assert_eq!(config.auth.audience.as_deref(), Some("authenticated"));
        assert_eq!(config.database.pool_size, 8);
        let database = &config.database;
        assert_eq!((database.per_user, database.per_organization, database.kept_for_short), (4, 6, 2));
        assert_eq!(config.extract.workers, 2);
    }

    #[test]
    fn each_problem_names_its_setting_and_a_fix() {
        for (flags, setting) in [
            (vec![SECRET], "DATABASE_URL"),
            (vec![DATABASE], "JWT_SECRET"),
            (vec![DATABASE, "--jwt-secret=short"], "JWT_SECRET"),
            (vec!["--database-url=mysql://x", SECRET], "DATABASE_URL"),
            (vec!["--database-url=postgres://h/d?sslmode=maybe", SECRET], "DATABASE_URL"),
            (vec![DATABASE, "--jwks-url=ftp://x/y"], "JWKS_URL"),
            (vec![DATABASE, SECRET, "--supabase-url=nonsense"], "SUPABASE_URL"),
            (vec![DATABASE, SECRET, "--database-pool-size=0"], "DATABASE_POOL_SIZE"),
            (vec![DATABASE, SECRET, "--database-user-connections=9"], "DATABASE_USER_CONNECTIONS"),
            (
                vec![DATABASE, SECRET, "--database-organization-connections=0"],
                "DATABASE_ORGANIZATION_CONNECTIONS",
            ),
            (vec![DATABASE, SECRET, "--database-short-connections=8"], "DATABASE_SHORT_CONNECTIONS"),
            (vec![DATABASE, SECRET, "--import-spool-bytes=1"], "IMPORT_SPOOL_BYTES"),
            (vec![DATABASE, SECRET, "--upload-max-bytes=0"], "UPLOAD_MAX_BYTES"),
            (vec![DATABASE, SECRET, "--upload-expires=0h"], "UPLOAD_EXPIRES"),
            (vec![DATABASE, SECRET, "--public-url=app.example"], "PUBLIC_URL"),
            (vec![DATABASE, SECRET, "--export-docx-max-bytes=0"], "EXPORT_DOCX_MAX_BYTES"),
            (vec![DATABASE, SECRET, "--import-zip-max-bytes=0"], "IMPORT_ZIP_MAX_BYTES"),
            (vec![DATABASE, SECRET, "--request-max-bytes=5"], "REQUEST_MAX_BYTES"),
            (vec![DATABASE, SECRET, "--cors-origins=app.example"], "CORS_ORIGINS"),
            (vec![DATABASE, SECRET, "--demo-users=none"], "DEMO_USERS"),
            (vec![DATABASE, SECRET, "--demo-users=[]", "--listen=0.0.0.0:8080"], "DEMO_USERS"),
            (vec![DATABASE, "--jwks-url=https://x.example/jwks.json", "--demo-users=[]"], "DEMO_USERS"),
            (vec![DATABASE, SECRET, "--log=]["], "LOG"),
        ] {
            let message = config(&flags).unwrap_err();
            assert!(message.starts_with(&format!("{setting}: ")), "{flags:?}: {message}");
            assert!(message.contains("\n  "), "no advice for {flags:?}: {message}");
        }
    }

    #[test]
    fn a_secret_never_appears_in_debug_output() {
        let config = config(&[DATABASE, SECRET]).unwrap();
        assert!(!format!("{config:?}").contains("0123456789abcdef"));
        let config = super::tests::config(&["--database-url=postgres://u:hunter2@h/d", SECRET]).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
