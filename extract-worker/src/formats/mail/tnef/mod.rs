//! `winmail.dat`: what Outlook puts into mail to programs that it takes for its like (TNEF, MS-OXTNEF).
//!
//! It has the text of the mail, usually as compressed RTF, and the attachments.
//!
//! Invariant: lengths that exceed the bytes are cut, and messages within messages are left to the caller.

mod compressed_rtf;
mod properties;

use crate::formats::{html, rtf};
use crate::input::charset::Charset;
use crate::input::encoding;
use dossier_extract::{Metadata, TextFormat};
use properties::{Properties, Value};

const SIGNATURE: u32 = 0x223e_9f78;

/// What a container has.
#[derive(Debug, Default)]
pub(super) struct Container {
    pub(super) subject: Option<String>,
    charset: Option<Charset>,
    plain: Option<String>,
    html: Option<String>,
    rtf: Option<Vec<u8>>,
    pub(super) attachments: Vec<Attachment>,
}

/// A file in a container.
#[derive(Debug, Default)]
pub(super) struct Attachment {
    pub(super) name: Option<String>,
    /// Another container, if a message is attached.
    pub(super) message: Option<Vec<u8>>,
}

/// The attributes that matter, by number. The upper half is the type of their value.
mod attribute {
    pub(super) const SUBJECT: u32 = 0x0001_8004;
    pub(super) const BODY: u32 = 0x0002_800c;
    pub(super) const CODE_PAGE: u32 = 0x0006_9007;
    pub(super) const MESSAGE_PROPERTIES: u32 = 0x0006_9003;
    /// Each attachment begins with it.
    pub(super) const ATTACHMENT: u32 = 0x0006_9002;
    pub(super) const ATTACHMENT_TITLE: u32 = 0x0001_8010;
    pub(super) const ATTACHMENT_PROPERTIES: u32 = 0x0006_9005;
}

/// Properties, by number.
mod property {
    pub(super) const SUBJECT: u16 = 0x0037;
    pub(super) const BODY: u16 = 0x1000;
    pub(super) const RTF: u16 = 0x1009;
    pub(super) const HTML: u16 = 0x1013;
    pub(super) const CODE_PAGE: u16 = 0x3fde;
    pub(super) const ATTACHED_OBJECT: u16 = 0x3701;
    pub(super) const FILE_NAME: u16 = 0x3704;
    pub(super) const LONG_FILE_NAME: u16 = 0x3707;
    pub(super) const DISPLAY_NAME: u16 = 0x3001;
}

/// As many attachments are read.
const MOST_ATTACHMENTS: usize = 1000;

impl Container {
    /// Opens a container; `None` for anything else.
    pub(super) fn open(bytes: &[u8]) -> Option<Self> {
        let (signature, rest) = bytes.split_first_chunk()?;
        if u32::from_le_bytes(*signature) != SIGNATURE {
            return None;
        }
        let mut container = Self::default();
        // After the signature there is a key for attachments in other places.
        let mut rest = rest.get(2..)?;
        while let Some((number, value, after)) = next_attribute(rest) {
            container.attribute(number, value);
            rest = after;
        }
        Some(container)
    }

    fn attribute(&mut self, number: u32, value: &[u8]) {
        match number {
            attribute::CODE_PAGE => {
                let page = value.first_chunk().map(|page| u32::from_le_bytes(*page));
                self.charset = page.and_then(Charset::of_code_page);
            }
            attribute::SUBJECT => self.subject = self.subject.take().or(Some(self.text(value))),
            attribute::BODY => self.plain = self.plain.take().or(Some(self.text(value))),
            attribute::MESSAGE_PROPERTIES => self.properties(&Properties::of(value, self.charset)),
            attribute::ATTACHMENT if self.attachments.len() < MOST_ATTACHMENTS => {
                self.attachments.push(Attachment::default());
            }
            attribute::ATTACHMENT_TITLE => {
                let title = self.text(value);
                if let Some(attachment) = self.attachments.last_mut() {
                    attachment.name.get_or_insert(title);
                }
            }
            attribute::ATTACHMENT_PROPERTIES => {
                let properties = Properties::of(value, self.charset);
                if let Some(attachment) = self.attachments.last_mut() {
                    attachment.properties(&properties);
                }
            }
            _ => {}
        }
    }

    fn properties(&mut self, properties: &Properties) {
        let page = properties.number(property::CODE_PAGE);
        let charset = page.and_then(Charset::of_code_page).or(self.charset);
        // These are whole, whereas the older attributes have lost what their code page lacks.
        self.subject = properties.text(property::SUBJECT).or(self.subject.take());
        self.plain = properties.text(property::BODY).or(self.plain.take());
        self.html = match properties.get(property::HTML) {
            Some(Value::Text(page)) => Some(page.clone()),
            Some(Value::Bytes(bytes)) => html::decode(bytes, charset).map(Into::into),
            _ => None,
        };
        if let Some(Value::Bytes(bytes)) = properties.get(property::RTF) {
            self.rtf = compressed_rtf::decompressed(bytes);
        }
    }

    fn text(&self, bytes: &[u8]) -> String {
        text(bytes, self.charset)
    }

    /// The text of the message: the plainest one that it has.
    pub(super) fn body(&self, format: TextFormat) -> String {
        if let Some(plain) = self.plain.as_ref().filter(|plain| !plain.trim().is_empty()) {
            return plain.clone();
        }
        if let Some(page) = &self.html {
            return html::text_of(page, format, &mut Metadata::default()).0;
        }
        self.rtf.as_ref().map(|rtf| rtf::text_of(rtf, format)).unwrap_or_default()
    }
}

impl Attachment {
    fn properties(&mut self, properties: &Properties) {
        let name = [property::LONG_FILE_NAME, property::FILE_NAME, property::DISPLAY_NAME]
            .into_iter()
            .find_map(|name| properties.text(name));
        self.name = name.or(self.name.take());
        if let Some(Value::Object(bytes)) = properties.get(property::ATTACHED_OBJECT) {
            self.message = Some(bytes.clone());
        }
    }
}

/// The first attribute of a stream: its number, its value and what follows.
fn next_attribute(bytes: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    // The first byte says whether it belongs to the message or to an attachment.
    let (number, rest) = bytes.get(1..)?.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (value, rest) = rest.split_at(length.min(rest.len()));
    // A checksum of two bytes follows.
    Some((u32::from_le_bytes(*number), value, rest.get(2..).unwrap_or_default()))
}

/// Decodes a string that ends with a zero.
fn text(bytes: &[u8], charset: Option<Charset>) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    match encoding::decode_said(&bytes[..end], charset) {
        Some(text) => text.into_owned(),
        None => String::from_utf8_lossy(&bytes[..end]).into_owned(),
    }
}
