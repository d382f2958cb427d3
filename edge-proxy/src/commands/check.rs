//! `dossier-edge check`: checks everything that a configuration needs, one line each, with a fix for each failure.

use crate::app::App;
use crate::config::{Config, ExtractMode};
use crate::db::{Caller, DbError, Role};
use crate::http::Chain;
use crate::resources::health;
use crate::work::jobs;
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
    println!("ok      configuration");
    let app = match App::new(&config) {
        Ok(app) => app,
        Err(error) => return report(&[("database", Err((error.to_string(), "Fix DATABASE_URL.")))]),
    };
    let mut findings = vec![("database", database(&app).await)];
    if findings[0].1.is_ok() {
        findings.push(("roles", roles(&app).await));
        findings.push(("schema", schema(&app).await));
        findings.push(("notifications", notifications(&config).await));
        findings.push(("extraction", extraction(&app, &config).await));
        findings.push(("OCR", ocr(&app, &config).await));
    }
    findings.push(("keys", keys(&app).await));
    findings.push(("Supabase stack", stack(&config).await));
    findings.push(("port", port(&config).await));
    report(&findings)
}

fn report(findings: &[(&str, Finding)]) -> ExitCode {
    let mut all = true;
    for (what, finding) in findings {
        match finding {
            Ok(detail) => println!("ok      {what}: {detail}"),
            Err((problem, fix)) => {
                all = false;
                println!("MISSING {what}: {problem}\n        {fix}");
            }
        }
    }
    if all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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
    match app.db.rows(&Caller::new(Role::Anon, "{}"), ASK, &[]).await {
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
        if let Err(error) = app.db.rows(&Caller::new(role, "{}"), "select 1", &[]).await {
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
                Ok(Ok(())) => Ok(format!("at the edge, with {program}")),
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
    response.is_ok_and(|read| read.is_ok_and(|response| response.ends_with(&health::healthy())))
}
