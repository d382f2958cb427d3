//! The Postgres extension's library: the extract client as SQL functions.
//!
//! `sql/native.sql` declares each `#[pg_extern]` function to Postgres. `scripts/build.sh` builds the install script from the
//! repository's `sql/` and this crate's `sql/`.
//!
//! Invariant: nothing in the repository's `sql/` calls a native function. Hosted Supabase installs it without this library.
//! Invariant: no byte of a user's file is parsed in a backend. See [`extraction`].

mod errors;
mod extraction;
mod functions;
mod job;
mod settings;
mod slots;
mod snapshot;
mod stored;

use pgrx::prelude::*;

::pgrx::pg_module_magic!(name, version);

#[pg_guard]
extern "C-unwind" fn _PG_init() {
    settings::define();
}
