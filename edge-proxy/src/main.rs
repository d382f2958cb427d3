//! The edge.
fn main() {}
