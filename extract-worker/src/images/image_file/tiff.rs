//! The pages of a TIFF: a chain of directories, each of which describes one image.
//!
//! Decoders read only the first directory. [`Page`] presents the file with a header that points to another
//! one, so the same decoder can read every page.

use std::collections::HashSet;
use std::io::{self, BufRead, Read, Seek, SeekFrom};

/// The offsets of the pages' directories, at most `most`. The chain ends if it leaves the file or loops.
pub(super) fn directories(bytes: &[u8], most: usize) -> Vec<u64> {
    let Some(layout) = Layout::of(bytes) else { return Vec::new() };
    let (mut seen, mut pages) = (HashSet::new(), Vec::new());
    let mut at = layout.number(bytes, layout.first, layout.word);
    while let Some(directory) = at.filter(|at| *at != 0 && pages.len() < most && seen.insert(*at)) {
        let Some(entries) = layout.number(bytes, directory, layout.count) else { break };
        if !layout.is_preview(bytes, directory, entries) {
            pages.push(directory);
        }
        at = entries
            .checked_mul(layout.entry)
            .and_then(|size| directory.checked_add(layout.count)?.checked_add(size))
            .and_then(|end| layout.number(bytes, end, layout.word));
    }
    pages
}

/// The field sizes of a classic TIFF or a `BigTIFF`.
#[derive(Debug, Clone, Copy)]
struct Layout {
    is_little: bool,
    /// Position of the offset of the first directory in the header.
    first: u64,
    /// Size of an offset, in bytes.
    word: u64,
    /// Size of the number of entries, in bytes.
    count: u64,
    /// Size of an entry, in bytes.
    entry: u64,
}

/// The subfile type tag, always the first in a directory. Its lowest bit marks a reduced copy of another
/// page.
const KIND: u64 = 254;

impl Layout {
    fn of(bytes: &[u8]) -> Option<Self> {
        let classic = |is_little| Self { is_little, first: 4, word: 4, count: 2, entry: 12 };
        let big = |is_little| Self { is_little, first: 8, word: 8, count: 8, entry: 20 };
        match bytes.get(..4)? {
            b"II*\0" => Some(classic(true)),
            b"MM\0*" => Some(classic(false)),
            b"II+\0" => Some(big(true)),
            b"MM\0+" => Some(big(false)),
            _ => None,
        }
    }

    fn number(self, bytes: &[u8], at: u64, size: u64) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let digits = bytes.get(at..at.checked_add(usize::try_from(size).ok()?)?)?;
        let append = |number: u64, digit: &u8| number << 8 | u64::from(*digit);
        Some(if self.is_little { digits.iter().rev().fold(0, append) } else { digits.iter().fold(0, append) })
    }

    fn is_preview(self, bytes: &[u8], directory: u64, entries: u64) -> bool {
        let entry = directory.saturating_add(self.count);
        // Two bytes each for tag and type, then the count (as long as an offset), then the value.
        let value = entry.saturating_add(4 + self.word);
        entries > 0
            && self.number(bytes, entry, 2) == Some(KIND)
            && self.number(bytes, value, 4).is_some_and(|kind| kind & 1 == 1)
    }
}

/// A TIFF file whose header points to one of its later pages.
#[derive(Debug)]
pub(super) struct Page<'b> {
    header: Vec<u8>,
    bytes: &'b [u8],
    position: u64,
}

impl<'b> Page<'b> {
    pub(super) fn new(bytes: &'b [u8], directory: u64) -> Self {
        let mut header = Vec::new();
        if let Some(layout) = Layout::of(bytes) {
            let (first, word) =
                (usize::from(layout.first == 8) * 4 + 4, usize::from(layout.word == 8) * 4 + 4);
            header.extend_from_slice(&bytes[..first.min(bytes.len())]);
            let offset = directory.to_le_bytes();
            let digits = offset[..word].iter();
            if layout.is_little { header.extend(digits) } else { header.extend(digits.rev()) }
        }
        Self { header, bytes, position: 0 }
    }
}

impl BufRead for Page<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let at = usize::try_from(self.position).unwrap_or(usize::MAX);
        let rest = match self.header.get(at..) {
            Some(header) if !header.is_empty() => header,
            _ => self.bytes.get(at..).unwrap_or_default(),
        };
        Ok(rest)
    }

    fn consume(&mut self, count: usize) {
        self.position += count as u64;
    }
}

impl Read for Page<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl Seek for Page<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => (self.bytes.len() as u64).checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
