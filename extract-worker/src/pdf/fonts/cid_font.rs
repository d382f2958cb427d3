//! Characters of composite fonts from the font dictionary, in addition to the maps that hayro reads.

use hayro_interpret::hayro_cmap::{BfString, CMap, CMapName, CidFamily, load_embedded};
use hayro_interpret::hayro_syntax::object::{Array, Dict, Name, Stream, String as PdfString};
use hayro_interpret::hayro_syntax::page::Resources;
use std::collections::HashMap;
use std::rc::Rc;

/// Maximum number of fonts and forms to check per page, and nesting depth of forms.
const MOST: usize = 500;
const DEEPEST: usize = 4;

/// A composite font. Its encoding maps codes to CIDs; its character collection maps CIDs to characters.
pub(in crate::pdf) struct CidFont {
    /// Whether the font program is in the file.
    pub(in crate::pdf) is_embedded: bool,
    encoding: Option<CMap>,
    /// A map from codes to characters that hayro cannot parse, if it can be repaired.
    repaired_map: Option<CMap>,
    characters: Characters,
}

/// Composite fonts by the place of their dictionary in the file.
pub(in crate::pdf) type Parsed = HashMap<(usize, usize), Option<Rc<CidFont>>>;

enum Characters {
    Unknown,
    /// Codes are Unicode code points.
    CodesAreUnicode,
    /// CIDs are Unicode code points.
    CidsAreUnicode,
    /// The collection's map from CIDs to characters.
    Collection(Box<CMap>),
}

impl CidFont {
    /// Finds the font with this name, embedded or not, on the page or in one of its forms.
    pub(in crate::pdf) fn find(
        name: &str,
        is_embedded: bool,
        resources: &Resources<'_>,
        parsed: &mut Parsed,
    ) -> Option<Rc<Self>> {
        let mut level = vec![(resources.fonts.clone(), resources.x_objects.clone())];
        let mut left = MOST;
        // The font may be embedded but damaged, so that a substitute is used.
        let mut other = None;
        for _ in 0..DEEPEST {
            let mut deeper = Vec::new();
            for (fonts, objects) in &level {
                for key in fonts.keys().take(left) {
                    let font = fonts.get::<Dict<'_>>(&*key).filter(|font| is_called(font, name));
                    let Some(composite) = font.and_then(|font| Self::known(&font, parsed)) else { continue };
                    if composite.is_embedded == is_embedded {
                        return Some(composite);
                    }
                    other.get_or_insert(composite);
                }
                left = left.saturating_sub(fonts.len() + objects.len());
                let forms = objects.keys().take(left).filter_map(|key| objects.get::<Stream<'_>>(&*key));
                let own = forms.filter_map(|form| form.dict().get::<Dict<'_>>(b"Resources"));
                deeper.extend(own.map(|own| {
                    (
                        own.get::<Dict<'_>>(b"Font").unwrap_or_default(),
                        own.get(b"XObject").unwrap_or_default(),
                    )
                }));
            }
            level = deeper;
        }
        other
    }

    fn known(font: &Dict<'_>, parsed: &mut Parsed) -> Option<Rc<Self>> {
        let place = (font.data().as_ptr().addr(), font.data().len());
        parsed.entry(place).or_insert_with(|| Self::new(font).map(Rc::new)).clone()
    }

    fn new(font: &Dict<'_>) -> Option<Self> {
        let descendant = font.get::<Array<'_>>(b"DescendantFonts")?.iter::<Dict<'_>>().next()?;
        let descriptor = descendant.get::<Dict<'_>>(b"FontDescriptor").unwrap_or_default();
        let files: [&[u8]; 3] = [b"FontFile2", b"FontFile3", b"FontFile"];
        let is_embedded = files.iter().any(|file| descriptor.get::<Stream<'_>>(file).is_some());
        let encoding = encoding(font);
        let characters = characters(font, &descendant, encoding.as_ref());
        let repaired_map = font.get::<Stream<'_>>(b"ToUnicode").and_then(|map| repaired_map(&map));
        Some(Self { is_embedded, encoding, repaired_map, characters })
    }

    /// The character for a code in the repaired map.
    pub(in crate::pdf) fn mapped(&self, code: u32) -> Option<BfString> {
        self.repaired_map.as_ref()?.lookup_bf_string(code)
    }

    /// The character for a code according to the collection.
    pub(in crate::pdf) fn character(&self, code: u32) -> Option<BfString> {
        let readable = |code| char::from_u32(code).filter(|c| !c.is_control()).map(BfString::Char);
        match &self.characters {
            Characters::Unknown => None,
            Characters::CodesAreUnicode => readable(code),
            Characters::CidsAreUnicode => readable(self.glyph(code)?),
            Characters::Collection(map) => map.lookup_bf_string(self.glyph(code)?),
        }
    }

    /// The CID for a code. In a TrueType font without a separate map it is the glyph index.
    pub(in crate::pdf) fn glyph(&self, code: u32) -> Option<u32> {
        let encoding = self.encoding.as_ref()?;
        (1..=4).find_map(|bytes| encoding.lookup_cid_code(code, bytes))
    }
}

fn is_called(font: &Dict<'_>, name: &str) -> bool {
    font.get::<Name<'_>>(b"BaseFont").is_some_and(|base| {
        let base = base.as_str();
        base == name || base.split_once('+').is_some_and(|(_, base)| base == name)
    })
}

fn encoding(font: &Dict<'_>) -> Option<CMap> {
    if let Some(stream) = font.get::<Stream<'_>>(b"Encoding") {
        return CMap::parse(&stream.decoded_data().ok()?, load_embedded);
    }
    match CMapName::from_bytes(font.get::<Name<'_>>(b"Encoding")?.as_ref()) {
        CMapName::IdentityH => Some(CMap::identity_h()),
        CMapName::IdentityV => Some(CMap::identity_v()),
        name => CMap::parse(load_embedded(name)?, load_embedded),
    }
}

fn characters(font: &Dict<'_>, descendant: &Dict<'_>, encoding: Option<&CMap>) -> Characters {
    if font.get::<Name<'_>>(b"ToUnicode").is_some_and(|name| name.starts_with(b"Identity")) {
        return Characters::CodesAreUnicode;
    }
    let of_encoding = encoding.and_then(|encoding| encoding.metadata().character_collection.clone());
    let of_encoding = of_encoding.map(|collection| collection.family);
    let of_font = || {
        let system = descendant.get::<Dict<'_>>(b"CIDSystemInfo")?;
        let (registry, ordering) =
            (system.get::<PdfString<'_>>(b"Registry")?, system.get::<PdfString<'_>>(b"Ordering")?);
        Some(CidFamily::from_registry_ordering(registry.as_bytes(), ordering.as_bytes()))
    };
    let family = of_encoding.filter(|family| *family != CidFamily::AdobeIdentity).or_else(of_font);
    let map = |family: CidFamily| CMap::parse(load_embedded(family.ucs2_cmap()?)?, load_embedded);
    match family {
        Some(CidFamily::Custom { ordering, .. }) if ordering == b"UCS" => Characters::CidsAreUnicode,
        Some(family) => map(family).map_or(Characters::Unknown, |map| Characters::Collection(Box::new(map))),
        None => Characters::Unknown,
    }
}

/// Repairs a Unicode map that does not parse, by parsing only its entries. This is only used where hayro
/// found no character, so a map that does parse has none either.
fn repaired_map(stream: &Stream<'_>) -> Option<CMap> {
    let data = stream.decoded_data().ok()?;
    if CMap::parse(&data, load_embedded).is_some() {
        return None;
    }
    let find = |word: &[u8]| memchr::memmem::find(&data, word);
    let start = [find(b"beginbfchar"), find(b"beginbfrange")].into_iter().flatten().min()?;
    let ends = [&b"endbfchar"[..], b"endbfrange"];
    let end = ends.iter().filter_map(|end| Some(memchr::memmem::rfind(&data, end)? + end.len())).max()?;
    CMap::parse(data.get(start..end)?, load_embedded)
}
