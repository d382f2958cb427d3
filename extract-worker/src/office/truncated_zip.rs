//! Truncated ZIP files without a central directory: parts are found by their local headers.

use flate2::read::DeflateDecoder;
use std::io::Read;

/// The parts that begin before the file is cut off.
#[derive(Debug)]
pub(crate) struct TruncatedZip<'f> {
    parts: Vec<(String, Part<'f>)>,
}

#[derive(Debug, Clone, Copy)]
struct Part<'f> {
    is_deflated: bool,
    /// From the first byte of the part to the end of the file, because sizes may be missing or false.
    data: &'f [u8],
    size: usize,
}

const SIGNATURE: &[u8] = b"PK\x03\x04";
const HEADER_BYTES: usize = 30;
/// Maximum number of parts; no real office file has more.
const MOST_PARTS: usize = 20_000;
const IS_ENCRYPTED: usize = 1;
const STORED: usize = 0;
const DEFLATED: usize = 8;

impl<'f> TruncatedZip<'f> {
    /// `None` unless the file starts with a part.
    pub(crate) fn open(bytes: &'f [u8]) -> Option<Self> {
        if !bytes.starts_with(SIGNATURE) {
            return None;
        }
        let mut parts = Vec::new();
        for at in memchr::memmem::find_iter(bytes, SIGNATURE).take(MOST_PARTS) {
            if let Some((name, part)) = header(&bytes[at..]) {
                parts.push((name, part));
            }
        }
        (!parts.is_empty()).then_some(Self { parts })
    }

    /// The names of the parts. Data that looks like a header inside a part comes after the part's real header.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|(name, _)| name.as_str())
    }

    /// The decompressed part, up to where the file is cut off.
    pub(crate) fn part(&self, index: usize) -> Option<Box<dyn Read + 'f>> {
        let (_, part) = self.parts.get(index)?;
        if part.is_deflated {
            return Some(Box::new(DeflateDecoder::new(part.data)));
        }
        Some(Box::new(part.data.get(..part.size).unwrap_or(part.data)))
    }
}

/// The name and data of the part after a local header.
fn header(bytes: &[u8]) -> Option<(String, Part<'_>)> {
    let number = |at: usize, length: usize| {
        let bytes = bytes.get(at..at + length)?;
        Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    };
    let (flags, method, size) = (number(6, 2)?, number(8, 2)?, number(18, 4)?);
    let (name, extra) = (number(26, 2)?, number(28, 2)?);
    if flags & IS_ENCRYPTED != 0 || !matches!(method, STORED | DEFLATED) {
        return None;
    }
    let data = bytes.get(HEADER_BYTES + name + extra..)?;
    let name = std::str::from_utf8(&bytes[HEADER_BYTES..HEADER_BYTES + name]).ok()?;
    Some((name.to_owned(), Part { is_deflated: method == DEFLATED, data, size }))
}
