//! The public port: which requests are admitted, and where they go.
//!
//! A pingora proxy in this process's own runtime. `/api`, `/`, `/healthz` and `/readyz` go to the axum service over a Unix
//! socket, Supabase's paths to the stack behind. Each response has a request id, each request one log line.
//! Invariant: reads no body and knows no token. It only counts, forwards and refuses.

mod connection;
mod cors;
pub(crate) mod internal_server;
mod proxy;
mod rate;
mod respond;
mod serve;
mod target;
mod upstream;

pub(crate) use serve::{Server, bind};
