//! Email: the headers that people read, then the plain text (or else the HTML), then the names of the
//! attachments. Attached messages follow in their place.
//!
//! Parts are read without building a tree, which a hostile mail could make arbitrarily deep.
//!
//! Invariant: nested parts are followed to a limited depth; each level reads its bytes once.
//! Invariant: a part that cannot be read leaves the others, and the pages say so in their reason.

mod address;
mod date;
mod header;
mod mime;
mod signed;
mod tnef;
mod transfer;
mod words;

use super::part::{Unread, contained};
use super::{html, rtf};
use crate::input::encoding;
use crate::output::pagination::Cut;
use crate::output::reply::Pages;
use dossier_extract::protocol::Failure;
use dossier_extract::{Metadata, TextFormat};
use header::Headers;
use mime::Entity;
use signed::Content;
use std::io::Write;
use tnef::Container;

/// Parts within parts, and messages within messages, are read to this depth.
const DEEPEST_PART: usize = 20;
/// As many attachments as are named.
const MOST_ATTACHMENTS: usize = 1000;

/// Sends a mail's text.
pub(crate) fn read<W: Write>(bytes: &[u8], format: TextFormat, pages: &mut Pages<W>) -> Result<(), Failure> {
    let message = Entity::of(bytes.trim_ascii_start());
    let headers = &message.headers;
    if headers.is_empty() {
        let text = encoding::decode(bytes, None)?;
        let reason = Some("read as text: it has no header of a mail");
        return pages.push_long_with("text", &text, Cut::BetweenWords, reason);
    }
    pages.metadata = Metadata {
        title: headers.words("subject"),
        author: headers.raw("from").map(|from| address::list(&from)),
        created: headers.raw("date").and_then(|date| date::rfc3339(&date)),
        ..Metadata::default()
    };
    let mut reader = Reader::new(format);
    reader.headers(headers);
    reader.entity(&message, 0);
    reader.send(pages)
}

/// Sends the text of a `winmail.dat` that is a file of its own.
pub(crate) fn read_tnef<W: Write>(
    bytes: &[u8],
    format: TextFormat,
    pages: &mut Pages<W>,
) -> Result<(), Failure> {
    let container = contained(|| Container::open(bytes)).flatten();
    let container =
        container.ok_or_else(|| Failure::Malformed { reason: "it is not a TNEF file".to_owned() })?;
    let subject = container.subject.as_deref().map(str::trim).filter(|subject| !subject.is_empty());
    pages.metadata = Metadata { title: subject.map(str::to_owned), ..Metadata::default() };
    let mut reader = Reader::new(format);
    if let Some(subject) = subject {
        reader.text(&format!("Subject: {subject}\n\n"));
    }
    reader.start = reader.out.len();
    reader.container(&container, 0);
    reader.send(pages)
}

/// Whether bytes are a web page that was saved as MHTML.
pub(crate) fn is_archived_page(bytes: &[u8]) -> bool {
    let (headers, _) = Headers::of(bytes.trim_ascii_start());
    ["mime-version", "content-type"].into_iter().any(|name| headers.raw(name).is_some())
}

/// The text of a web page that was saved together with its images (MHTML).
pub(crate) fn archived_page(bytes: &[u8], format: TextFormat) -> String {
    let mut reader = Reader::new(format);
    reader.entity(&Entity::of(bytes.trim_ascii_start()), 0);
    reader.out
}

/// Headers of which a mail has some that nobody writes by hand.
const BY_HAND: [&str; 6] = ["from", "to", "cc", "date", "subject", "reply-to"];
const BY_MACHINE: [&str; 9] = [
    "message-id",
    "mime-version",
    "received",
    "return-path",
    "delivered-to",
    "dkim-signature",
    "x-mailer",
    "content-transfer-encoding",
    "arc-seal",
];

/// Whether a file starts with the headers of a mail. A memo's "From:" and "Subject:" are not enough.
pub(crate) fn is_mail(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    let (headers, _) = Headers::of(&start[..start.len().min(LONGEST_HEADERS)]);
    let (mut by_hand, mut by_machine, mut from) = (0, 0, false);
    for name in headers.names().take(200) {
        let name = name.to_ascii_lowercase();
        from |= name == "from";
        by_hand += usize::from(BY_HAND.contains(&name.as_str()));
        by_machine += usize::from(BY_MACHINE.contains(&name.as_str()));
    }
    from && by_hand >= 2 && by_machine >= 1
}

/// How much of a file is searched for the headers of a mail.
const LONGEST_HEADERS: usize = 256 * 1024;

struct Reader {
    format: TextFormat,
    out: String,
    attachments: Vec<String>,
    /// The text was already written in another format, so only attachments are of interest.
    is_silent: bool,
    unread: Unread,
    /// Where the text of the open message begins, after its headers.
    start: usize,
}

impl Reader {
    fn new(format: TextFormat) -> Self {
        Self {
            format,
            out: String::new(),
            attachments: Vec::new(),
            is_silent: false,
            unread: Unread::default(),
            start: 0,
        }
    }

    /// Sends what has been read, and the names of the attachments.
    fn send<W: Write>(mut self, pages: &mut Pages<W>) -> Result<(), Failure> {
        if !self.attachments.is_empty() {
            let names = self.attachments.join(", ");
            self.out.extend(["\nAttachments: ", &names, "\n"]);
        }
        pages.metadata.attachments = self.attachments;
        let reason = self.unread.reason();
        pages.push_long_with("mail", &self.out, Cut::BetweenWords, reason.as_deref())
    }

    fn headers(&mut self, headers: &Headers<'_>) {
        let end = if self.format == TextFormat::Markdown { "  \n" } else { "\n" };
        let people =
            ["From", "To", "Cc"].map(|name| (name, headers.raw(name).map(|list| address::list(&list))));
        let rest = ["Date", "Subject"].map(|name| (name, headers.words(name)));
        for (name, value) in people.into_iter().chain(rest) {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                self.text_part(&[name, ": ", &value, end].concat());
            }
        }
        self.text_part("\n");
        self.start = self.out.len();
    }

    fn entity(&mut self, entity: &Entity<'_>, depth: usize) {
        if depth > DEEPEST_PART {
            return self.unread.too_deep();
        }
        match (entity.media_type(), entity.is_attachment()) {
            ("multipart/alternative", _) => self.first_of(entity, depth),
            (kind, _) if kind.starts_with("multipart/") => {
                if kind == "multipart/encrypted" {
                    self.unread.encrypted();
                }
                match entity.parts() {
                    Some(parts) => parts.for_each(|part| self.entity(&part, depth + 1)),
                    None => self.text(&entity.text()),
                }
            }
            ("message/rfc822" | "message/global" | "message/news" | "message/partial", _) => {
                self.message(&entity.bytes(), depth);
            }
            (kind, _) if is_cms(kind, entity) => self.signed(entity, depth),
            (kind, _) if is_container(kind, entity) => match Container::open(&entity.bytes()) {
                Some(container) => self.container(&container, depth),
                None => self.attached(entity.file_name()),
            },
            ("text/html" | "application/xhtml+xml", false) => {
                let format = self.format;
                self.converted(|| html::text_of(&entity.page(), format, &mut Metadata::default()).0);
            }
            ("text/rtf" | "application/rtf" | "text/richtext", false) if rtf::is_rtf(&entity.bytes()) => {
                let format = self.format;
                self.converted(|| rtf::text_of(&entity.bytes(), format));
            }
            (kind, false) if kind.starts_with("text/") || kind.starts_with("message/") => {
                self.plain(&entity.bytes(), entity);
            }
            _ if self.is_silent && entity.is_inline() => {}
            _ => self.attached(entity.file_name()),
        }
    }

    /// Writes the first alternative that contains text, which is the plainest one. Any of them may contain
    /// attachments.
    fn first_of(&mut self, entity: &Entity<'_>, depth: usize) {
        let start = self.out.len();
        let was_silent = self.is_silent;
        for part in entity.parts().into_iter().flatten() {
            self.entity(&part, depth + 1);
            self.is_silent |= !self.out[start..].trim().is_empty();
        }
        self.is_silent = was_silent;
    }

    /// Reads the message inside a signature.
    fn signed(&mut self, entity: &Entity<'_>, depth: usize) {
        match signed::open(&entity.bytes()) {
            Content::Signed(content) => self.entity(&Entity::of(&content), depth + 1),
            Content::Encrypted => self.unread.encrypted(),
            Content::Other => self.attached(entity.file_name()),
        }
    }

    /// Reads a `winmail.dat`. Its text is a copy if the mail has text of its own.
    fn container(&mut self, container: &Container, depth: usize) {
        if depth > DEEPEST_PART {
            return self.unread.too_deep();
        }
        if self.out[self.start..].trim().is_empty() {
            let format = self.format;
            self.converted(|| container.body(format));
        }
        for attachment in &container.attachments {
            let Some(message) = attachment.message.as_deref().and_then(Container::open) else {
                self.attached(attachment.name.clone());
                continue;
            };
            self.text("\n---\n");
            if let Some(subject) = &message.subject {
                self.text(&format!("Subject: {subject}\n\n"));
            }
            self.start = self.out.len();
            self.container(&message, depth + 1);
        }
    }

    fn message(&mut self, bytes: &[u8], depth: usize) {
        let message = Entity::of(bytes);
        self.text("\n---\n");
        self.headers(&message.headers);
        self.entity(&message, depth + 1);
    }

    /// Writes plain text, apart from files that old programs embedded in it.
    fn plain(&mut self, bytes: &[u8], entity: &Entity<'_>) {
        let mut rest = bytes;
        let charset = entity.headers.charset();
        while let Some(file) = transfer::uuencoded(rest) {
            self.text(&words::characters(file.before, charset));
            self.attached(Some(file.name));
            rest = file.after;
        }
        self.text(&words::characters(rest, charset));
    }

    /// Writes a part that another reader turns into text.
    fn converted(&mut self, read: impl FnOnce() -> String) {
        if self.is_silent {
            return;
        }
        match contained(read) {
            Some(text) => self.text(&text),
            None => self.unread.failed(),
        }
    }

    fn attached(&mut self, name: Option<String>) {
        let is_said = |name: &String| self.is_silent && self.attachments.contains(name);
        let has_room = self.attachments.len() < MOST_ATTACHMENTS;
        let name = name.filter(|name| has_room && !is_said(name));
        self.attachments.extend(name);
    }

    fn text(&mut self, text: &str) {
        self.text_part(text);
        if !text.ends_with('\n') {
            self.text_part("\n");
        }
    }

    fn text_part(&mut self, text: &str) {
        if !self.is_silent {
            self.out.push_str(text);
        }
    }
}

/// Whether a part is a CMS message: signed or encrypted content, or certificates.
fn is_cms(media_type: &str, entity: &Entity<'_>) -> bool {
    matches!(media_type, "application/pkcs7-mime" | "application/x-pkcs7-mime")
        || media_type == "application/octet-stream" && is_named(entity, "smime.p7m")
}

/// Whether a part is what Outlook makes of a mail for programs like itself.
fn is_container(media_type: &str, entity: &Entity<'_>) -> bool {
    matches!(media_type, "application/ms-tnef" | "application/vnd.ms-tnef")
        || media_type == "application/octet-stream" && is_named(entity, "winmail.dat")
}

fn is_named(entity: &Entity<'_>, name: &str) -> bool {
    entity.file_name().is_some_and(|file| file.eq_ignore_ascii_case(name))
}
