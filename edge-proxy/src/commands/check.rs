//! `dossier-edge check`: checks everything that a configuration needs, one line each, with a fix for each failure.

use super::shares::conflicts;
use crate::app::App;
use crate::config::{Config, ExtractMode};
use crate::db::{Caller, DbError, Role};
use crate::http::Chain;
use crate::resources::health;
use crate::work::jobs;
use dossier_extract::Isolation;
use serde::Deserialize;
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

type Finding = Result<String, (String, &'static str)>;

/// The exit code is 0 if all checks pass.
pub(crate) async fn run(config: Config) -> ExitCode {
    print("ok      configuration");
    let app = match App::new(&config) {
        Ok(app) => app,
        Err(error) => return report(&[("database", Err((error.to_string(), "Fix DATABASE_URL.")))]),
    };
    let mut findings = vec![("database", database(&app).await)];
    if findings[0].1.is_ok() {
        findings.push(("roles", roles(&app).await));
        findings.push(("schema", schema(&app).await));
        findings.push(("limits", limits(&app).await));
        findings.push(("notifications", notifications(&config).await));
        findings.push(("extraction", extraction(&app, &config).await));
        findings.push(("OCR", ocr(&app, &config).await));
    }
    findings.push(("shares", shares(&config)));
    findings.push(("keys", keys(&app).await));
    findings.push(("Supabase stack", stack(&config).await));
    findings.push(("port", port(&config).await));
    report(&findings)
}

fn report(findings: &[(&str, Finding)]) -> ExitCode {
    let mut all = true;
    for (what, finding) in findings {
        match finding {
            Ok(detail) => print(&format!("ok      {what}: {detail}")),
            Err((problem, fix)) => {
                all = false;
                print(&format!("MISSING {what}: {problem}\n        {fix}"));
            }
        }
    }
    if all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A reader such as `head` may close the pipe early. The exit code still tells the result.
fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

async fn database(app: &App) -> Finding {
    const ASK: &str = "select current_setting('server_version'), session_user::text";
    match app.db.dedicated().await {
        Ok(_) => {}
        Err(error) => {
            return Err((
                Chain(&error).to_string(),
                "Check host, port, password and sslmode in DATABASE_URL, and that Postgres is running.",
            ));
        }
    }
    match app.db.rows(&Caller::new(Role::Anon, "{}", None), ASK, &[]).await {
        Ok(rows) => Ok(rows.first().map_or_else(String::new, |row| {
            let (version, login): (String, String) =
                (row.try_get(0).unwrap_or_default(), row.try_get(1).unwrap_or_default());
            format!("PostgreSQL {version} as {login}")
        })),
        // The next check reports roles.
        Err(DbError::Identity(_)) => Ok("responds".to_owned()),
        Err(error) => Err((Chain(&error).to_string(), "See the log of the database.")),
    }
}

async fn roles(app: &App) -> Finding {
    for role in [Role::Anon, Role::Authenticated, Role::Service] {
        if let Err(error) = app.db.rows(&Caller::new(role, "{}", None), "select 1", &[]).await {
            return Err((
                format!("the login role cannot become {}: {}", role.as_str(), Chain(&error)),
                "Run docker/roles.sql as a superuser, and connect as authenticator (hosted: as postgres).",
            ));
        }
    }
    Ok("the login role can become anon, authenticated and service_role".to_owned())
}

async fn schema(app: &App) -> Finding {
    const ASK: &str = "select coalesce((select 'extension ' || extversion from pg_extension \
                       where extname = 'dossier'), 'hosted (from the migration)') \
                       where to_regprocedure('dossier.begin_upload(uuid, text, text, bigint, jsonb)') is not null \
                       and has_function_privilege('authenticated', \
                       'dossier.begin_upload(uuid, text, text, bigint, jsonb)', 'execute')";
    match app.db.json(&Caller::service(), ASK, &[]).await {
        Ok(Some(installed)) => Ok(installed),
        Ok(None) => Err((
            "the schema dossier is missing, or not granted to the API roles".to_owned(),
            "Run: create extension dossier. On hosted Supabase, push dist/dossier--<version>.sql as a migration.",
        )),
        Err(error) => {
            Err((Chain(&error).to_string(), "Install Dossier's schema, and grant it to the API roles."))
        }
    }
}

/// Compares the limits of this edge with those of the database. What the database accepts must reach it.
async fn limits(app: &App) -> Finding {
    const ASK: &str = "select dossier.limits()::text";
    #[derive(Deserialize)]
    struct Limits {
        max_file_bytes: u64,
        max_context_bytes: u64,
    }
    let limits = match app.db.json(&Caller::service(), ASK, &[]).await {
        Ok(limits) => limits.and_then(|limits| serde_json::from_str::<Limits>(&limits).ok()),
        Err(error) => return Err((Chain(&error).to_string(), "Install Dossier's schema.")),
    };
    let Some(Limits { max_file_bytes, max_context_bytes }) = limits else {
        return Err((
            "the database has no limits".to_owned(),
            "Install Dossier's schema, and run dossier-edge doctor.",
        ));
    };
    let largest = app.upload.max_bytes.map_or(max_file_bytes, |own| own.min(max_file_bytes));
    if app.request_max_bytes < largest {
        return Err((
            format!(
                "files may have {largest} bytes, but this edge refuses requests of more than {} (REQUEST_MAX_BYTES)",
                app.request_max_bytes
            ),
            "Raise REQUEST_MAX_BYTES above the largest file, or set a smaller UPLOAD_MAX_BYTES.",
        ));
    }
    if (app.upload.json_max_bytes as u64) < max_context_bytes {
        return Err((
            format!(
                "contexts may have {max_context_bytes} bytes, but this edge refuses JSON of more than {} (JSON_MAX_BYTES)",
                app.upload.json_max_bytes
            ),
            "Raise JSON_MAX_BYTES to twice the limit of the database (max_context_bytes), or lower that limit.",
        ));
    }
    Ok(match app.upload.max_bytes {
        None => format!("files of up to {max_file_bytes} bytes (max_file_bytes of the database)"),
        Some(own) if own < max_file_bytes => {
            format!("files of up to {own} bytes (UPLOAD_MAX_BYTES); the database accepts {max_file_bytes}")
        }
        Some(own) => format!(
            "files of up to {max_file_bytes} bytes (max_file_bytes of the database, below UPLOAD_MAX_BYTES of {own})"
        ),
    })
}

/// Whether every limit of the edge can apply.
fn shares(config: &Config) -> Finding {
    let conflicts = conflicts(config);
    if conflicts.is_empty() {
        let (database, upload) = (&config.database, &config.upload.places);
        return Ok(format!(
            "{} of {} connections and {} of {} uploads per user",
            database.per_user, database.pool_size, upload.per_user, upload.total
        ));
    }
    Err((conflicts.join("; "), "Lower the first limit of each sentence, or raise the second."))
}

async fn notifications(config: &Config) -> Finding {
    let (sender, mut heard) = mpsc::channel(1);
    let stop = CancellationToken::new();
    let listening = tokio::spawn(crate::db::listen(
        config.database.listen.clone(),
        &["dossier_jobs"],
        sender,
        stop.clone(),
    ));
    let first = timeout(Duration::from_secs(10), heard.recv()).await;
    stop.cancel();
    listening.abort();
    match first {
        Ok(Some(crate::db::Notification::Listening)) => Ok("listening".to_owned()),
        _ => Err((
            "LISTEN does not work on this connection".to_owned(),
            "Set DATABASE_LISTEN_URL to a direct connection, or to a pooler in session mode.",
        )),
    }
}

async fn extraction(app: &App, config: &Config) -> Finding {
    if config.extract.workers == 0 {
        return Ok("none at this edge (EXTRACT_WORKERS is 0)".to_owned());
    }
    let native = jobs::is_native(app).await.unwrap_or(false);
    match (config.extract.mode, native) {
        (ExtractMode::Auto | ExtractMode::Database, true) => Ok("in the database".to_owned()),
        (ExtractMode::Database, false) => Err((
            "the database cannot extract, because it has no function dossier.run_job".to_owned(),
            "Install the native extension (create extension dossier), or set EXTRACT_MODE=edge.",
        )),
        (ExtractMode::Auto | ExtractMode::Edge, _) => {
            let config = config.extract.clone();
            let program = config.program.display().to_string();
            match tokio::task::spawn_blocking(move || jobs::try_program(&config)).await {
                Ok(Ok(isolation)) => Ok(format!("at the edge, with {program} ({})", isolated(&isolation))),
                Ok(Err(error)) => Err((
                    error.to_string(),
                    "Put dossier-extract-worker in the same folder as this program, or set DOSSIER_EXTRACT_WORKER. If \
                     the kernel lacks a sandbox layer, EXTRACT_SANDBOX=accept-missing runs with weaker isolation.",
                )),
                Err(error) => Err((error.to_string(), "Run the check again.")),
            }
        }
    }
}

/// The sandbox of the worker, layer by layer.
fn isolated(isolation: &Isolation) -> String {
    let mut parts = Vec::new();
    parts.push(if isolation.missing.is_empty() {
        "sandbox complete".to_owned()
    } else {
        format!("MISSING sandbox layers: {}", isolation.missing.join("; "))
    });
    if !isolation.further.is_empty() {
        parts.push(format!("also: {}", isolation.further.join(", ")));
    }
    if !isolation.unavailable.is_empty() {
        parts.push(format!("not on this host: {}", isolation.unavailable.join("; ")));
    }
    parts.join("; ")
}

/// OCR is optional: without it, documents that need it get an error that says so.
async fn ocr(app: &App, config: &Config) -> Finding {
    if config.extract.workers == 0 {
        return Ok("none at this edge (EXTRACT_WORKERS is 0)".to_owned());
    }
    if config.extract.mode != ExtractMode::Edge && jobs::is_native(app).await.unwrap_or(false) {
        return Ok(match jobs::database_ocr(app).await {
            Ok(()) => "in the database, in the languages of dossier.ocr_languages".to_owned(),
            Err(error) => format!("none in the database, images are not read: {}", Chain(&error)),
        });
    }
    let extract = config.extract.clone();
    let languages = extract.ocr.languages.clone();
    match tokio::task::spawn_blocking(move || jobs::edge_ocr(&extract)).await {
        Ok(Ok(())) => Ok(format!("at the edge, in {languages}")),
        Ok(Err(error)) => Ok(format!("none, images are not read: {error}")),
        Err(error) => Err((error.to_string(), "Run the check again.")),
    }
}

async fn keys(app: &App) -> Finding {
    let Some(jwks) = app.verifier.jwks() else { return Ok("HS256 with JWT_SECRET".to_owned()) };
    match jwks.refresh().await {
        Ok(_) if jwks.len() > 0 => Ok(format!("{} public keys", jwks.len())),
        Ok(_) => Err((
            "the JWKS document contains no key for ES256, RS256 or EdDSA".to_owned(),
            "Create an asymmetric signing key in the auth server, or set JWT_SECRET.",
        )),
        Err(error) => Err((error.to_string(), "Check JWKS_URL, and that the auth server is running.")),
    }
}

async fn stack(config: &Config) -> Finding {
    let Some(upstream) = &config.listener.upstream else {
        return Ok("none (SUPABASE_URL is not set)".to_owned());
    };
    let connect = TcpStream::connect((upstream.host.as_str(), upstream.port));
    match timeout(Duration::from_secs(5), connect).await {
        Ok(Ok(_)) => Ok(format!("{} responds", upstream.authority)),
        Ok(Err(error)) => Err((error.to_string(), "Check SUPABASE_URL, and that the stack is running.")),
        Err(_) => Err(("connecting timed out".to_owned(), "Check SUPABASE_URL and the network.")),
    }
}

/// A port that an edge uses is fine: a configuration may be checked while its edge runs.
async fn port(config: &Config) -> Finding {
    let address = config.listener.listen;
    match crate::listener::bind(address) {
        Ok(_) => Ok(format!("{address} is free")),
        Err(_) if is_edge(address).await => Ok(format!("{address} is in use by an edge, which responds")),
        Err(error) => Err((
            format!("{address}: {error}"),
            "Set LISTEN to a free port, or stop the program that uses it.",
        )),
    }
}

/// Whether an edge of this version listens there, by the body of its /healthz.
async fn is_edge(address: SocketAddr) -> bool {
    let request = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut response = String::new();
        stream.take(4096).read_to_string(&mut response).await?;
        Ok::<_, std::io::Error>(response)
    };
    let response = timeout(Duration::from_secs(2), request).await;
    response.is_ok_and(|read| read.is_ok_and(|response| response.trim_end().ends_with(&health::healthy())))
}
