//! What the client does with pages whose text is in images. The worker is a shell script that answers as
//! the text worker at first, and as the OCR worker when it is asked to recognise pages.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{page, scripted};
use dossier_extract::{
    ExtractError, Extraction, Extractor, Ocr, OcrOutcome, OcrProgress, OcrTask, Page, PageSource,
    RecognizedPage, Request, Source, Thumbnail, ThumbnailRequest, Tick,
};
use std::time::Duration;

/// Three pages; the last two need OCR.
fn scan() -> String {
    let done = r#"{"reply":"done","media_type":"application/pdf","needs_ocr":[2,3]}"#;
    says(&[&page(1, "own text"), &page(2, ""), &page(3, "x"), done])
}

fn recognized(number: u32, text: &str) -> String {
    let reply = page(number, text).replace(r#""source":"text""#, r#""source":"ocr""#);
    reply.replace(r#""confidence":null"#, r#""confidence":0.9"#).replace(r#""test""#, r#""tesseract""#)
}

fn unread(number: u32, limit: &str) -> String {
    format!(r#"{{"reply":"unread","page":{number},"failure":{{"code":"limit_exceeded","limit":"{limit}"}}}}"#)
}

const DONE: &str = r#"{"reply":"done","media_type":"application/pdf"}"#;
const MISSING: &str = r#"{"reply":"failed","code":"needs_ocr","reason":"no Tesseract; install it"}"#;

fn says(lines: &[&str]) -> String {
    lines.iter().fold(String::new(), |script, line| script + "echo '" + line + "'; ")
}

/// A worker that runs `text` for an extraction, and for OCR the script listed for those pages.
fn worker(name: &str, text: &str, ocr: &[(&str, &str)]) -> Extractor {
    let case =
        |cases, (pages, script): &(&str, &str)| format!("{cases}*\" --recognize={pages} \"*) {script};;\n");
    let cases = ocr.iter().fold(String::new(), case);
    scripted(name, &format!("case \" $* \" in\n{cases}*--recognize*) exit 9;;\n*) {text};;\nesac"))
}

fn extract_as(extractor: &Extractor, ocr: Ocr) -> Result<Extraction, ExtractError> {
    let request = Request { ocr, ..Request::default() };
    extractor.extract(&Source::from_bytes(b"the file").unwrap(), &request, || Tick::Continue)
}

fn extract(extractor: &Extractor) -> Result<Extraction, ExtractError> {
    extract_as(extractor, Ocr::Auto)
}

fn texts(extraction: &Extraction) -> Vec<&str> {
    extraction.pages.iter().map(|page| page.text.as_str()).collect()
}

#[test]
fn recognised_text_replaces_the_text_of_its_page() {
    let turned = recognized(2, "two").replace("\"engine\"", "\"reason\":\"turned\",\"engine\"");
    let scan = scan().replace(r#""text":"","source""#, r#""text":"","reason":"an image","source""#);
    let ocr = says(&[&turned, &recognized(3, "three"), DONE]);
    let extraction = extract(&worker("ocr_good", &scan, &[("2,3", &ocr)])).unwrap();
    assert_eq!(texts(&extraction), ["own text", "two", "three"]);
    assert_eq!(extraction.pages[0].source, PageSource::Text);
    assert_eq!(extraction.pages[1].reason.as_deref(), Some("an image; turned"));
    assert_eq!((extraction.pages[1].source, extraction.pages[1].confidence), (PageSource::Ocr, Some(0.9)));
    assert_eq!((extraction.ocr, extraction.needs_ocr), (OcrOutcome::Complete { pages: 2 }, vec![]));
}

#[test]
fn a_guess_does_not_replace_characters_that_the_file_has() {
    let own = "\u{3c6}\u{3b9}\u{3c3}\u{3c4} \u{3b2}\u{3c1}\u{3b3}\u{3b7}";
    let illegible = |text: &str| {
        page(1, text).replace("\"engine\"", "\"quality\":0.4,\"reason\":\"no words\",\"engine\"")
    };
    let read = |name: &str, own: &str, confidence: &str, ocr: Ocr| {
        let done = DONE.replace('}', ",\"needs_ocr\":[1]}");
        let guess = recognized(1, "prst Bpyn").replace("0.9", confidence);
        let worker = worker(name, &says(&[own, &done]), &[("1", &says(&[&guess, DONE]))]);
        let extraction = extract_as(&worker, ocr).unwrap();
        (extraction.pages[0].text.clone(), extraction.pages[0].reason.clone().unwrap())
    };
    let kept = "no words; OCR is unsure of the words, so the file's own characters stay";
    let unsure = read("ocr_guess", &illegible(own), "0.44", Ocr::Auto);
    assert_eq!(unsure, (own.to_owned(), kept.to_owned()));
    // What OCR is sure of, what is requested, and what cannot be decoded is replaced. So is a mark beside a text.
    let replaced = ("prst Bpyn".to_owned(), "no words".to_owned());
    assert_eq!(read("ocr_sure", &illegible(own), "0.8", Ocr::Auto), replaced);
    assert_eq!(read("ocr_asked", &illegible(own), "0.44", Ocr::Force).0, "prst Bpyn");
    assert_eq!(read("ocr_lost", &illegible("\u{fffd}\u{fffd}\u{fffd} xyz"), "0.44", Ocr::Auto), replaced);
    assert_eq!(read("ocr_mark", &illegible("xz"), "0.44", Ocr::Auto), replaced);
}

#[test]
fn a_file_that_needs_no_ocr_starts_no_second_worker() {
    let extraction = extract(&worker("ocr_none", &says(&[&page(1, "text"), DONE]), &[])).unwrap();
    assert_eq!(extraction.ocr, OcrOutcome::NotNeeded);
}

#[test]
fn never_means_never() {
    let extraction = extract_as(&worker("ocr_never", &scan(), &[]), Ocr::Never).unwrap();
    assert_eq!((extraction.ocr, extraction.needs_ocr), (OcrOutcome::NotAsked, vec![2, 3]));
}

#[test]
fn force_covers_every_page_and_never_loses_text() {
    let ocr = says(&[&recognized(1, " "), &recognized(2, "two"), &recognized(3, ""), DONE]);
    let extraction = extract_as(&worker("ocr_force", &scan(), &[("1,2,3", &ocr)]), Ocr::Force).unwrap();
    assert_eq!(texts(&extraction), ["own text", "two", "x"]);
    assert_eq!(extraction.pages[0].reason.as_deref(), Some("OCR found no words"));
    assert_eq!(extraction.ocr, OcrOutcome::Complete { pages: 3 });
}

#[test]
fn without_tesseract_existing_text_is_kept() {
    let extraction = extract(&worker("ocr_missing", &scan(), &[("2,3", &says(&[MISSING]))])).unwrap();
    assert_eq!(texts(&extraction), ["own text", "", "x"]);
    assert_eq!(extraction.ocr, OcrOutcome::Missing { reason: "no Tesseract; install it".to_owned() });
    assert_eq!(extraction.needs_ocr, [2, 3]);
}

#[test]
fn without_tesseract_and_without_text_the_error_gives_advice() {
    let scan = says(&[&page(1, ""), r#"{"reply":"done","media_type":"image/png","needs_ocr":[1]}"#]);
    let error = extract(&worker("ocr_needed", &scan, &[("1", &says(&[MISSING]))])).unwrap_err();
    assert_eq!((error.code(), error.is_transient()), ("needs_ocr", false));
    let message = error.to_string();
    assert!(message.contains("page 1") && message.contains("install it"), "{message}");
}

#[test]
fn a_page_that_kills_its_worker_does_not_lose_the_others() {
    let dies = format!("{} ulimit -c 0; kill -SEGV $$", says(&[]));
    let ocr = says(&[&recognized(3, "three"), DONE]);
    let extraction = extract(&worker("ocr_dies", &scan(), &[("2,3", &dies), ("3", &ocr)])).unwrap();
    assert_eq!(texts(&extraction), ["own text", "", "three"]);
    let reason = extraction.pages[1].reason.as_deref().unwrap();
    assert!(reason.contains("memory fault"), "{reason}");
    assert!(matches!(extraction.ocr, OcrOutcome::Incomplete { pages: 1, .. }), "{:?}", extraction.ocr);
    assert_eq!(extraction.needs_ocr, [2]);
}

#[test]
fn a_page_that_fails_says_why() {
    let ocr = says(&[&unread(2, "pixels"), &recognized(3, "three"), DONE]);
    let extraction = extract(&worker("ocr_unread", &scan(), &[("2,3", &ocr)])).unwrap();
    assert_eq!(texts(&extraction), ["own text", "", "three"]);
    assert!(extraction.pages[1].reason.as_deref().unwrap().contains("pixels"));
}

#[test]
fn pages_beyond_the_limit_keep_their_text() {
    let ocr = says(&[&recognized(2, "two"), DONE]);
    let mut extractor = worker("ocr_limit", &scan(), &[("2", &ocr)]);
    extractor.ocr.limits.pages = 1;
    let extraction = extract(&extractor).unwrap();
    assert_eq!(texts(&extraction), ["own text", "two", "x"]);
    assert!(extraction.pages[2].reason.as_deref().unwrap().contains("ocr_pages"));
    assert_eq!(extraction.needs_ocr, [3]);
}

#[test]
fn pages_finished_before_the_deadline_are_kept() {
    let ocr = format!("{} exec sleep 1000", says(&[&recognized(2, "two")]));
    let mut extractor = worker("ocr_slow", &scan(), &[("2,3", &ocr)]);
    extractor.ocr.limits.wall = Duration::from_millis(500);
    let extraction = extract(&extractor).unwrap();
    assert_eq!(texts(&extraction), ["own text", "two", "x"]);
    assert!(matches!(extraction.ocr, OcrOutcome::Incomplete { pages: 1, .. }), "{:?}", extraction.ocr);
}

#[test]
fn pages_that_were_not_requested_are_rejected() {
    let replies = [
        ("ocr_other", says(&[&recognized(1, "forged"), DONE])),
        ("ocr_order", says(&[&recognized(3, "three"), &recognized(2, "two"), DONE])),
        ("ocr_short", says(&[&recognized(2, "two"), DONE])),
    ];
    for (name, ocr) in replies {
        let extraction = extract(&worker(name, &scan(), &[("2,3", &ocr), ("3", &ocr)])).unwrap();
        assert_eq!(extraction.pages[0].text, "own text");
        let OcrOutcome::Incomplete { reason, .. } = extraction.ocr else { panic!("{:?}", extraction.ocr) };
        assert!(reason.contains("protocol violation"), "{reason}");
    }
    let error = extract(&worker("ocr_unasked", &says(&[&unread(1, "pixels"), DONE]), &[])).unwrap_err();
    assert_eq!(error.code(), "crashed");
}

/// `RIFF....WEBP` in base64: a complete file according to its container header.
const WEBP: &str = "UklGRgQAAABXRUJQ";

fn thumbnail(name: &str, media_type: &str, width: u32, data: &str) -> Result<Thumbnail, ExtractError> {
    let picture = format!(
        r#"{{"reply":"thumbnail","media_type":"{media_type}","width":{width},"height":9,"bytes":"{data}"}}"#
    );
    let extractor = scripted(name, &says(&[&picture, DONE]));
    let source = Source::from_bytes(b"the file").unwrap();
    extractor.thumbnail(&source, &ThumbnailRequest::default(), || Tick::Continue)
}

#[test]
fn a_thumbnail_is_a_small_webp_or_nothing() {
    let good = thumbnail("thumb_good", "image/webp", 512, WEBP).unwrap();
    assert_eq!((good.width, good.height, good.bytes.len()), (512, 9, 12));
    let bad = [
        thumbnail("thumb_type", "text/html", 512, WEBP),
        thumbnail("thumb_wide", "image/webp", 513, WEBP),
        thumbnail("thumb_flat", "image/webp", 0, WEBP),
        thumbnail("thumb_html", "image/webp", 512, "PGh0bWw+"),
        thumbnail("thumb_cut", "image/webp", 512, "UklGRgUAAABXRUJQ"),
        thumbnail("thumb_base", "image/webp", 512, "!"),
    ];
    for outcome in bad {
        assert_eq!(outcome.unwrap_err().code(), "crashed");
    }
}

#[test]
fn a_worker_that_sends_no_thumbnail_has_crashed() {
    let extractor = scripted("thumb_none", &says(&[DONE]));
    let source = Source::from_bytes(b"the file").unwrap();
    let outcome = extractor.thumbnail(&source, &ThumbnailRequest::default(), || Tick::Continue);
    assert_eq!(outcome.unwrap_err().code(), "crashed");
}

fn slice(pages: &[u32], slice: Duration) -> OcrTask {
    let page = |page: &u32| Page {
        page: *page,
        text: String::new(),
        source: PageSource::Text,
        confidence: None,
        engine: "test".to_owned(),
        quality: None,
        reason: None,
        structure: None,
    };
    OcrTask {
        media_type: None,
        pages: pages.iter().map(page).collect(),
        is_forced: false,
        language: Some("deu".to_owned()),
        slice,
        spent: Duration::ZERO,
    }
}

/// The pages that a slice answers, each with its text or its reason, and how the slice ends.
fn recognize(extractor: &Extractor, task: OcrTask) -> (Vec<String>, Result<OcrProgress, ExtractError>) {
    let mut answers = Vec::new();
    let each = |RecognizedPage { page, is_read }| {
        answers.push(if is_read { page.text } else { page.reason.unwrap_or_default() });
        Tick::Continue
    };
    let progress =
        extractor.recognize(&Source::from_bytes(b"the file").unwrap(), task, each, || Tick::Continue);
    (answers, progress)
}

#[test]
fn a_slice_answers_at_least_one_page_and_pauses() {
    let ocr = format!("{} exec sleep 1000", says(&[&recognized(1, "one")]));
    let extractor = worker("ocr_slice", "exit 9", &[("1,2,3", &ocr)]);
    let (answers, progress) = recognize(&extractor, slice(&[1, 2, 3], Duration::ZERO));
    assert_eq!(answers, ["one"]);
    assert_eq!(progress.unwrap(), OcrProgress::Paused);
}

#[test]
fn pages_that_follow_at_once_belong_to_the_slice() {
    // The first page uses up the slice, the others come without delay, as copies do.
    let ocr = says(&[&recognized(1, "one"), &recognized(2, "two"), &recognized(3, "three"), DONE]);
    let extractor = worker("ocr_copies", "exit 9", &[("1,2,3", &format!("sleep 0.3; {ocr}"))]);
    let (answers, progress) = recognize(&extractor, slice(&[1, 2, 3], Duration::from_millis(200)));
    assert_eq!(answers, ["one", "two", "three"]);
    assert_eq!(progress.unwrap(), OcrProgress::Finished { language: None });
}

#[test]
fn a_slice_ends_even_if_pages_never_pause() {
    let ocr = says(&[&recognized(1, "one"), "", &recognized(2, "two")]).replace("echo ''", "sleep 1");
    let extractor = worker("ocr_endless", "exit 9", &[("1,2,3", &format!("{ocr} exec sleep 1000"))]);
    let (answers, progress) = recognize(&extractor, slice(&[1, 2, 3], Duration::from_millis(700)));
    assert_eq!((answers.len(), progress.unwrap()), (1, OcrProgress::Paused));
}

#[test]
fn a_file_whose_earlier_slices_used_its_time_keeps_the_pages_it_has() {
    let extractor = worker("ocr_spent", "exit 9", &[("2,3", "exec sleep 1000")]);
    let spent = extractor.ocr.limits.wall;
    let (answers, progress) =
        recognize(&extractor, OcrTask { spent, ..slice(&[2, 3], Duration::from_mins(1)) });
    assert!(answers.len() == 2 && answers.iter().all(|reason| reason.contains("timed out")), "{answers:?}");
    assert_eq!(progress.unwrap_err().code(), "timeout");
}

#[test]
fn the_language_of_the_pages_is_sent_by_the_name_that_tesseract_has_for_it() {
    for (language, argument) in [("deu", "deu"), ("cmn", "chi_sim"), ("nob", "nor")] {
        let ocr = format!(
            "case \" $* \" in *\" --prefer-language={argument} \"*) {};; esac",
            says(&[&recognized(1, "one"), DONE])
        );
        let extractor = worker(&format!("ocr_{language}"), "exit 9", &[("1", &ocr)]);
        let task = OcrTask { language: Some(language.to_owned()), ..slice(&[1], Duration::from_mins(1)) };
        assert_eq!(recognize(&extractor, task).0, ["one"], "{language}");
    }
    let plain =
        format!("case \" $* \" in *--prefer*) exit 9;; *) {};; esac", says(&[&recognized(1, "one"), DONE]));
    let extractor = worker("ocr_hostile", "exit 9", &[("1", &plain)]);
    let task = OcrTask { language: Some("../x".to_owned()), ..slice(&[1], Duration::from_mins(1)) };
    assert_eq!(recognize(&extractor, task).0, ["one"]);
}
