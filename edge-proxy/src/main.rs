//! `dossier-edge`: streaming uploads, sessions and documents in front of a Supabase stack.
//!
//! Read in this order: `routes` (the API), `resources::upload::handler` (one upload from start to end), `db` (how a statement
//! runs as its caller), `fair` (whose turn it is), `auth` (how a token becomes a caller), `listener` (which requests are
//! admitted), `work::jobs` (how text is extracted).

mod app;
mod auth;
mod commands;
mod config;
mod db;
mod fair;
mod http;
mod lifecycle;
mod listener;
mod logs;
mod open_files;
mod openapi;
mod resources;
mod routes;
mod sha256;
mod work;

use clap::Parser;
use commands::{check, doctor};
use config::{Args, Task};
use std::process::ExitCode;

fn main() -> ExitCode {
    limit_heaps();
    open_files::raise_limit();
    let task = match Task::from_args(Args::parse()) {
        Ok(task) => task,
        Err(error) => {
            eprintln!("dossier-edge: {error}");
            return ExitCode::from(2);
        }
    };
    logs::start(task.log());
    // All TLS in this process uses this provider. It is only installed here, so this cannot fail.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("dossier-edge: starting threads failed: {error}");
            return ExitCode::FAILURE;
        }
    };
    match task {
        Task::Check(config) => runtime.block_on(check::run(*config)),
        Task::Doctor { database, json, .. } => runtime.block_on(doctor::run(&database, json)),
        Task::Openapi { .. } => {
            print!("{}", openapi::text());
            ExitCode::SUCCESS
        }
        Task::Serve(config) => match runtime.block_on(lifecycle::serve(*config)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!("{error}");
                ExitCode::FAILURE
            }
        },
    }
}

/// One heap for each core and two for other threads, instead of eight per core. Each heap keeps its own high-water mark, and
/// memory that one thread freed would not serve another. With fewer heaps, the threads that serve requests wait for each
/// other to allocate.
fn limit_heaps() {
    #[cfg(target_env = "gnu")]
    let heaps = std::thread::available_parallelism().map_or(2, usize::from) + 2;
    #[cfg(target_env = "gnu")]
    // SAFETY: sets a parameter of the allocator before any other thread exists.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, libc::c_int::try_from(heaps).unwrap_or(4));
    }
}
