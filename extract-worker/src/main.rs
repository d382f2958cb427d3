//! The extraction worker.
fn main() {}
