//! Finds the characters of glyphs that the PDF's own maps do not cover.
//!
//! Sources, in this order: a malformed map in the PDF; the embedded font (its character map, glyph names, or
//! the CIDs of one of Adobe's collections); the font dictionary ([`CidFont`]); the glyph order that most
//! fonts share. The last is a guess, and is marked as one.

mod cid_font;
pub(in crate::pdf) mod glyph_guesses;
pub(in crate::pdf) mod styles;

use crate::pdf::unicode::{is_private, is_readable};
use cid_font::{CidFont, Parsed};
use encoding_rs::MACINTOSH;
use hayro_interpret::font::{Glyph, OutlineFontData, OutlineGlyph, StandardFont};
use hayro_interpret::hayro_cmap::{BfString, CMap, CidFamily, load_embedded};
use hayro_interpret::hayro_syntax::object::{Dict, Name, ObjRef, Stream};
use hayro_interpret::hayro_syntax::page::Resources;
use skrifa::MetadataProvider;
use skrifa::raw::ps::agl::name_to_char;
use skrifa::raw::ps::cff::{CffFontRef, dict};
use skrifa::raw::tables::cff::Cff;
use skrifa::raw::tables::post::DEFAULT_GLYPH_NAMES;
use skrifa::raw::{FontRead, TableProvider};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Subsets that renumber their glyphs have fewer glyphs than this.
const WHOLE_FONT: u16 = 250;

/// Maximum number of fonts, and of forms, per page that are checked for a map.
const MOST_FONTS: usize = 200;

/// A character, and whether it is certain.
pub(in crate::pdf) enum Named {
    Surely(BfString),
    Perhaps(char),
}

/// The fonts seen so far.
///
/// Invariant: what a page says does not depend on the pages before it, which another thread may have read.
#[derive(Default)]
pub(in crate::pdf) struct Fonts {
    known: HashMap<(u128, Option<String>), Font>,
    /// The dictionaries of the page's composite fonts,
    composites: HashMap<(u128, Option<String>), Option<Rc<CidFont>>>,
    /// and those of all pages so far.
    parsed: Parsed,
    /// Names of the page's fonts without any map from codes to characters.
    unmapped: HashSet<String>,
    /// The same, for each font and form inspected so far.
    looked_at: HashMap<ObjRef, Vec<String>>,
}

/// A font.
struct Font {
    program: Program,
    /// Whether the font program is in the file.
    is_embedded: bool,
    /// In a font with a custom encoding: characters by glyph, if its codes are ASCII, as they usually are.
    coded: HashMap<u32, char>,
    /// Whether its glyphs are symbols, whatever their codes mean in other fonts.
    is_pictures: bool,
}

impl Fonts {
    /// Finds the page's fonts that have no map from codes to characters.
    pub(in crate::pdf) fn start_page(&mut self, resources: &Resources<'_>) {
        self.unmapped.clear();
        self.composites.clear();
        let Self { unmapped, looked_at, .. } = self;
        let mut add =
            |holder: &Dict<'_>, key: &[u8], find: &dyn Fn() -> Vec<String>| match holder.get_ref(key) {
                Some(reference) => {
                    unmapped.extend(looked_at.entry(reference).or_insert_with(find).iter().cloned());
                }
                None => unmapped.extend(find()),
            };
        let (fonts, forms) = (&resources.fonts, &resources.x_objects);
        for key in fonts.keys().take(MOST_FONTS) {
            add(fonts, &key, &|| unmapped_names(fonts, &key));
        }
        for key in forms.keys().take(MOST_FONTS) {
            add(forms, &key, &|| {
                let form = forms.get::<Stream<'_>>(&*key);
                let own = form.and_then(|form| form.dict().get::<Dict<'_>>(b"Resources"));
                let fonts = own.and_then(|own| own.get::<Dict<'_>>(b"Font")).unwrap_or_default();
                fonts.keys().take(MOST_FONTS).flat_map(|key| unmapped_names(&fonts, &key)).collect()
            });
        }
    }

    /// The characters of a glyph, according to the PDF or else its font. `resources` are those of the page
    /// and contain the font.
    pub(in crate::pdf) fn name(&mut self, glyph: &Glyph<'_>, resources: &Resources<'_>) -> Option<Named> {
        let told = glyph.as_unicode().filter(is_readable);
        if let Glyph::Outline(outline) = glyph
            && !self.unmapped.is_empty()
            && outline.font_data().is_some_and(|data| self.is_unmapped(&data))
        {
            // hayro assumes Adobe's standard encoding.
            let by_code =
                told.and_then(|told| if let BfString::Char(code) = told { Some(code) } else { None });
            return self.ask(outline, resources).or(by_code.map(Named::Perhaps));
        }
        told.map(Named::Surely).or_else(|| self.name_without_map(glyph, resources))
    }

    /// The same according to the font, ignoring the maps of the PDF.
    pub(in crate::pdf) fn name_without_map(
        &mut self,
        glyph: &Glyph<'_>,
        resources: &Resources<'_>,
    ) -> Option<Named> {
        match glyph {
            Glyph::Outline(outline) => self.ask(outline, resources),
            Glyph::Type3(_) => None,
        }
    }

    fn is_unmapped(&self, data: &OutlineFontData) -> bool {
        data.postscript_name.as_ref().is_some_and(|name| self.unmapped.contains(name))
    }

    fn ask(&mut self, glyph: &OutlineGlyph, resources: &Resources<'_>) -> Option<Named> {
        let data = glyph.font_data()?;
        let key = (data.cache_key, data.postscript_name.clone());
        let font = self.known.entry(key.clone()).or_insert_with(|| Font::new(&data));
        let composite = self.composites.entry(key).or_insert_with(|| {
            let name = data.postscript_name.as_deref().unwrap_or_default();
            CidFont::find(name, font.is_embedded, resources, &mut self.parsed)
        });
        font.characters(composite.as_deref(), glyph.glyph_id().to_u32(), glyph.char_code())
    }
}

impl Font {
    fn new(data: &OutlineFontData) -> Self {
        let name = data.postscript_name.as_deref().unwrap_or_default();
        let bytes = (*data.data).as_ref();
        let is_embedded = !is_stand_in(bytes);
        // A substitute for a missing font has its own glyph indexes.
        let is_pictures = ["Wingdings", "Webdings", "Dingbats", "Symbol"].iter().any(|of| name.contains(of));
        let program = if is_embedded { Program::read(bytes, is_pictures) } else { Program::Unknown };
        let coded = if is_embedded && !is_pictures { codes(bytes) } else { HashMap::new() };
        Self { program, is_embedded, coded, is_pictures }
    }

    fn characters(&self, composite: Option<&CidFont>, glyph: u32, code: u32) -> Option<Named> {
        let told = composite.and_then(|composite| composite.mapped(code));
        let told = told.or_else(|| self.program.character(glyph));
        let told = told.or_else(|| composite?.character(code));
        let is_plain = |told: &BfString| !matches!(told, BfString::Char(character) if is_private(*character));
        match told {
            Some(told) if is_plain(&told) => Some(Named::Surely(told)),
            told => self.guess(composite, glyph, code).map(Named::Perhaps).or(told.map(Named::Surely)),
        }
    }

    fn guess(&self, composite: Option<&CidFont>, glyph: u32, code: u32) -> Option<char> {
        if let Some(coded) = self.coded.get(&glyph) {
            return Some(*coded);
        }
        match (&self.program, composite) {
            (Program::Numbered, _) => in_common_order(glyph),
            (Program::Unknown, Some(composite)) if !composite.is_embedded => {
                in_common_order(composite.glyph(code)?)
            }
            (Program::Characters(_), None) if !self.is_pictures => of_macintosh(code),
            _ => None,
        }
    }
}

/// The name of a simple font with neither an encoding nor a map to Unicode. Its codes usually are ASCII, but a
/// subset may have renumbered them.
fn unmapped_names(fonts: &Dict<'_>, key: &[u8]) -> Vec<String> {
    let name = || {
        let font = fonts.get::<Dict<'_>>(key)?;
        let is_simple = font.get::<Name<'_>>(b"Subtype").as_deref() == Some(b"TrueType");
        let is_mapped = font.contains_key(b"ToUnicode")
            || font.get::<Name<'_>>(b"Encoding").is_some()
            || font.get::<Dict<'_>>(b"Encoding").is_some_and(|encoding| {
                encoding.contains_key(b"BaseEncoding") || encoding.contains_key(b"Differences")
            });
        let name = font.get::<Name<'_>>(b"BaseFont").filter(|_| is_simple && !is_mapped)?;
        let name = name.as_str();
        let whole = name.split_once('+').filter(|(subset, _)| subset.len() == 6);
        Some(whole.map_or(name, |(_, whole)| whole).to_owned())
    };
    name().into_iter().collect()
}

/// Characters by glyph in a font with a custom encoding, which has ASCII in the private use area.
fn codes(data: &[u8]) -> HashMap<u32, char> {
    let Ok(font) = skrifa::FontRef::from_index(data, 0) else { return HashMap::new() };
    let charmap = font.charmap();
    if !charmap.is_symbol() {
        return HashMap::new();
    }
    let ascii = |code: u32| {
        let code = if code >= 0xf000 { code - 0xf000 } else { code };
        u8::try_from(code).ok().filter(|code| matches!(code, 0x20..=0x7e)).map(char::from)
    };
    charmap.mappings().filter_map(|(code, glyph)| Some((glyph.to_u32(), ascii(code)?))).collect()
}

/// The character for a code beyond ASCII in Mac OS Roman, the usual encoding of fonts that name none.
fn of_macintosh(code: u32) -> Option<char> {
    let byte = u8::try_from(code).ok().filter(|byte| !byte.is_ascii())?;
    MACINTOSH.decode_without_bom_handling(&[byte]).0.chars().next()
}

/// Whether these are the bytes of a font that is built into hayro.
fn is_stand_in(bytes: &[u8]) -> bool {
    use StandardFont as Font;
    let plain = [Font::Helvetica, Font::HelveticaBold, Font::HelveticaOblique, Font::HelveticaBoldOblique];
    let serif = [Font::TimesRoman, Font::TimesBold, Font::TimesItalic, Font::TimesBoldItalic];
    let fixed = [Font::Courier, Font::CourierBold, Font::CourierOblique, Font::CourierBoldOblique];
    let all = [&plain[..], &serif, &fixed, &[Font::Symbol, Font::ZapfDingBats]].concat();
    all.iter().any(|font| std::ptr::eq((*font.get_font_data().0).as_ref(), bytes))
}

/// The character of a glyph in Apple's standard order, which Microsoft's and many other fonts follow.
pub(in crate::pdf) fn in_common_order(glyph: u32) -> Option<char> {
    DEFAULT_GLYPH_NAMES.get(usize::try_from(glyph).ok()?).and_then(|name| name_to_char(name))
}

/// A font program, mapped from glyphs to characters.
enum Program {
    Unknown,
    /// A subset without a character map that kept the original glyph indexes.
    Numbered,
    Characters(HashMap<u32, char>),
    /// Maps from glyphs to CIDs, and from CIDs to characters.
    Collection(HashMap<u32, u32>, Box<CMap>),
}

impl Program {
    fn read(data: &[u8], is_pictures: bool) -> Self {
        Self::open_type(data, is_pictures).or_else(|| Self::cff(data)).unwrap_or(Self::Unknown)
    }

    fn character(&self, glyph: u32) -> Option<BfString> {
        match self {
            Self::Unknown | Self::Numbered => None,
            Self::Characters(characters) => characters.get(&glyph).copied().map(BfString::Char),
            Self::Collection(cids, characters) => characters.lookup_bf_string(*cids.get(&glyph)?),
        }
    }

    fn open_type(data: &[u8], is_pictures: bool) -> Option<Self> {
        let font = skrifa::FontRef::from_index(data, 0).ok()?;
        let mut characters = HashMap::new();
        let charmap = font.charmap();
        // Custom encodings are not Unicode; [`codes`] reads them.
        let mappings = (!charmap.is_symbol() || is_pictures).then(|| charmap.mappings());
        for (code, glyph) in mappings.into_iter().flatten() {
            let Some(character) = char::from_u32(code) else { continue };
            let known = characters.entry(glyph.to_u32()).or_insert(character);
            // Of several characters with the same glyph, the lowest is the plain one.
            *known = (*known).min(character);
        }
        let glyphs = font.maxp().ok()?.num_glyphs();
        if let Ok(post) = font.post() {
            let names = (0..glyphs).filter_map(|glyph| Some((glyph, post.glyph_name(glyph.into())?)));
            add_names(&mut characters, names.map(|(glyph, name)| (glyph.into(), name)));
        }
        if !characters.is_empty() {
            return Some(Self::Characters(characters));
        }
        let outlines = font.table_data(skrifa::Tag::new(b"CFF ")).and_then(|data| Self::cff(data.as_bytes()));
        outlines.or_else(|| (glyphs >= WHOLE_FONT).then_some(Self::Numbered))
    }

    fn cff(data: &[u8]) -> Option<Self> {
        let font = CffFontRef::new_cff(data, 0, None).ok()?;
        let glyphs = font.charset()?.iter().map(|(glyph, string)| (glyph.to_u32(), string));
        if font.is_cid() {
            let map = CMap::parse(load_embedded(collection(data)?.ucs2_cmap()?)?, load_embedded)?;
            let cids = glyphs.map(|(glyph, cid)| (glyph, cid.to_u16().into())).collect();
            return Some(Self::Collection(cids, Box::new(map)));
        }
        let mut characters = HashMap::new();
        let names =
            glyphs.filter_map(|(glyph, name)| Some((glyph, std::str::from_utf8(font.string(name)?).ok()?)));
        add_names(&mut characters, names);
        (!characters.is_empty()).then_some(Self::Characters(characters))
    }
}

/// Adds characters from glyph names, unless a better one is known.
fn add_names<'n>(characters: &mut HashMap<u32, char>, names: impl Iterator<Item = (u32, &'n str)>) {
    for (glyph, name) in names {
        let Some(character) = name_to_char(name).filter(|character| !is_private(*character)) else {
            continue;
        };
        let known = characters.entry(glyph).or_insert(character);
        if is_private(*known) || known.is_control() {
            *known = character;
        }
    }
}

/// The collection of a CID-keyed CFF font.
fn collection(data: &[u8]) -> Option<CidFamily> {
    let font = Cff::read(data.into()).ok()?;
    let entries = dict::entries(font.top_dicts().get(0)?, None);
    entries.flatten().find_map(|entry| match entry {
        dict::Entry::Ros { registry, ordering, .. } => {
            Some(CidFamily::from_registry_ordering(font.string(registry)?, font.string(ordering)?))
        }
        _ => None,
    })
}
