//! Turns extraction errors into SQL errors. Only this module chooses SQLSTATEs.

use dossier_extract::ExtractError;
use pgrx::{PgLogLevel, PgSqlErrorCode, function_name, pg_sys::panic::ErrorReport};
use std::io;

/// Raises `error`. Does not return.
pub(crate) fn raise(error: &ExtractError) -> ! {
    ErrorReport::new(sqlstate(error), error.to_string(), function_name!())
        .set_detail(format!("code: {}", error.code()))
        .set_hint(hint(error))
        .report(PgLogLevel::ERROR);
    unreachable!("an ERROR report does not return")
}

/// Raises the error of a host that cannot buffer the bytes for the worker. Does not return.
pub(crate) fn raise_no_source(error: &io::Error) -> ! {
    ErrorReport::new(
        PgSqlErrorCode::ERRCODE_SYSTEM_ERROR,
        format!("the file cannot be passed to the worker: {error}"),
        function_name!(),
    )
    .set_hint("Check the free memory and the open files of the server.")
    .report(PgLogLevel::ERROR);
    unreachable!("an ERROR report does not return")
}

/// Raises the error of an argument that is not one of `choices`. Does not return.
pub(crate) fn raise_choice(argument: &str, given: &str, choices: &[&str]) -> ! {
    raise_value(format!("{argument} cannot be '{given}'"), &format!("Use one of: {}.", choices.join(", ")))
}

/// Raises the error of an invalid argument or setting. Does not return.
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
        ExtractError::SandboxUnavailable { .. }
        | ExtractError::WorkerUnavailable { .. }
        | ExtractError::WorkerKilled { .. } => PgSqlErrorCode::ERRCODE_SYSTEM_ERROR,
        _ => PgSqlErrorCode::ERRCODE_EXTERNAL_ROUTINE_EXCEPTION,
    }
}

fn hint(error: &ExtractError) -> &'static str {
    match error {
        ExtractError::Unsupported { .. } => {
            "Send a PDF, an office file, HTML, mail, an image or any kind of text. If the bytes are ambiguous, pass media_type."
        }
        ExtractError::NeedsOcr { .. } => {
            "Install Tesseract and its language data on the host of the database. See dossier.ocr_languages and dossier.tessdata."
        }
        ExtractError::Encrypted => "Remove the password and retry.",
        ExtractError::InputTooLarge { .. } => "A superuser can raise dossier.extract_input.",
        ExtractError::LimitExceeded { .. } | ExtractError::Timeout { .. } => {
            "A superuser can raise the limits. See dossier.extract_* in pg_settings."
        }
        ExtractError::SandboxUnavailable { .. } => {
            "Run a kernel with landlock and seccomp, or have a superuser set dossier.sandbox to accept_missing and accept the risk."
        }
        ExtractError::WorkerUnavailable { .. } => {
            "Install dossier-extract-worker in the same folder as postgres, or have a superuser set dossier.worker_path."
        }
        ExtractError::WorkerKilled { .. } => "Check the memory of the host and its kernel log, and retry.",
        ExtractError::Cancelled => "Retry.",
        _ => "The file is malformed or hostile. Re-save it in the original application.",
    }
}
