//! Workers that are small shell scripts.

#![allow(dead_code, reason = "each test program uses only some of these")]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use dossier_extract::Extractor;
use std::path::PathBuf;

/// An extractor whose worker is a script that begins with the greeting.
pub(crate) fn scripted(name: &str, script: &str) -> Extractor {
    mute(name, &format!("echo '{HELLO}'\n{script}"))
}

/// An extractor whose worker is a script.
pub(crate) fn mute(name: &str, script: &str) -> Extractor {
    Extractor::new(executable(name, script))
}

pub(crate) const HELLO: &str = r#"{"reply":"hello","protocol":3}"#;

/// Another process writes the script. If this process held it open for writing, a test that forks at that
/// moment would hold it open too, and it could not be executed ("text file busy").
fn executable(name: &str, script: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.sh"));
    let text = format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n");
    #[expect(clippy::disallowed_methods, reason = "writes a worker")]
    let written = std::process::Command::new("/bin/sh")
        .args(["-c", "printf %s \"$2\" > \"$1\" && chmod 755 \"$1\"", "sh"])
        .arg(&path)
        .arg(text)
        .status();
    assert!(written.unwrap().success());
    path
}

/// A page reply.
pub(crate) fn page(number: u32, text: &str) -> String {
    format!(
        r#"{{"reply":"page","page":{number},"text":"{text}","source":"text","confidence":null,"engine":"test"}}"#
    )
}

pub(crate) const DONE: &str = r#"{"reply":"done","media_type":"text/plain"}"#;
