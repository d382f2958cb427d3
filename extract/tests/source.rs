//! A source cannot be changed once it is created.

use dossier_extract::Source;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;

#[test]
fn a_source_is_sealed() {
    let source = Source::from_bytes(b"as it is").unwrap();
    let mut file = File::from(source.as_fd().try_clone_to_owned().unwrap());
    assert!(file.write_all(b"changed").is_err());
    assert!(file.set_len(0).is_err());
    let mut bytes = String::new();
    file.read_to_string(&mut bytes).unwrap();
    assert_eq!(bytes, "as it is");
}

#[test]
fn a_reader_over_the_limit_is_not_read_to_the_end() {
    let source = Source::from_reader(std::io::repeat(b'x'), 1000).unwrap();
    assert_eq!(source.len(), 1001);
}
