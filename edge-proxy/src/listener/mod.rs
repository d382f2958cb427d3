//! The public port: which requests are admitted, and where they go.
//!
//! A pingora proxy in this process's own runtime. The axum service responds to `/api`, `/`, `/healthz` and `/readyz` inside the
//! client's session. Supabase's paths go to the stack behind. Each response has a request id, each request one log line.
//! Invariant: reads no body and knows no token. It only counts, describes the client, forwards and refuses.

mod admission;
mod api;
mod connection;
mod cors;
mod feed;
mod forwarded;
mod framing;
mod location;
mod pace;
mod proxy;
mod rate;
mod request_id;
mod respond;
mod serve;
mod target;
mod unread;
mod upstream;

pub(crate) use serve::{Server, bind};
