//! The public port: what is let in, and where it goes.
//!
//! A pingora proxy in this process's own runtime. `/api` (and `/`, `/healthz`, `/readyz`) go to the axum
//! service over a Unix socket, Supabase's paths to the stack behind; each answer has a request id, each
//! request one log line.
//! Invariant: reads no body and knows no token; it only counts, forwards and says no.

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
