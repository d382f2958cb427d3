//! Seeds, their mutations, and the time budget.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot be set up has failed")]

use crate::common::{Random, extractor, zip};
use dossier_extract::{ExtractError, Ocr, Request, Source, TextFormat, ThumbnailRequest, Tick};
use std::path::Path;
use std::time::{Duration, Instant};

/// The parts of a file by name.
type Parts = Vec<(&'static str, Vec<u8>)>;

/// A file in parts, which are mutated before they are assembled. A mutated ZIP file would only be damaged
/// and would not exercise the readers of its parts.
pub(crate) struct Seed {
    parts: Parts,
    assemble: fn(&Parts) -> Vec<u8>,
    /// Tokens with a meaning in the format.
    words: &'static [&'static str],
}

impl Seed {
    pub(crate) fn file(bytes: impl Into<Vec<u8>>, words: &'static [&'static str]) -> Self {
        Self { parts: vec![("", bytes.into())], assemble: |parts| parts[0].1.clone(), words }
    }

    pub(crate) fn package(parts: &[(&'static str, &str)], words: &'static [&'static str]) -> Self {
        let parts = parts.iter().map(|(name, xml)| (*name, xml.as_bytes().to_vec())).collect();
        let assemble = |parts: &Parts| {
            zip(&parts.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect::<Vec<_>>())
        };
        Self { parts, assemble, words }
    }

    fn mutated(&self, random: &mut Random) -> Vec<u8> {
        let mut parts = self.parts.clone();
        for _ in 0..=random.below(8) {
            let part = random.below(parts.len());
            mutate(&mut parts[part].1, self.words, random);
        }
        (self.assemble)(&parts)
    }
}

/// Numbers and bytes that are difficult in any format.
const TROUBLE: &[&str] =
    &["-1", "0", "65536", "4294967295", "99999999999999999999", "1e999", "nan", "\0", "\u{fffd}"];

fn mutate(bytes: &mut Vec<u8>, words: &[&str], random: &mut Random) {
    if bytes.is_empty() {
        bytes.push(b'x');
    }
    let (at, to) = (random.below(bytes.len()), random.below(bytes.len()));
    let (from, to) = (at.min(to), at.max(to));
    match random.below(7) {
        0 => bytes[at] = random.next().to_le_bytes()[0],
        1 => bytes[at] ^= 1 << random.below(8),
        2 => drop(bytes.drain(from..to.min(from + 40))),
        3 => bytes.truncate(to.max(1)),
        4 => {
            let piece = bytes[from..to.min(from + 300)].repeat(1 + random.below(20));
            bytes.splice(at..at, piece);
        }
        5 => {
            let word = TROUBLE[random.below(TROUBLE.len())];
            bytes.splice(at..at, word.bytes());
        }
        _ => {
            let word = words[random.below(words.len())].repeat(1 + random.below(30));
            bytes.splice(at..at, word.bytes());
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// How to process a file.
type Reader = fn(&[u8], Option<&str>) -> Result<(), ExtractError>;

/// Reads mutations of the seeds until time runs out.
pub(crate) fn survive(format: &str, media_type: Option<&str>, read: Reader, seeds: &[Seed]) {
    let seconds = Duration::from_secs(number("DOSSIER_MUTATION_SECONDS", 2));
    let seed = number("DOSSIER_MUTATION_SEED", 1);
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for seed in seeds {
        let whole = (seed.assemble)(&seed.parts);
        let outcome = read(&whole, media_type);
        assert!(outcome.is_ok(), "{format}: a seed that cannot be read tests nothing: {outcome:?}");
    }
    let start = Instant::now();
    let mut tried = 0_usize;
    while start.elapsed() < seconds {
        let file = seeds[tried % seeds.len()].mutated(&mut random);
        if let Err(error) = read(&file, media_type)
            && (matches!(error, ExtractError::Crashed { .. } | ExtractError::Timeout { .. })
                || error.is_transient())
        {
            let kept =
                Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mutation-{format}-{seed}-{tried}"));
            std::fs::write(&kept, &file).unwrap();
            panic!("{format}, mutation {tried} of seed {seed}: {error}; the file is {}", kept.display());
        }
        tried += 1;
    }
    println!("{format}: {tried} mutations");
}

/// Extracts text without OCR, because OCR works on pixels and not on the structure of the file.
pub(crate) fn extract(bytes: &[u8], media_type: Option<&str>) -> Result<(), ExtractError> {
    let media_type = media_type.map(str::to_owned);
    let request = Request { media_type, ocr: Ocr::Never, ..Request::default() };
    extractor().extract(&Source::from_bytes(bytes).unwrap(), &request, || Tick::Continue).map(drop)
}

/// Extracts Markdown, which looks for headings and tables.
pub(crate) fn extract_markdown(bytes: &[u8], _: Option<&str>) -> Result<(), ExtractError> {
    let request = Request { format: TextFormat::Markdown, ocr: Ocr::Never, ..Request::default() };
    extractor().extract(&Source::from_bytes(bytes).unwrap(), &request, || Tick::Continue).map(drop)
}

/// Makes a thumbnail, which decodes the image.
pub(crate) fn thumbnail(bytes: &[u8], _: Option<&str>) -> Result<(), ExtractError> {
    let source = Source::from_bytes(bytes).unwrap();
    extractor().thumbnail(&source, &ThumbnailRequest::default(), || Tick::Continue).map(drop)
}
