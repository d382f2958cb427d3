//! Email: the headers that people read, then the plain text (or else the HTML), then the names of the
//! attachments. Attached messages follow in their place.
//!
//! The library parses headers and decodes transfer encodings. We walk the parts ourselves: the library's tree
//! is as deep as a hostile message makes it, and walking or dropping it needs stack for every level.
//!
//! Invariant: nested parts are followed to a bounded depth, and each level reads its bytes once.

mod mime;

use crate::formats::html;
use crate::output::pagination::Cut;
use crate::output::reply::Pages;
use dossier_extract::protocol::Failure;
use dossier_extract::{Metadata, TextFormat};
use mail_parser::{Address, DateTime, Message};
use mime::Entity;
use std::io::Write;

/// Nested parts and messages are read down to this depth.
const DEEPEST_PART: usize = 20;
/// Maximum number of attachments that are listed.
const MOST_ATTACHMENTS: usize = 1000;

/// Sends the text of a message.
pub(crate) fn read<W: Write>(bytes: &[u8], format: TextFormat, pages: &mut Pages<W>) -> Result<(), Failure> {
    let message = Entity::of(bytes.trim_ascii_start());
    let Some(headers) = &message.headers else {
        return Err(Failure::Malformed { reason: "it has no email headers".to_owned() });
    };
    pages.metadata = Metadata {
        title: headers.subject().map(str::to_owned),
        author: headers.from().map(addresses),
        created: headers.date().map(DateTime::to_rfc3339),
        ..Metadata::default()
    };
    let mut reader = Reader { format, out: String::new(), attachments: Vec::new() };
    reader.headers(headers);
    reader.entity(&message, 0);
    if !reader.attachments.is_empty() {
        let names = reader.attachments.join(", ");
        reader.out.extend(["\nAttachments: ", &names, "\n"]);
    }
    pages.metadata.attachments = reader.attachments;
    pages.push_long("mail", &reader.out, Cut::BetweenWords)
}

/// Headers that mail software adds and that people do not write by hand.
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

/// Whether a text starts with email headers. A memo's "From:" and "Subject:" are not enough.
pub(crate) fn is_mail(text: &str) -> bool {
    let (mut by_hand, mut by_machine, mut from) = (0, 0, false);
    for line in text.lines().take(200) {
        if line.is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) || line.starts_with("From ") {
            continue;
        }
        let Some((name, _)) = line.split_once(':') else { return false };
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return false;
        }
        let name = name.to_ascii_lowercase();
        from |= name == "from";
        by_hand += usize::from(BY_HAND.contains(&name.as_str()));
        by_machine += usize::from(BY_MACHINE.contains(&name.as_str()));
    }
    from && by_hand >= 2 && by_machine >= 1
}

struct Reader {
    format: TextFormat,
    out: String,
    attachments: Vec<String>,
}

impl Reader {
    fn headers(&mut self, message: &Message<'_>) {
        let end = if self.format == TextFormat::Markdown { "  \n" } else { "\n" };
        let people = [("From", message.from()), ("To", message.to()), ("Cc", message.cc())];
        let people = people.map(|(name, address)| (name, address.map(addresses)));
        let date = message.date().map(DateTime::to_rfc822);
        let rest = [("Date", date), ("Subject", message.subject().map(str::to_owned))];
        for (name, value) in people.into_iter().chain(rest) {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                let value = value.replace(['\r', '\n'], " ");
                self.out.extend([name, ": ", &value, end]);
            }
        }
        self.out.push('\n');
    }

    fn entity(&mut self, entity: &Entity<'_>, depth: usize) {
        if depth > DEEPEST_PART {
            return;
        }
        let media_type = entity.media_type();
        match (media_type.as_str(), entity.is_attachment()) {
            ("multipart/alternative", _) => self.first_of(entity, depth),
            (kind, _) if kind.starts_with("multipart/") => match entity.parts() {
                Some(parts) => parts.for_each(|part| self.entity(&part, depth + 1)),
                None => self.text(&entity.text()),
            },
            ("message/rfc822" | "message/global", _) => self.message(&entity.bytes(), depth),
            ("text/html", false) => {
                let (page, _) = html::text_of(&entity.text(), self.format, &mut Metadata::default());
                self.text(&page);
            }
            (kind, false) if kind.starts_with("text/") => self.text(&entity.text()),
            _ => {
                let name = entity.file_name().filter(|_| self.attachments.len() < MOST_ATTACHMENTS);
                self.attachments.extend(name.map(str::to_owned));
            }
        }
    }

    /// The same content in several formats: uses the first one with text, which is the plainest.
    fn first_of(&mut self, entity: &Entity<'_>, depth: usize) {
        let start = self.out.len();
        for part in entity.parts().into_iter().flatten() {
            self.entity(&part, depth + 1);
            if !self.out[start..].trim().is_empty() {
                return;
            }
        }
    }

    fn message(&mut self, bytes: &[u8], depth: usize) {
        let message = Entity::of(bytes);
        self.text("\n---\n");
        if let Some(headers) = &message.headers {
            self.headers(headers);
        }
        self.entity(&message, depth + 1);
    }

    fn text(&mut self, text: &str) {
        self.out.push_str(text);
        if !text.ends_with('\n') {
            self.out.push('\n');
        }
    }
}

/// `Name <address>`, separated by commas.
fn addresses(address: &Address<'_>) -> String {
    let one = |name: Option<&str>, address: Option<&str>| match (name, address) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (one, other) => one.or(other).unwrap_or_default().to_owned(),
    };
    address.iter().map(|addr| one(addr.name(), addr.address())).collect::<Vec<_>>().join(", ")
}
