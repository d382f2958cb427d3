//! `dossier-edge check`: tries what a configuration needs, one line each, and how to mend what is missing.

use crate::app::App;
use crate::config::{Config, ExtractMode};
use crate::db::{Caller, DbError, Role};
use crate::http::Chain;
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

/// Exit code 0 when everything is there.
pub(crate) async fn run(config: Config) -> ExitCode {
    println!("ok      configuration");
    let app = match App::new(&config) {
        Ok(app) => app,
        Err(error) => return report(&[("database", Err((error.to_string(), "Mend DATABASE_URL.")))]),
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
    findings.push(("stack behind", stack(&config).await));
    findings.push(("port", port(&config).await));
    report(&findings)
}

fn report(findings: &[(&str, Finding)]) -> ExitCode {
    let mut all = true;
    for (what, finding) in findings {
        match finding {
            Ok(detail) => println!("ok      {what}: {detail}"),
            Err((problem, mend)) => {
                all = false;
                println!("MISSING {what}: {problem}\n        {mend}");
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
                "Check host, port, password and sslmode in DATABASE_URL, and that Postgres runs.",
            ));
        }
    }
    match app.db.rows(&Caller::new(Role::Anon, "{}"), ASK, &[]).await {
        Ok(rows) => Ok(rows.first().map_or_else(String::new, |row| {
            let (version, login): (String, String) =
                (row.try_get(0).unwrap_or_default(), row.try_get(1).unwrap_or_default());
            format!("PostgreSQL {version} as {login}")
        })),
        // The roles are the next finding.
        Err(DbError::Identity(_)) => Ok("answers".to_owned()),
        Err(error) => Err((Chain(&error).to_string(), "Look into the database's log.")),
    }
}

async fn roles(app: &App) -> Finding {
    for role in [Role::Anon, Role::Authenticated, Role::Service] {
        if let Err(error) = app.db.rows(&Caller::new(role, "{}"), "select 1", &[]).await {
            return Err((
                format!("the login role cannot become {}: {}", role.as_str(), Chain(&error)),
                "As a superuser: psql -f docker/roles.sql, and connect as authenticator (hosted: as postgres).",
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
            "the schema dossier is missing, or not granted".to_owned(),
            "CREATE EXTENSION dossier; or, on hosted Supabase, push dist/dossier--<version>.sql as a migration.",
        )),
        Err(error) => {
            Err((Chain(&error).to_string(), "Install Dossier's schema, and grant it to the roles."))
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
            "cannot listen".to_owned(),
            "Set DATABASE_LISTEN_URL to a direct connection or a pooler in session mode.",
        )),
    }
}

async fn extraction(app: &App, config: &Config) -> Finding {
    if config.extract.workers == 0 {
        return Ok("none here (EXTRACT_WORKERS is 0)".to_owned());
    }
    let native = jobs::is_native(app).await.unwrap_or(false);
    match (config.extract.mode, native) {
        (ExtractMode::Auto | ExtractMode::Database, true) => Ok("in the database".to_owned()),
        (ExtractMode::Database, false) => Err((
            "the database cannot extract: it has no dossier.run_job".to_owned(),
            "CREATE EXTENSION dossier with its native part, or set EXTRACT_MODE=edge.",
        )),
        (ExtractMode::Auto | ExtractMode::Edge, _) => {
            let config = config.extract.clone();
            let program = config.program.display().to_string();
            match tokio::task::spawn_blocking(move || jobs::try_program(&config)).await {
                Ok(Ok(())) => Ok(format!("at the edge, with {program}")),
                Ok(Err(error)) => Err((
                    error.to_string(),
                    "Put dossier-extract-worker beside this program, or set DOSSIER_EXTRACT_WORKER; on an old \
                     kernel, EXTRACT_SANDBOX=accept-missing accepts a weaker sandbox.",
                )),
                Err(error) => Err((error.to_string(), "Try again.")),
            }
        }
    }
}

/// OCR need not be there: documents whose words are in pictures then say so.
async fn ocr(app: &App, config: &Config) -> Finding {
    if config.extract.workers == 0 {
        return Ok("none here (EXTRACT_WORKERS is 0)".to_owned());
    }
    if config.extract.mode != ExtractMode::Edge && jobs::is_native(app).await.unwrap_or(false) {
        return Ok(match jobs::database_ocr(app).await {
            Ok(()) => "in the database, in the languages of dossier.ocr_languages".to_owned(),
            Err(error) => format!("none in the database; pictures are not read: {}", Chain(&error)),
        });
    }
    let extract = config.extract.clone();
    let languages = extract.ocr.languages.clone();
    match tokio::task::spawn_blocking(move || jobs::edge_ocr(&extract)).await {
        Ok(Ok(())) => Ok(format!("at the edge, in {languages}")),
        Ok(Err(error)) => Ok(format!("none; pictures are not read: {error}")),
        Err(error) => Err((error.to_string(), "Try again.")),
    }
}

async fn keys(app: &App) -> Finding {
    let Some(jwks) = app.verifier.jwks() else { return Ok("HS256 by JWT_SECRET".to_owned()) };
    match jwks.refresh().await {
        Ok(_) if jwks.len() > 0 => Ok(format!("{} public keys", jwks.len())),
        Ok(_) => Err((
            "the JWKS document has no key for ES256, RS256 or EdDSA".to_owned(),
            "Create an asymmetric signing key in the auth server, or use JWT_SECRET.",
        )),
        Err(error) => Err((error.to_string(), "Check JWKS_URL, and that the auth server runs.")),
    }
}

async fn stack(config: &Config) -> Finding {
    let Some(upstream) = &config.listener.upstream else {
        return Ok("none (SUPABASE_URL is not set)".to_owned());
    };
    let connect = TcpStream::connect((upstream.host.as_str(), upstream.port));
    match timeout(Duration::from_secs(5), connect).await {
        Ok(Ok(_)) => Ok(format!("{} answers", upstream.authority)),
        Ok(Err(error)) => Err((error.to_string(), "Check SUPABASE_URL, and that the stack runs.")),
        Err(_) => Err(("no answer in time".to_owned(), "Check SUPABASE_URL and the network.")),
    }
}

/// A port that is taken by an edge is as it should be: this one is checked while another runs.
async fn port(config: &Config) -> Finding {
    let address = config.listener.listen;
    match crate::listener::bind(address) {
        Ok(_) => Ok(format!("{address} is free")),
        Err(_) if is_edge(address).await => Ok(format!("{address} is taken, by an edge that answers there")),
        Err(error) => {
            Err((format!("{address}: {error}"), "Set LISTEN to a free port, or stop what listens there."))
        }
    }
}

/// Whether what listens there says of its health what an edge does.
async fn is_edge(address: SocketAddr) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        stream.take(4096).read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = timeout(Duration::from_secs(2), ask).await;
    answer
        .is_ok_and(|answer| answer.is_ok_and(|answer| answer.ends_with(&crate::resources::health::healthy())))
}
