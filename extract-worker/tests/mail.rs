//! The text of email messages.

mod common;

use common::{detect, extract, extract_as, text};

const HEADERS: &str = "Received: by x.example\r\nFrom: =?utf-8?q?Zo=C3=AB?= <zoe@x.example>\r\nTo: Ann <ann@x.example>,\r\n bob@x.example\r\n\
    Date: Tue, 6 Feb 2024 10:00:00 +0100\r\nSubject: =?iso-8859-1?q?Gr=FC=DFe?=\r\nMIME-Version: 1.0\r\n";

#[test]
fn mail_is_detected_by_headers_that_people_do_not_write_by_hand() {
    assert_eq!(detect(format!("{HEADERS}\r\nHello").as_bytes()), "message/rfc822");
    for text in [
        "Subject: the harbour\n\nDear all",
        "From: Ann\nTo: Bob\nDate: 3 May\nSubject: cider\n\nA memo.",
        "Received: three crates. From: the orchard.",
    ] {
        assert_eq!(detect(text.as_bytes()), "text/plain", "{text}");
    }
    let declared = extract_as(b"Subject: the harbour\n\nDear all", Some("message/rfc822")).unwrap();
    assert_eq!(declared.pages[0].text, "Subject: the harbour\n\nDear all\n");
}

#[test]
fn headers_then_text_then_attachments() {
    let mail = format!(
        "{HEADERS}Content-Type: multipart/mixed; boundary=outer\r\n\r\npreamble\r\n--outer\r\n\
         Content-Type: multipart/alternative; boundary=\"in ner\"\r\n\r\n--in ner\r\n\
         Content-Type: text/plain; charset=iso-8859-2\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=A3=F3d=BC =3D\r\n\
         --in ner\r\nContent-Type: text/html\r\n\r\n<p>page</p>\r\n--in ner--\r\n--outer\r\n\
         Content-Type: application/pdf; name=\"a.pdf\"\r\nContent-Disposition: attachment\r\n\r\nJVBERi0=\r\n--outer\r\n\
         Content-Type: message/rfc822\r\n\r\nFrom: c@x.example\r\nSubject: inner\r\n\r\nforwarded\r\n--outer--\r\nepilogue"
    );
    let read = extract(mail.as_bytes()).unwrap();
    assert_eq!(
        read.pages[0].text,
        "From: Zoë <zoe@x.example>\nTo: Ann <ann@x.example>, bob@x.example\nDate: Tue, 6 Feb 2024 10:00:00 +0100\n\
         Subject: Grüße\n\nŁódź =\n\n---\nFrom: c@x.example\nSubject: inner\n\nforwarded\n\nAttachments: a.pdf\n"
    );
    assert_eq!(read.metadata.title.as_deref(), Some("Grüße"));
    assert_eq!(read.metadata.created.as_deref(), Some("2024-02-06T10:00:00+01:00"));
    assert_eq!(read.metadata.attachments, ["a.pdf"]);
}

#[test]
fn html_is_used_if_there_is_no_plain_text() {
    let mail = format!(
        "{HEADERS}Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+b25lPHA+dHdv\r\n"
    );
    assert!(text(mail.as_bytes()).ends_with("\n\none\ntwo"), "{}", text(mail.as_bytes()));
}

#[test]
fn text_beside_base64_and_wide_characters_are_kept() {
    let mail = format!(
        "{HEADERS}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\nR3LDtsOfZQo== added in transit\r\n--b\r\n\
         Content-Type: text/plain; charset=utf-16be\r\nContent-Transfer-Encoding: base64\r\n\r\n\
         AFQAZQBzAHQAIABtAGUAcwBzAGEAZwBlAAo=\r\n--b--\r\n"
    );
    let read = text(mail.as_bytes());
    assert!(read.ends_with("Größe\nadded in transit\nTest message"), "{read}");
}

#[test]
fn a_boundary_that_begins_like_another_one_is_told_apart() {
    let mail = format!(
        "{HEADERS}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
         Content-Type: multipart/mixed; boundary=b-inner\r\n\r\n--b-inner\r\n\r\none\r\n--b-inner\r\n\r\ntwo\r\n\
         --b-inner--\r\n--b\r\n\r\nthree\r\n--b--\r\n"
    );
    let read = text(mail.as_bytes());
    let words: Vec<&str> = read.split_once("\n\n").unwrap().1.split_whitespace().collect();
    assert_eq!(words, ["one", "two", "three"]);
}

#[test]
fn alternatives_are_read_once_and_their_attachments_named() {
    let part = |kind: &str, more: &str, body: &str| format!("Content-Type: {kind}\r\n{more}\r\n{body}\r\n");
    let picture = part("image/png; name=logo.png", "Content-ID: <logo>\r\n", "x");
    let file = part("application/pdf; name=terms.pdf", "Content-Disposition: inline\r\n", "x");
    let mail = format!(
        "{HEADERS}Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\n{}--a\r\n\
         Content-Type: multipart/related; boundary=r\r\n\r\n--r\r\n{}--r\r\n{picture}--r\r\n{file}--r--\r\n--a--\r\n",
        part("text/plain", "", "Said once."),
        part("text/html", "", "<p>Said once.</p>"),
    );
    let read = extract(mail.as_bytes()).unwrap();
    assert_eq!(read.pages[0].text.matches("Said once.").count(), 1);
    assert_eq!(read.metadata.attachments, ["terms.pdf"]);
}

#[test]
fn addresses_keep_their_names() {
    for (written, expected) in [
        (
            "\"Example, Ann\" <ann@x.example>, (Bob) bob@x.example",
            "Example, Ann <ann@x.example>, Bob <bob@x.example>",
        ),
        ("=?utf-8?q?Example=2C_Zo=C3=AB?= <zoe@x.example>", "Example, Zoë <zoe@x.example>"),
        ("Board: ann@x.example, <bob@x.example>;", "Board: ann@x.example, bob@x.example"),
        ("undisclosed-recipients:;", "undisclosed-recipients:"),
    ] {
        let mail = format!("From: {written}\r\nDate: Tue, 6 Feb 2024 10:00:00 +0100\r\n\r\nText");
        let read = extract_as(mail.as_bytes(), Some("message/rfc822")).unwrap();
        assert!(read.pages[0].text.starts_with(&format!("From: {expected}\n")), "{}", read.pages[0].text);
    }
}

#[test]
fn a_hostile_part_leaves_the_others() {
    let attributes = " a=\"\"".repeat(500_000);
    let part = |kind: &str, body: &str| format!("--b\r\nContent-Type: {kind}\r\n\r\n{body}\r\n");
    let mail = format!(
        "{HEADERS}Content-Type: multipart/mixed; boundary=b\r\n\r\n{}{}{}--b--\r\n",
        part("text/plain", "before"),
        part("text/html", &format!("<p{attributes}>within")),
        part("text/plain", "after"),
    );
    let read = text(mail.as_bytes());
    assert!(read.ends_with("\n\nbefore\nwithin\nafter"), "{read}");
}

#[test]
fn parts_that_are_not_read_are_reported() {
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(30);
    let read =
        extract(format!("{HEADERS}{nested}Content-Type: text/plain\r\n\r\nbottom").as_bytes()).unwrap();
    assert_eq!(read.pages[0].reason.as_deref(), Some("1 part nested too deeply to be read"));
    let read = extract(format!("{HEADERS}\r\nHello").as_bytes()).unwrap();
    assert_eq!(read.pages[0].reason, None);
}

#[test]
fn a_text_without_headers_is_read_as_text() {
    let read = extract_as(b"Send list submissions to\n\tlist@x.example\n", Some("message/rfc822")).unwrap();
    assert_eq!(read.pages[0].text, "Send list submissions to\n\tlist@x.example\n");
    assert_eq!(read.pages[0].reason.as_deref(), Some("read as text: it has no header of a mail"));
    assert_eq!(extract_as(b"\0\x01\x02", Some("message/rfc822")).unwrap_err().code(), "malformed");
}

#[test]
fn hostile_mail_terminates() {
    let levels = 100_000;
    let nested: String = "Content-Type: message/rfc822\n\n".repeat(levels);
    let parts: String =
        (0..10_000).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n")).collect();
    let digest = "Content-Type: multipart/digest; boundary=b\n\n--b\n\n".repeat(levels);
    let many = format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\nx\n".repeat(levels));
    for (what, body) in [("messages", nested), ("parts", parts), ("digests", digest), ("many", many)] {
        let outcome = extract_as(format!("{HEADERS}{body}").as_bytes(), Some("message/rfc822"));
        assert!(outcome.is_ok(), "{what}: {:?}", outcome.err());
    }
}
