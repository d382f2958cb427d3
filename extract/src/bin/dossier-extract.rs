//! The command-line face of the extract client.
fn main() {}
