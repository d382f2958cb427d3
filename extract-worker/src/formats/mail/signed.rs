//! The content of signed mail whose text is inside the signature (S/MIME, CMS of RFC 5652).
//!
//! Signatures are not checked. Invariant: no recursion, and lengths that exceed the bytes are cut.

/// What a CMS message contains.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A message or a part of one, as it was before it was signed.
    Signed(Vec<u8>),
    /// Something that cannot be read without a key.
    Encrypted,
    /// Certificates, or anything else without text.
    Other,
}

const SEQUENCE: u8 = 0x30;
const OCTETS: u8 = 0x04;
const OCTETS_IN_PIECES: u8 = 0x24;
/// `[0]`, explicitly tagged.
const FIRST: u8 = 0xa0;
const END: u8 = 0x00;

/// Object identifiers: PKCS #7 signed data, then what needs a key.
const SIGNED: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
const ENCRYPTED: [&[u8]; 4] = [
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x04",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17",
];

/// Opens a CMS message.
pub(super) fn open(bytes: &[u8]) -> Content {
    let Some((kind, inside)) = kind(bytes) else { return Content::Other };
    if ENCRYPTED.contains(&kind) {
        return Content::Encrypted;
    }
    match (kind == SIGNED).then(|| signed(inside)).flatten() {
        Some(content) if !content.is_empty() => Content::Signed(content),
        _ => Content::Other,
    }
}

/// The kind of a message, and the rest of it.
fn kind(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let message = Element::at(bytes)?.tagged(SEQUENCE)?;
    let kind = Element::at(message.inside)?;
    Some((kind.inside, kind.after()))
}

/// The content of signed data.
fn signed(bytes: &[u8]) -> Option<Vec<u8>> {
    let data = Element::at(Element::at(bytes)?.tagged(FIRST)?.inside)?.tagged(SEQUENCE)?;
    let version = Element::at(data.inside)?;
    let algorithms = Element::at(version.after())?;
    let content = Element::at(algorithms.after())?.tagged(SEQUENCE)?;
    let kind = Element::at(content.inside)?;
    Some(octets(Element::at(kind.after())?.tagged(FIRST)?.inside))
}

/// The bytes of a string, which may be in pieces.
fn octets(mut bytes: &[u8]) -> Vec<u8> {
    let mut string = Vec::new();
    // The number of end marks that follow.
    let mut open = 0_usize;
    while let Some(piece) = Element::at(bytes) {
        bytes = match piece.tag {
            OCTETS => {
                string.extend_from_slice(piece.inside);
                piece.after()
            }
            OCTETS_IN_PIECES => {
                open += usize::from(piece.rest.is_none());
                piece.inside
            }
            END if open > 0 => {
                open -= 1;
                piece.after()
            }
            _ => break,
        };
    }
    string
}

/// A value in the Basic Encoding Rules.
struct Element<'b> {
    tag: u8,
    /// Its content; all bytes that follow, if its length is not given.
    inside: &'b [u8],
    /// What follows; `None` if its length is not given, and an end mark follows its content.
    rest: Option<&'b [u8]>,
}

impl<'b> Element<'b> {
    fn at(bytes: &'b [u8]) -> Option<Self> {
        let (&tag, rest) = bytes.split_first()?;
        let (&length, rest) = rest.split_first()?;
        let (length, bytes) = match length {
            0x80 => return Some(Self { tag, inside: rest, rest: None }),
            ..0x80 => (usize::from(length), rest),
            _ => {
                let (digits, bytes) = rest.split_at_checked(usize::from(length & 0x7f))?;
                let length = digits.iter().fold(0_usize, |length, digit| {
                    length.saturating_mul(256).saturating_add(usize::from(*digit))
                });
                (length, bytes)
            }
        };
        let (inside, rest) = bytes.split_at(length.min(bytes.len()));
        Some(Self { tag, inside, rest: Some(rest) })
    }

    fn tagged(self, tag: u8) -> Option<Self> {
        (self.tag == tag).then_some(self)
    }

    /// The bytes after it.
    fn after(&self) -> &'b [u8] {
        if let Some(rest) = self.rest {
            return rest;
        }
        let mut bytes = self.inside;
        let mut open = 1_usize;
        while open > 0
            && let Some(element) = Element::at(bytes)
        {
            match (element.rest, element.tag) {
                (Some(rest), END) => {
                    open -= 1;
                    bytes = rest;
                }
                (Some(rest), _) => bytes = rest,
                (None, _) => {
                    open += 1;
                    bytes = element.inside;
                }
            }
        }
        bytes
    }
}
