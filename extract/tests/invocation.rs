//! What the parent writes, the worker reads.

use dossier_extract::{Invocation, Limits, PdfEngine, Request, Sandbox, Task};
use std::time::Duration;

#[test]
fn an_invocation_survives_the_argument_list() {
    let limits = Limits {
        input_bytes: 1,
        output_bytes: 2,
        memory_bytes: u64::MAX,
        inflate_bytes: 4,
        pages: 5,
        cpu_seconds: 6,
        wall: Limits::default().wall,
    };
    for engine in PdfEngine::ALL.map(Some).into_iter().chain([None]) {
        for media_type in [None, Some("text/plain; charset=\"a=b\"".to_owned()), Some(String::new())] {
            for (task, sandbox) in [(Task::Extract, Sandbox::Require), (Task::Detect, Sandbox::AcceptMissing)]
            {
                let request =
                    Request { media_type: media_type.clone(), pdf_engine: engine, ..Request::default() };
                let invocation = Invocation { task, request, limits, sandbox };
                assert_eq!(Invocation::from_arguments(invocation.to_arguments()), Ok(invocation));
            }
        }
    }
}

#[test]
fn the_deadline_stays_with_the_parent() {
    let limits = Limits { wall: Duration::from_secs(1), ..Limits::default() };
    let invocation = Invocation { limits, ..Invocation::default() };
    assert_eq!(Invocation::from_arguments(invocation.to_arguments()), Ok(Invocation::default()));
}

#[test]
fn unknown_arguments_are_refused() {
    for argument in
        ["--surprise", "--pages=many", "--pages=-1", "--pages=4294967296", "--pdf-engine=best", "file"]
    {
        assert!(Invocation::from_arguments([argument]).is_err(), "{argument}");
    }
}
