//! The Postgres extension's library: the extract client as SQL functions.
//!
//! `sql/native.sql` declares each `#[pg_extern]` function to Postgres; `scripts/build.sh` puts the install script together
//! from `sql/` of the repository and `sql/` of this crate.
//!
//! Invariant: nothing in the repository's `sql/` calls a native function; hosted Supabase installs it without this library.
//! Invariant: no byte of a user's file is parsed in a backend; see [`extraction`].

mod errors;
mod extraction;
mod functions;
mod settings;
mod slots;
mod stored;

use pgrx::prelude::*;

::pgrx::pg_module_magic!(name, version);

#[pg_guard]
extern "C-unwind" fn _PG_init() {
    settings::define();
}
