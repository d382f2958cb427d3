//! Commands for operators: `check` tries the configuration, `doctor` examines the database.

pub(crate) mod check;
pub(crate) mod doctor;
mod shares;
