//! The client against workers that misbehave. Each worker is a small shell script: what matters is what a
//! worker sends and how it dies, not why.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{DONE, HELLO, mute, page, scripted};
use dossier_extract::{
    ExtractError, Extraction, Extractor, LanguageSoFar, Limits, PagesRead, Request, Source, Tick,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Nothing here takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

fn extract(extractor: &Extractor) -> Result<Extraction, ExtractError> {
    let source = Source::from_bytes(b"the file").unwrap();
    let started = Instant::now();
    let outcome = extractor.extract(&source, &Request::default(), || Tick::Continue);
    assert!(started.elapsed() < PATIENCE, "it took {:?}", started.elapsed());
    outcome
}

fn says(name: &str, lines: &[&str]) -> Result<Extraction, ExtractError> {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.replies"));
    fs::write(&path, lines.join("\n")).unwrap();
    extract(&scripted(name, &format!("cat '{}'", path.display())))
}

#[track_caller]
fn assert_crashed(outcome: Result<Extraction, ExtractError>, how: &str) {
    match outcome {
        Err(ExtractError::Crashed { how: found }) => assert!(found.contains(how), "found: {found}"),
        other => panic!("expected a crash with '{how}', found {other:?}"),
    }
}

/// Waits until `condition` holds; panics on timeout.
#[track_caller]
fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "timed out waiting until {what}");
        std::thread::yield_now();
    }
}

fn is_alive(pid: &str) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !state.is_empty() && !state.contains(") Z ")
}

/// A worker that writes its pid to a file and then never exits.
fn endless(name: &str) -> (Extractor, PathBuf) {
    let pid_file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.pid"));
    let _ = fs::remove_file(&pid_file);
    let script =
        format!("echo $$ > '{0}.draft' && mv '{0}.draft' '{0}'; exec sleep 1000", pid_file.display());
    (scripted(name, &script), pid_file)
}

fn pid_in(file: &Path) -> Option<String> {
    Some(fs::read_to_string(file).ok()?.trim().to_owned())
}

#[test]
fn pages_arrive_in_order() {
    let extraction = says("good", &[&page(1, "one"), &page(2, "two"), DONE, ""]).unwrap();
    assert_eq!(extraction.media_type, "text/plain");
    let texts: Vec<&str> = extraction.pages.iter().map(|page| page.text.as_str()).collect();
    assert_eq!(texts, ["one", "two"]);
}

const LANGUAGE: &str = r#"{"reply":"language","language":"eng"}"#;

/// What `extract_text_each` passes on, until `each` stops it, and its result.
fn extract_each(
    extractor: &Extractor,
    mut each: impl FnMut(&PagesRead) -> Tick,
) -> (Vec<PagesRead>, Result<Extraction, ExtractError>) {
    let source = Source::from_bytes(b"the file").unwrap();
    let mut passed_on = Vec::new();
    let receive = |read: PagesRead| {
        let tick = each(&read);
        passed_on.push(read);
        tick
    };
    let outcome = extractor.extract_text_each(&source, &Request::default(), receive, || Tick::Continue);
    (passed_on, outcome)
}

#[test]
fn pages_are_passed_on_while_the_worker_reads_others() {
    let seen = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("each.seen");
    let _ = fs::remove_file(&seen);
    let script = format!(
        "echo '{}'; echo '{LANGUAGE}'; echo '{}'; until [ -e '{}' ]; do sleep 0.01; done; echo '{}'; echo '{DONE}'",
        page(1, "one"),
        page(2, "two"),
        seen.display(),
        page(3, "three"),
    );
    let (passed_on, outcome) = extract_each(&scripted("each", &script), |read| {
        if read.pages.iter().any(|page| page.page == 2) {
            fs::write(&seen, "").unwrap();
        }
        Tick::Continue
    });
    assert!(outcome.unwrap().pages.is_empty(), "no page is returned twice");
    let pages: Vec<u32> = passed_on.iter().flat_map(|read| &read.pages).map(|page| page.page).collect();
    assert_eq!(pages, [1, 2, 3]);
    let last = passed_on.last().unwrap();
    assert_eq!(
        (last.pages.len(), last.language.clone()),
        (1, LanguageSoFar::Decided(Some("eng".to_owned())))
    );
}

#[test]
fn a_worker_that_fails_after_some_pages_has_failed() {
    let failed = r#"{"reply":"failed","code":"malformed","reason":"it ends early"}"#;
    let script = format!("echo '{}'; echo '{failed}'", page(1, "one"));
    let (_, outcome) = extract_each(&scripted("half", &script), |_| Tick::Continue);
    assert!(matches!(outcome, Err(ExtractError::Malformed { .. })), "{outcome:?}");
}

#[test]
fn a_receiver_of_pages_can_stop_the_worker() {
    let script = format!("echo '{}'; exec sleep 1000", page(1, "one"));
    let (passed_on, outcome) = extract_each(&scripted("stopped", &script), |_| Tick::Stop);
    assert!(matches!(outcome, Err(ExtractError::Cancelled)), "{outcome:?}");
    assert_eq!(passed_on.len(), 1);
}

#[test]
fn an_invalid_language_is_a_crash() {
    assert_crashed(says("twice", &[LANGUAGE, LANGUAGE, DONE, ""]), "a language that was not requested");
    let odd = LANGUAGE.replace("eng", "en gl");
    assert_crashed(says("odd_language", &[&odd, DONE, ""]), "an invalid name");
}

#[test]
fn the_worker_gets_the_file_and_nothing_else() {
    let script = r#"
        [ "$(cat)" = "the file" ] || exit 3
        [ "$PWD" = / ] || exit 4
        [ -z "$HOME$USER$CARGO_MANIFEST_DIR" ] || exit 5
        echo '{"reply":"done","media_type":"text/plain"}'"#;
    assert!(extract(&scripted("frugal", script)).is_ok());
}

#[test]
fn one_source_can_be_extracted_by_many_threads_at_once() {
    let extractor = scripted("shared", &format!("cat > /dev/null; echo '{DONE}'"));
    let source = Source::from_bytes(&vec![b'x'; 100_000]).unwrap();
    std::thread::scope(|scope| {
        let extract = || extractor.extract(&source, &Request::default(), || Tick::Continue);
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(extract)).collect();
        for thread in threads {
            assert!(thread.join().unwrap().is_ok());
        }
    });
}

#[test]
fn a_protocol_violation_is_a_crash() {
    assert_crashed(says("garbage", &["garbage", ""]), "a malformed reply");
    assert_crashed(says("nothing", &[""]), "no reply");
    assert_crashed(says("unfinished", &[&page(1, "one"), ""]), "no reply");
    assert_crashed(says("cut", &[&page(1, "one"), r#"{"reply":"done","media_"#]), "no reply");
    assert_crashed(says("after", &[DONE, &page(1, "one"), ""]), "a reply after the final one");
    assert_crashed(extract(&scripted("random", "head -c 100000 /dev/urandom; echo")), "a malformed reply");
}

#[test]
fn invalid_pages_are_a_crash() {
    assert_crashed(says("gap", &[&page(1, "one"), &page(3, "three"), DONE, ""]), "out of order");
    assert_crashed(says("zero", &[&page(0, "zero"), DONE, ""]), "out of order");
    assert_crashed(says("control", &[&page(1, r"a\u0000b"), DONE, ""]), "control characters");
    assert_crashed(says("escape", &[&page(1, r"a\u001b[31mb"), DONE, ""]), "control characters");
    let confident = page(1, "one").replace("null", "1e9");
    assert_crashed(says("confident", &[&confident, DONE, ""]), "confidence");
    assert_crashed(says("odd", &[r#"{"reply":"done","media_type":"text/pl ain"}"#, ""]), "an invalid name");
}

#[test]
fn an_invalid_structure_is_a_crash() {
    let table = r#"{"rows":2,"columns":2,"header_rows":1,"evidence":"grid","confidence":0.9,"box":[1,2,3,4],"cells":[CELL]}"#;
    let with = |name: &str, structure: &str| {
        let page = page(1, "words")
            .replace(r#""engine":"test""#, &format!(r#""engine":"test","structure":{structure}"#));
        says(name, &[&page, DONE, ""])
    };
    let with_cell =
        |name: &str, cell: &str| with(name, &format!(r#"{{"tables":[{}]}}"#, table.replace("CELL", cell)));
    let cell = r#"{"row":1,"column":0,"row_span":1,"column_span":2,"text":"a","box":[1,2,3,4]}"#;
    let read = with_cell("valid", cell).unwrap().pages.remove(0).structure.unwrap();
    assert_eq!((read.tables[0].cells[0].columns, read.tables[0].cells[0].text.as_str()), (2, "a"));

    let broken = "an invalid structure";
    assert_crashed(with("level", r#"{"headings":[{"level":7,"text":"a"}]}"#), broken);
    assert_crashed(with("title", r#"{"headings":[{"level":1,"text":"a\u0000"}]}"#), broken);
    assert_crashed(with("markdown", r##"{"markdown":"# a\u0007"}"##), broken);
    assert_crashed(with("head", r#"{"running_heads":["a\u001b"]}"#), broken);
    assert_crashed(with_cell("outside", &cell.replace(r#""row":1"#, r#""row":2"#)), broken);
    assert_crashed(with_cell("wide", &cell.replace(r#""column_span":2"#, r#""column_span":3"#)), broken);
    assert_crashed(
        with_cell("endless", &cell.replace(r#""row_span":1"#, r#""row_span":4294967295"#)),
        broken,
    );
    assert_crashed(with_cell("empty", &cell.replace(r#""row_span":1"#, r#""row_span":0"#)), broken);
    assert_crashed(with_cell("control", &cell.replace(r#""a""#, r#""\u0000""#)), broken);
}

#[test]
fn unknown_codes_and_limits_are_a_crash() {
    assert_crashed(says("code", &[r#"{"reply":"failed","code":"surprise"}"#, ""]), "a malformed reply");
    let limit = r#"{"reply":"failed","code":"limit_exceeded","limit":"patience"}"#;
    assert_crashed(says("limit", &[limit, ""]), "an unknown limit");
}

#[test]
fn a_reason_is_truncated_and_loses_its_control_characters() {
    let reason = format!("{}{}", r"\u001b[2J", "x".repeat(5000));
    let reply = format!(r#"{{"reply":"failed","code":"malformed","reason":"{reason}"}}"#);
    let Err(ExtractError::Malformed { reason }) = says("reason", &[&reply, ""]) else { panic!("malformed") };
    assert!(reason.starts_with("[2Jxxx") && reason.chars().count() == 300, "{reason}");
}

#[test]
fn too_many_pages_are_rejected() {
    let mut extractor =
        scripted("pages", &format!("echo '{}'; echo '{}'; echo '{DONE}'", page(1, "a"), page(2, "b")));
    assert!(extract(&extractor).is_ok());
    extractor.limits.pages = 1;
    assert!(matches!(extract(&extractor), Err(ExtractError::LimitExceeded { limit: "pages" })));
}

#[test]
fn the_structure_of_pages_has_a_limit_of_its_own() {
    let mut extractor = scripted("double", &format!("echo '{}'; echo '{DONE}'", page(1, &"a".repeat(1500))));
    extractor.limits.output_bytes = 1000;
    let request = Request::default();
    let source = Source::from_bytes(b"x").unwrap();
    let plain = extractor.extract(&source, &request, || Tick::Continue);
    assert!(matches!(plain, Err(ExtractError::LimitExceeded { limit: "output_bytes" })), "{plain:?}");
    let request = Request { structure: true, ..request };
    assert!(extractor.extract(&source, &request, || Tick::Continue).is_ok());
}

#[test]
fn too_much_output_is_rejected() {
    let mut extractor = scripted("talker", "yes");
    extractor.limits.output_bytes = 1_000_000;
    // `yes` is not a valid reply; a single endless line reaches the limit.
    assert_crashed(extract(&extractor), "a malformed reply");
    let mut extractor = scripted("one_line", "tr '\\0' x < /dev/zero");
    extractor.limits.output_bytes = 1_000_000;
    assert!(matches!(extract(&extractor), Err(ExtractError::LimitExceeded { limit: "output_bytes" })));
}

#[test]
fn a_worker_that_fills_its_standard_error_does_not_block() {
    let script = format!("head -c 3000000 /dev/zero | tr '\\0' x >&2; echo '{DONE}'");
    assert!(extract(&scripted("noisy", &script)).is_ok());
}

#[test]
fn a_file_over_the_limit_starts_no_worker() {
    let limits = Limits { input_bytes: 7, ..Limits::default() };
    let extractor = Extractor { limits, ..scripted("unused", "exit 9") };
    assert!(matches!(extract(&extractor), Err(ExtractError::InputTooLarge { size: 8, limit: 7 })));
}

#[test]
fn the_deadline_kills_a_worker_that_never_exits() {
    let (mut extractor, pid_file) = endless("deadline");
    extractor.limits.wall = Duration::from_millis(300);
    assert!(matches!(extract(&extractor), Err(ExtractError::Timeout { .. })));
    if let Some(pid) = pid_in(&pid_file) {
        assert!(!is_alive(&pid));
    }
}

#[test]
fn the_deadline_also_applies_after_a_worker_closes_its_output() {
    let mut extractor = scripted("closer", "exec 1>&- 2>&-; exec sleep 1000");
    extractor.limits.wall = Duration::from_millis(300);
    assert!(matches!(extract(&extractor), Err(ExtractError::Timeout { .. })));
}

#[test]
fn stop_kills_the_worker_before_it_returns() {
    let (extractor, pid_file) = endless("stop");
    let source = Source::from_bytes(b"the file").unwrap();
    let mut stopped_at = None;
    let outcome = extractor.extract(&source, &Request::default(), || match pid_in(&pid_file) {
        Some(_) => {
            stopped_at = Some(Instant::now());
            Tick::Stop
        }
        None => Tick::Continue,
    });
    assert!(matches!(outcome, Err(ExtractError::Cancelled)));
    assert!(stopped_at.unwrap().elapsed() < Duration::from_millis(500));
    assert!(!is_alive(&pid_in(&pid_file).unwrap()));
}

#[test]
fn tick_is_asked_at_least_every_20_ms() {
    let mut extractor = scripted("ticks", "exec sleep 1000");
    extractor.limits.wall = Duration::from_millis(400);
    let mut ticks = 0;
    let source = Source::from_bytes(b"the file").unwrap();
    let _ = extractor.extract(&source, &Request::default(), || {
        ticks += 1;
        Tick::Continue
    });
    // 20 on an idle machine; fewer on a busy one.
    assert!((10..=60).contains(&ticks), "{ticks} ticks in 400 ms");
}

#[test]
fn a_worker_dies_with_its_parent() {
    let (extractor, pid_file) = endless("orphan");
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("orphan.txt");
    fs::write(&file, "the file").unwrap();
    #[expect(clippy::disallowed_methods, reason = "the parent that will be killed")]
    let mut parent = std::process::Command::new(env!("CARGO_BIN_EXE_dossier-extract"))
        .arg("--worker")
        .arg(&extractor.worker)
        .arg(&file)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the worker runs", || pid_file.exists());
    let worker = pid_in(&pid_file).unwrap();
    assert!(is_alive(&worker));
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_until("the worker is gone", || !is_alive(&worker));
}

#[test]
fn each_cause_of_death_is_identified() {
    let dies = |name: &str, script: &str| extract(&scripted(name, script));
    assert_crashed(dies("sys", "kill -SYS $$"), "forbidden system call");
    assert_crashed(dies("segv", "ulimit -c 0; kill -SEGV $$"), "memory fault");
    assert_crashed(dies("usr", "kill -USR1 $$"), "signal 10");
    assert_crashed(dies("status", "exit 7"), "exit status 7");
    let overflow = "ulimit -c 0; echo \"thread 'parser' has overflowed its stack\" >&2; kill -ABRT $$";
    assert_crashed(dies("overflow", overflow), "stack overflow");
    let memory = dies("memory", "ulimit -c 0; echo 'memory allocation of 9 bytes failed' >&2; kill -ABRT $$");
    assert!(matches!(memory, Err(ExtractError::LimitExceeded { limit: "memory_bytes" })), "{memory:?}");
    let processor = dies("processor", "ulimit -c 0; ulimit -S -t 1; while :; do :; done");
    assert!(matches!(processor, Err(ExtractError::LimitExceeded { limit: "cpu_seconds" })), "{processor:?}");
}

/// A worker of another version, or one that dies before it has seen the file.
#[test]
fn a_worker_without_the_right_greeting_is_the_fault_of_the_host() {
    let workers = [
        ("older", format!("echo '{}'; echo '{DONE}'", page(1, "one"))),
        ("newer", format!("echo '{}'; echo '{DONE}'", HELLO.replace('}', "9}"))),
        ("confused", "echo 'error: unexpected argument' >&2; exit 2".to_owned()),
        ("chatty", "echo 'Usage: dossier-extract-worker'".to_owned()),
        ("broken", "ulimit -c 0; kill -SEGV $$".to_owned()),
        ("empty", String::new()),
    ];
    for (name, script) in workers {
        let error = extract(&mute(&format!("skewed_{name}"), &script)).unwrap_err();
        assert_eq!(error.code(), "worker_unavailable", "{name}: {error}");
        assert!(error.is_transient(), "{name}: {error}");
        assert!(error.to_string().contains("same release"), "{name}: {error}");
    }
    assert_crashed(says("greets_twice", &[HELLO, DONE, ""]), "a second greeting");
}

#[test]
fn a_worker_that_is_killed_from_outside_is_the_fault_of_the_host() {
    for (name, signal) in [("kill", 9), ("term", 15), ("hup", 1)] {
        let error = extract(&scripted(&format!("killed_{name}"), &format!("kill -{signal} $$"))).unwrap_err();
        assert_eq!(error.code(), "worker_killed", "{name}: {error}");
        assert!(error.is_transient() && error.to_string().contains(&format!("signal {signal}")), "{error}");
    }
}

#[test]
fn missing_layers_of_the_sandbox_are_reported() {
    let report =
        r#"{"reply":"isolated","missing":["landlock: not supported\u0007"],"further":["namespaces"]}"#;
    let isolation = says("open", &[report, DONE, ""]).unwrap().isolation;
    assert_eq!(isolation.missing, ["landlock: not supported"]);
    assert_eq!((isolation.further, isolation.unavailable), (vec!["namespaces".to_owned()], vec![]));
    assert_crashed(says("two_reports", &[report, report, DONE, ""]), "a second report");
}

#[test]
fn a_missing_worker_is_reported_with_advice() {
    let error = extract(&Extractor::new("/nowhere/dossier-extract-worker")).unwrap_err();
    assert_eq!(error.code(), "worker_unavailable");
    assert!(error.is_transient());
    let message = error.to_string();
    assert!(message.contains("/nowhere/dossier-extract-worker") && message.contains("install"), "{message}");
}

#[test]
fn a_worker_that_cannot_be_executed_is_reported() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("no_program");
    fs::write(&path, "no program").unwrap();
    let message = extract(&Extractor::new(path)).unwrap_err().to_string();
    assert!(message.contains("must be able to execute it"), "{message}");
}
