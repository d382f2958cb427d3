//! MIME entities: where the headers end, where the parts begin, and how to decode their bytes.

use crate::input::encoding;
use encoding_rs::{Encoding, UTF_8};
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{ContentType, Message, MessageParser, MimeHeaders};
use memchr::{memchr, memmem};
use std::borrow::Cow;

/// A message, or a part of one.
pub(super) struct Entity<'m> {
    /// `None` if there are no headers.
    pub(super) headers: Option<Message<'m>>,
    body: &'m [u8],
}

impl<'m> Entity<'m> {
    pub(super) fn of(bytes: &'m [u8]) -> Self {
        let end = end_of_headers(bytes);
        Self { headers: MessageParser::default().parse_headers(&bytes[..end]), body: &bytes[end..] }
    }

    fn content_type(&self) -> Option<&ContentType<'_>> {
        self.headers.as_ref()?.content_type()
    }

    /// `text/plain` if there is no declaration.
    pub(super) fn media_type(&self) -> String {
        let Some(content_type) = self.content_type() else { return "text/plain".to_owned() };
        let subtype = content_type.subtype().unwrap_or_default();
        format!("{}/{subtype}", content_type.ctype()).to_ascii_lowercase()
    }

    /// The file name of an attachment.
    pub(super) fn file_name(&self) -> Option<&str> {
        self.headers.as_ref()?.attachment_name()
    }

    pub(super) fn is_attachment(&self) -> bool {
        let disposition = self.headers.as_ref().and_then(MimeHeaders::content_disposition);
        disposition.is_some_and(ContentType::is_attachment)
    }

    /// The bytes after decoding the transfer encoding.
    pub(super) fn bytes(&self) -> Cow<'m, [u8]> {
        let encoding = self.headers.as_ref().and_then(MimeHeaders::content_transfer_encoding);
        let decoded = match encoding.unwrap_or_default().to_ascii_lowercase().as_str() {
            "base64" => base64_decode(self.body),
            "quoted-printable" => quoted_printable_decode(self.body),
            _ => None,
        };
        decoded.map_or(Cow::Borrowed(self.body), Cow::Owned)
    }

    /// The bytes as text in the declared encoding. If that is missing or a common default, it is guessed.
    pub(super) fn text(&self) -> String {
        let bytes = self.bytes();
        let said = self.content_type().and_then(|kind| kind.attribute("charset"));
        let said = said.and_then(|label| Encoding::for_label(label.as_bytes()));
        let common = [UTF_8, encoding_rs::WINDOWS_1252];
        match said.filter(|encoding| !common.contains(encoding)) {
            Some(encoding) => encoding.decode(&bytes).0.into_owned(),
            None => match encoding::decode_if_text(&bytes) {
                Some(text) => text.into_owned(),
                None => String::from_utf8_lossy(&bytes).into_owned(),
            },
        }
    }

    /// The parts between the boundaries; `None` if there are no boundaries.
    pub(super) fn parts(&self) -> Option<impl Iterator<Item = Entity<'m>> + use<'m>> {
        let boundary = self.content_type()?.attribute("boundary").filter(|boundary| !boundary.is_empty())?;
        let delimiter = format!("--{boundary}");
        let (body, mut at) = (self.body, 0);
        let mut next_delimiter = move || {
            loop {
                let found = at + memmem::find(&body[at..], delimiter.as_bytes())?;
                at = found + delimiter.len();
                if found == 0 || body[found - 1] == b'\n' {
                    return Some((found, at));
                }
            }
        };
        let mut start = next_delimiter();
        Some(std::iter::from_fn(move || {
            let (_, after) = start.take()?;
            if body[after..].starts_with(b"--") {
                return None;
            }
            let first = memchr(b'\n', &body[after..]).map_or(body.len(), |line| after + line + 1);
            start = next_delimiter();
            let end = start.map_or(body.len(), |(found, _)| found);
            Some(Entity::of(&body[first.min(end)..end]))
        }))
    }
}

/// The end of the empty line after the headers.
fn end_of_headers(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(length) = memchr(b'\n', &bytes[at..]) {
        let line = &bytes[at..at + length];
        at += length + 1;
        if line.is_empty() || line == b"\r" {
            return at;
        }
    }
    bytes.len()
}
