//! Commands for operators that do not serve: `check` tries this configuration, `doctor` examines the database.

pub(crate) mod check;
pub(crate) mod doctor;
