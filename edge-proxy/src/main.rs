//! `dossier-edge`: streaming uploads, sessions and documents in front of a Supabase stack.
//!
//! Read in this order: `routes` (what there is), `upload::handler` (one upload, straight down), `db` (how
//! a statement runs as its caller), `auth` (who that is), `gate` (what is let in), `jobs` (how text gets
//! extracted).

mod api;
mod app;
mod auth;
mod check;
mod config;
mod context;
mod db;
mod doctor;
mod documents;
mod error;
mod events;
mod gate;
mod health;
mod home;
mod jobs;
mod logs;
mod page;
mod prefer;
mod request;
mod routes;
mod run;
mod search;
mod sessions;
mod transfer;
mod upload;
mod wait;

use clap::Parser;
use config::{Args, Task};
use std::process::ExitCode;

fn main() -> ExitCode {
    few_heaps();
    let task = match Task::from_args(Args::parse()) {
        Ok(task) => task,
        Err(error) => {
            eprintln!("dossier-edge: {error}");
            return ExitCode::from(2);
        }
    };
    logs::start(task.log());
    // Everything that speaks TLS in this process uses this provider; a second installation cannot happen.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("dossier-edge: cannot start threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    match task {
        Task::Check(config) => runtime.block_on(check::run(*config)),
        Task::Doctor { database, json, .. } => runtime.block_on(doctor::run(&database, json)),
        Task::Serve(config) => match runtime.block_on(run::run(*config)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!("{error}");
                ExitCode::FAILURE
            }
        },
    }
}

/// Two heaps instead of eight a core: every heap keeps its own high-water mark, and what one thread freed
/// would not serve the next.
fn few_heaps() {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets a parameter of the allocator, before there is another thread.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}
