//! `dossier-edge doctor`: prints the findings of `dossier.doctor()` in the database, and the fixes.
//!
//! [`super::check`] checks what this edge itself needs.
//! Invariant: the database decides the status of each check.

use crate::config::Database;
use crate::db::{Caller, Db, DbError, Shares};
use crate::http::Chain;
use serde::Deserialize;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

const ASK: &str = "select json_agg(d)::text from dossier.doctor() as d";

#[derive(Debug, Deserialize)]
struct Examined {
    check_name: String,
    status: Status,
    findings: Vec<String>,
    fix: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Warning,
    Error,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "ERROR",
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::Ok => "\x1b[32m",
            Self::Warning => "\x1b[33m",
            Self::Error => "\x1b[1;31m",
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum DoctorError {
    #[error("cannot query the database: {}", Chain(.0))]
    Database(#[from] DbError),
    #[error("the schema in the database has another version than this edge: {0}")]
    Answer(#[from] serde_json::Error),
    #[error("cannot print: {0}")]
    Output(#[from] io::Error),
}

/// The exit code is 0 if no check is an error. Warnings do not count.
pub(crate) async fn run(database: &Database, json: bool) -> ExitCode {
    match examine(database, json).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!(
                "dossier-edge: {error}\n  If the database is unreachable, run `dossier-edge check`. Otherwise see the database's log."
            );
            ExitCode::FAILURE
        }
    }
}

async fn examine(database: &Database, json: bool) -> Result<bool, DoctorError> {
    let answer =
        Db::new(database, Shares::default())?.json(&Caller::service(), ASK, &[]).await?.unwrap_or_default();
    let checks: Vec<Examined> = serde_json::from_str(&answer)?;
    let mut output = io::stdout();
    if json {
        writeln!(output, "{answer}")?;
    } else {
        let colours = output.is_terminal();
        write!(output, "{}", report(&checks, colours))?;
    }
    Ok(checks.iter().all(|check| check.status != Status::Error))
}

/// One line per check. Below a check that is not ok, its findings and the fix.
fn report(checks: &[Examined], colours: bool) -> String {
    let mut text = String::new();
    for Examined { check_name, status, findings, fix } in checks {
        let (on, off) = if colours { (status.colour(), "\x1b[0m") } else { ("", "") };
        let word = status.word();
        // Writing to a string cannot fail.
        let _ = write!(text, "{on}{word:<7}{off} {check_name}");
        if *status == Status::Ok && !findings.is_empty() {
            let _ = write!(text, ": {}", findings.join("; "));
        }
        text.push('\n');
        if *status != Status::Ok {
            for finding in findings {
                let _ = writeln!(text, "          {finding}");
            }
            if let Some(fix) = fix {
                let _ = writeln!(text, "        → {fix}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"[
        {"check_name": "version", "status": "ok", "findings": ["Dossier 1"], "fix": null},
        {"check_name": "dumps", "status": "ok", "findings": [], "fix": null},
        {"check_name": "rights", "status": "error", "findings": ["anon may a", "anon may b"], "fix": "Revoke it."},
        {"check_name": "jobs", "status": "warning", "findings": ["3 wait"], "fix": "Ask again."}]"#;

    #[test]
    fn a_report_lists_every_check_and_the_fixes() {
        let checks: Vec<Examined> = serde_json::from_str(ANSWER).unwrap();
        assert_eq!(
            report(&checks, false),
            "ok      version: Dossier 1\n\
             ok      dumps\n\
             ERROR   rights\n          anon may a\n          anon may b\n        → Revoke it.\n\
             warning jobs\n          3 wait\n        → Ask again.\n"
        );
        assert!(report(&checks, true).contains("\x1b[1;31mERROR  \x1b[0m rights"));
    }
}
