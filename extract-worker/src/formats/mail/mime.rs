//! The entities of a mail: their headers, their parts and their decoded content.

use super::header::{Headers, Value};
use super::{transfer, words};
use crate::formats::html;
use memchr::{memchr, memmem};
use std::borrow::Cow;

/// A message or a part of one.
pub(super) struct Entity<'m> {
    pub(super) headers: Headers<'m>,
    content_type: Option<Value>,
    body: &'m [u8],
}

impl<'m> Entity<'m> {
    pub(super) fn of(bytes: &'m [u8]) -> Self {
        let (headers, end) = Headers::of(bytes);
        let content_type = headers.value("content-type");
        Self { headers, content_type, body: &bytes[end..] }
    }

    /// `text/plain`, where nothing else is said.
    pub(super) fn media_type(&self) -> &str {
        let said = self.content_type.as_ref().map(|value| value.main.as_str());
        match said.filter(|said| said.contains('/')) {
            Some(said) => said,
            // Older than the slash.
            None if said == Some("html") => "text/html",
            None => "text/plain",
        }
    }

    /// The name under which it is attached.
    pub(super) fn file_name(&self) -> Option<String> {
        let disposition = self.headers.value("content-disposition");
        let name = disposition.as_ref().and_then(|value| value.parameter("filename"));
        let name = name.or_else(|| self.content_type.as_ref()?.parameter("name"))?;
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        (!name.is_empty()).then_some(name)
    }

    pub(super) fn is_attachment(&self) -> bool {
        self.headers.value("content-disposition").is_some_and(|value| value.main == "attachment")
    }

    /// Whether it is part of how another part looks: a picture that a page shows.
    pub(super) fn is_inline(&self) -> bool {
        self.media_type().starts_with("image/")
            && !self.is_attachment()
            && self.headers.raw("content-id").is_some()
    }

    /// The bytes, without what was done to them for the journey.
    pub(super) fn bytes(&self) -> Cow<'m, [u8]> {
        let encoding = self.headers.value("content-transfer-encoding").unwrap_or_default();
        match encoding.main.as_str() {
            "base64" => Cow::Owned(transfer::base64_body(self.body)),
            "quoted-printable" => Cow::Owned(transfer::quoted_printable(self.body)),
            "x-uuencode" | "uuencode" | "x-uue" | "uue" => match transfer::uuencoded(self.body) {
                Some(file) => Cow::Owned(file.bytes),
                None => Cow::Borrowed(self.body),
            },
            _ => Cow::Borrowed(self.body),
        }
    }

    /// The bytes as text.
    pub(super) fn text(&self) -> String {
        words::characters(&self.bytes(), self.headers.charset())
    }

    /// The bytes as the text of a web page, which may name its charset itself.
    pub(super) fn page(&self) -> String {
        let bytes = self.bytes();
        match html::decode(&bytes, self.headers.charset()) {
            Some(page) => page.into_owned(),
            None => String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// The parts between the boundaries; `None`: there are no boundaries.
    pub(super) fn parts(&self) -> Option<impl Iterator<Item = Entity<'m>> + use<'m>> {
        let boundary = self.content_type.as_ref()?.parameter("boundary")?;
        let delimiter = format!("--{}", boundary.trim_end());
        let (body, mut at) = (self.body, 0);
        let mut next_delimiter = move || {
            loop {
                let found = at + memmem::find(&body[at..], delimiter.as_bytes())?;
                at = found + delimiter.len();
                let starts_line = found == 0 || body[found - 1] == b'\n';
                // Not the delimiter of a part within, of which the name begins alike.
                let after = body[at..].strip_prefix(b"--").unwrap_or(&body[at..]);
                if starts_line && after.first().is_none_or(u8::is_ascii_whitespace) {
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
