//! Turns extraction errors into SQL errors: the one place that chooses SQLSTATEs.

use dossier_extract::ExtractError;
use pgrx::{PgLogLevel, PgSqlErrorCode, function_name, pg_sys::panic::ErrorReport};
use std::io;

/// Raises `error`; does not return.
pub(crate) fn raise(error: &ExtractError) -> ! {
    ErrorReport::new(sqlstate(error), error.to_string(), function_name!())
        .set_detail(format!("code: {}", error.code()))
        .set_hint(hint(error))
        .report(PgLogLevel::ERROR);
    unreachable!("an ERROR report does not return")
}

/// Raises the error of a machine that cannot hold the bytes for the worker; does not return.
pub(crate) fn raise_no_source(error: &io::Error) -> ! {
    ErrorReport::new(
        PgSqlErrorCode::ERRCODE_SYSTEM_ERROR,
        format!("the file's bytes cannot be handed to the worker: {error}"),
        function_name!(),
    )
    .set_hint("Look at the server's free memory and open files.")
    .report(PgLogLevel::ERROR);
    unreachable!("an ERROR report does not return")
}

/// Raises the error of an argument that is none of `choices`; does not return.
pub(crate) fn raise_choice(argument: &str, given: &str, choices: &[&str]) -> ! {
    raise_value(format!("{argument} cannot be '{given}'"), &format!("It is one of: {}.", choices.join(", ")))
}

/// Raises the error of an argument or a setting that cannot be used; does not return.
pub(crate) fn raise_value(message: String, hint: &str) -> ! {
    ErrorReport::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message, function_name!())
        .set_hint(hint)
        .report(PgLogLevel::ERROR);
    unreachable!("an ERROR report does not return")
}

fn sqlstate(error: &ExtractError) -> PgSqlErrorCode {
    match error {
        ExtractError::Unsupported { .. } | ExtractError::NeedsOcr { .. } => {
            PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED
        }
        ExtractError::InputTooLarge { .. }
        | ExtractError::LimitExceeded { .. }
        | ExtractError::Timeout { .. } => PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
        ExtractError::Cancelled => PgSqlErrorCode::ERRCODE_QUERY_CANCELED,
        ExtractError::SandboxUnavailable { .. } | ExtractError::WorkerUnavailable { .. } => {
            PgSqlErrorCode::ERRCODE_SYSTEM_ERROR
        }
        _ => PgSqlErrorCode::ERRCODE_EXTERNAL_ROUTINE_EXCEPTION,
    }
}

fn hint(error: &ExtractError) -> &'static str {
    match error {
        ExtractError::Unsupported { .. } => {
            "Text can be read from PDF, office files, HTML, mail, images and text of any kind; pass media_type when the bytes are ambiguous."
        }
        ExtractError::NeedsOcr { .. } => {
            "Install Tesseract and its language data on the database's host; see dossier.ocr_languages and dossier.tessdata."
        }
        ExtractError::Encrypted => "Remove the password and try again.",
        ExtractError::InputTooLarge { .. } => "A superuser can raise dossier.extract_input.",
        ExtractError::LimitExceeded { .. } | ExtractError::Timeout { .. } => {
            "A superuser can raise the limits: see dossier.extract_* in pg_settings."
        }
        ExtractError::SandboxUnavailable { .. } => {
            "Run a kernel with landlock and seccomp, or have a superuser set dossier.sandbox to accept_missing, knowing the risk."
        }
        ExtractError::WorkerUnavailable { .. } => {
            "Install dossier-extract-worker beside the postgres executable, or have a superuser set dossier.worker_path."
        }
        ExtractError::Cancelled => "Try again.",
        _ => {
            "The file is broken or hostile; nothing else was harmed. Save it anew with the program that made it."
        }
    }
}
