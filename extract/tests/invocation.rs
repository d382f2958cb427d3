//! The worker parses exactly what the parent writes.

use dossier_extract::{Invocation, Languages, Limits, PdfEngine, Recognition, Request, Sandbox, Task};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

#[test]
fn an_invocation_survives_the_argument_list() {
    let limits = Limits {
        input_bytes: 1,
        output_bytes: 2,
        memory_bytes: u64::MAX,
        inflate_bytes: 4,
        pages: 5,
        pixels: 7,
        threads: 8,
        cpu_seconds: 6,
        wall: Limits::default().wall,
    };
    for engine in PdfEngine::ALL.map(Some).into_iter().chain([None]) {
        for media_type in [None, Some("text/plain; charset=\"a=b\"".to_owned()), Some(String::new())] {
            for (task, sandbox) in tasks() {
                let request =
                    Request { media_type: media_type.clone(), pdf_engine: engine, ..Request::default() };
                let invocation = Invocation { task, request, limits, sandbox };
                assert_eq!(Invocation::from_arguments(invocation.to_arguments()), Ok(invocation));
            }
        }
    }
}

fn tasks() -> [(Task, Sandbox); 5] {
    let recognition = Recognition {
        pages: vec![1, 3, 4_000_000_000],
        languages: "eng+script/Latin".parse().unwrap_or_default(),
        tessdata: Some(OsStr::from_bytes(b"/data=with\xff odd--name").into()),
        preferred: Some("deu".to_owned()),
        page_time: Duration::from_millis(1500),
    };
    let few = Recognition { pages: vec![7], ..Recognition::default() };
    [
        (Task::Extract, Sandbox::Require),
        (Task::Detect, Sandbox::AcceptMissing),
        (Task::Thumbnail { side: 512 }, Sandbox::Require),
        (Task::Recognize(recognition), Sandbox::Require),
        (Task::Recognize(few), Sandbox::AcceptMissing),
    ]
}

#[test]
fn languages_cannot_leave_the_data_directory() {
    for valid in ["eng", "eng+deu", "chi_sim+script/Latin"] {
        assert_eq!(valid.parse::<Languages>().map(|languages| languages.to_string()), Ok(valid.to_owned()));
    }
    let long = "x".repeat(33);
    let many = ["eng"; 9].join("+");
    for bad in ["", "+", "eng+", "../eng", "/etc/passwd", "eng/", "a//b", "eng.x", "eng deu", &long, &many] {
        assert!(bad.parse::<Languages>().is_err(), "{bad}");
    }
}

#[test]
fn the_deadline_is_not_sent_to_the_worker() {
    let limits = Limits { wall: Duration::from_secs(1), ..Limits::default() };
    let invocation = Invocation { limits, ..Invocation::default() };
    assert_eq!(Invocation::from_arguments(invocation.to_arguments()), Ok(Invocation::default()));
}

#[test]
fn unknown_arguments_are_rejected() {
    for argument in [
        "--surprise",
        "--pages=many",
        "--pages=-1",
        "--pages=4294967296",
        "--pdf-engine=best",
        "--recognize=",
        "--languages=eng",
        "file",
    ] {
        assert!(Invocation::from_arguments([argument]).is_err(), "{argument}");
    }
}
