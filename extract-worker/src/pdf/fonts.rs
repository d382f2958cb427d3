//! Characters of glyphs that the PDF itself does not name: asked from the embedded font.
//!
//! A TrueType or OpenType font maps characters to glyphs, and that can be read backwards; a CID-keyed CFF
//! font says which glyph is which character of Adobe's Japanese, Chinese or Korean collection.

use hayro_interpret::font::{OutlineFontData, OutlineGlyph};
use hayro_interpret::hayro_cmap::{BfString, CMap, CidFamily, load_embedded};
use skrifa::MetadataProvider;
use skrifa::raw::TableProvider;
use std::collections::HashMap;

/// The fonts that have been asked so far.
#[derive(Default)]
pub(super) struct Fonts {
    known: HashMap<u128, Backwards>,
}

/// From glyphs to characters.
enum Backwards {
    Unknown,
    Characters(HashMap<u32, char>),
    Collection { cids: Vec<u16>, characters: Box<CMap> },
}

impl Fonts {
    /// The characters of a glyph, told by its font.
    pub(super) fn characters(&mut self, glyph: &OutlineGlyph) -> Option<BfString> {
        let font = glyph.font_data()?;
        let backwards = self.known.entry(font.cache_key).or_insert_with(|| Backwards::of(&font));
        let id = glyph.glyph_id().to_u32();
        match backwards {
            Backwards::Unknown => None,
            Backwards::Characters(characters) => characters.get(&id).copied().map(BfString::Char),
            Backwards::Collection { cids, characters } => {
                let cid = cids.get(usize::try_from(id).ok()?)?;
                characters.lookup_bf_string(u32::from(*cid))
            }
        }
    }
}

impl Backwards {
    fn of(font: &OutlineFontData) -> Self {
        let data: &[u8] = (*font.data).as_ref();
        let name = font.postscript_name.as_deref().unwrap_or_default();
        Self::of_open_type(data, name).or_else(|| Self::of_cff(data)).unwrap_or(Self::Unknown)
    }

    fn of_open_type(data: &[u8], name: &str) -> Option<Self> {
        let font = skrifa::FontRef::from_index(data, 0).ok()?;
        let pictures = ["Wingdings", "Webdings", "Dingbats", "Symbol"].iter().any(|of| name.contains(of));
        let mut characters = HashMap::new();
        for (code, glyph) in font.charmap().mappings() {
            // Fonts with an encoding of their own keep ASCII in the private use area.
            let code = if (0xf020..0xf07f).contains(&code) && !pictures { code - 0xf000 } else { code };
            let Some(character) = char::from_u32(code) else { continue };
            let known = characters.entry(glyph.to_u32()).or_insert(character);
            // Of several characters with one glyph the first is the plain one.
            *known = (*known).min(character);
        }
        if characters.is_empty() && font.maxp().ok()?.num_glyphs() >= WHOLE_FONT {
            // A subset that has lost its map, but not its numbering: that mostly is Apple's.
            let ascii = (' '..='~').enumerate();
            characters
                .extend(ascii.filter_map(|(at, ascii)| Some((u32::try_from(at).ok()? + APPLE_SPACE, ascii))));
        }
        (!characters.is_empty()).then_some(Self::Characters(characters))
    }

    fn of_cff(data: &[u8]) -> Option<Self> {
        let cff = Cff::read(data)?;
        let family = CidFamily::from_registry_ordering(cff.registry, cff.ordering);
        let characters = CMap::parse(load_embedded(family.ucs2_cmap()?)?, load_embedded)?;
        Some(Self::Collection { cids: cff.cids, characters: Box::new(characters) })
    }
}

/// The space in Apple's standard order of glyphs, which Microsoft's fonts follow; ASCII stands in line.
const APPLE_SPACE: u32 = 3;
/// Subsets that number their glyphs anew have fewer.
const WHOLE_FONT: u16 = 250;

/// What a CID-keyed CFF font says about its glyphs.
struct Cff<'f> {
    registry: &'f [u8],
    ordering: &'f [u8],
    /// The CID of each glyph.
    cids: Vec<u16>,
}

/// Strings below this number are standard, and no registry's name.
const STANDARD_STRINGS: usize = 391;

impl<'f> Cff<'f> {
    fn read(data: &'f [u8]) -> Option<Self> {
        let header = usize::from(*data.get(2)?);
        let (_, after_names) = index(data, header)?;
        let (dictionaries, after_dictionaries) = index(data, after_names)?;
        let (strings, _) = index(data, after_dictionaries)?;
        let (mut collection, mut charset, mut charstrings) = (None, None, None);
        operators(dictionaries.first()?, |operator, operands| match (operator, operands) {
            ((12, 30), [registry, ordering, _]) => collection = Some((*registry, *ordering)),
            ((15, _), [offset]) => charset = Some(*offset),
            ((17, _), [offset]) => charstrings = Some(*offset),
            _ => {}
        });
        let (registry, ordering) = collection?;
        let string = |id: i32| strings.get(usize::try_from(id).ok()?.checked_sub(STANDARD_STRINGS)?).copied();
        let (glyphs, _) = index(data, usize::try_from(charstrings?).ok()?)?;
        let cids = charset_cids(data.get(usize::try_from(charset?).ok()?..)?, glyphs.len())?;
        Some(Self { registry: string(registry)?, ordering: string(ordering)?, cids })
    }
}

/// The items of an INDEX, and where it ends.
fn index(data: &[u8], at: usize) -> Option<(Vec<&[u8]>, usize)> {
    let count = usize::from(number(data.get(at..at.checked_add(2)?)?));
    if count == 0 {
        return Some((Vec::new(), at + 2));
    }
    let size = usize::from(*data.get(at + 2)?);
    let offsets = data.get(at + 3..at + 3 + (count + 1) * size)?;
    let base = at + 2 + (count + 1) * size;
    let mut starts = offsets.chunks_exact(size.max(1)).map(|bytes| {
        bytes.iter().fold(0_usize, |offset, byte| (offset << 8 | usize::from(*byte)) & 0xffff_ffff)
    });
    let mut items = Vec::with_capacity(count);
    let mut start = base.checked_add(starts.next()?)?;
    for end in starts {
        let end = base.checked_add(end)?;
        items.push(data.get(start..end)?);
        start = end;
    }
    Some((items, start))
}

/// Calls `found` for each operator of a DICT, with its operands; real numbers count as 0.
fn operators(dictionary: &[u8], mut found: impl FnMut((u8, u8), &[i32])) {
    let mut operands = Vec::new();
    let mut bytes = dictionary.iter().copied();
    while let Some(byte) = bytes.next() {
        let mut next = || i32::from(bytes.next().unwrap_or_default());
        match byte {
            0..=21 => {
                let escaped = if byte == 12 { bytes.next().unwrap_or_default() } else { 0 };
                found((byte, escaped), &operands);
                operands.clear();
            }
            28 => operands.push(next() << 8 | next()),
            29 => operands.push(next() << 24 | next() << 16 | next() << 8 | next()),
            30 => {
                while bytes.next().is_some_and(|nibbles| nibbles & 0x0f != 0x0f && nibbles >> 4 != 0x0f) {}
                operands.push(0);
            }
            32..=246 => operands.push(i32::from(byte) - 139),
            247..=250 => operands.push((i32::from(byte) - 247) * 256 + next() + 108),
            251..=254 => operands.push(-(i32::from(byte) - 251) * 256 - next() - 108),
            _ => {}
        }
    }
}

/// The CIDs of a charset; glyph 0 is always CID 0.
fn charset_cids(charset: &[u8], glyphs: usize) -> Option<Vec<u16>> {
    let (format, mut rest) = charset.split_first()?;
    let mut cids = vec![0];
    let width = match format {
        0 => 0,
        1 => 1,
        2 => 2,
        _ => return None,
    };
    while cids.len() < glyphs {
        let range = rest.get(..2 + width)?;
        rest = &rest[2 + width..];
        let (first, more) = (number(&range[..2]), number(&range[2..]));
        let room = glyphs - cids.len();
        cids.extend((0..=more).map(|step| first.wrapping_add(step)).take(room));
    }
    Some(cids)
}

/// A big-endian number of up to two bytes.
fn number(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |number, byte| number << 8 | u16::from(*byte))
}
