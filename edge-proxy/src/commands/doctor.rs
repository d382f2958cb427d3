//! `dossier-edge doctor`: prints what `dossier.doctor()` finds in the database, and how to mend it.
//!
//! What this edge itself needs is [`crate::check`]'s to try.
//! Invariant: nothing is judged here; the status of a check is the database's.

use crate::config::Database;
use crate::db::{Caller, Db, DbError};
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
    mend: Option<String>,
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
    #[error("the database cannot be asked: {}", Chain(.0))]
    Database(#[from] DbError),
    #[error("the database's doctor is of another version: {0}")]
    Answer(#[from] serde_json::Error),
    #[error("cannot print: {0}")]
    Output(#[from] io::Error),
}

/// Exit code 0 when nothing is an error, warnings or not.
pub(crate) async fn run(database: &Database, json: bool) -> ExitCode {
    match examine(database, json).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!(
                "dossier-edge: {error}\n  Where it cannot be reached, `dossier-edge check` says why; where it fails, its log."
            );
            ExitCode::FAILURE
        }
    }
}

async fn examine(database: &Database, json: bool) -> Result<bool, DoctorError> {
    let answer = Db::new(database)?.json(&Caller::service(), ASK, &[]).await?.unwrap_or_default();
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

/// A line for each check, and below those that are not in order every finding and the mend.
fn report(checks: &[Examined], colours: bool) -> String {
    let mut text = String::new();
    for Examined { check_name, status, findings, mend } in checks {
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
            if let Some(mend) = mend {
                let _ = writeln!(text, "        → {mend}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"[
        {"check_name": "version", "status": "ok", "findings": ["Dossier 1"], "mend": null},
        {"check_name": "dumps", "status": "ok", "findings": [], "mend": null},
        {"check_name": "rights", "status": "error", "findings": ["anon may a", "anon may b"], "mend": "Revoke it."},
        {"check_name": "jobs", "status": "warning", "findings": ["3 wait"], "mend": "Ask again."}]"#;

    #[test]
    fn a_report_names_every_check_and_how_to_mend_what_is_wrong() {
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
