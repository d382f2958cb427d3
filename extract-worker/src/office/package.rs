//! The parts of a ZIP-based office file, read one at a time, with one decompression budget for all of them.

use super::compound_file;
use super::damage::{self, Damage};
use super::inflate_budget::InflateBudget;
use super::odf;
use super::truncated_zip::TruncatedZip;
use super::xml::{Node, Xml};
use crate::input::{encoding, percent};
use dossier_extract::Limits;
use dossier_extract::protocol::Failure;
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::rc::Rc;
use zip::ZipArchive;

/// An open ZIP file.
#[derive(Debug)]
pub(crate) struct Parts<'f> {
    archive: Archive<'f>,
    /// The index of each part, by its normalized name.
    names: HashMap<String, usize>,
    budget: Rc<InflateBudget>,
    /// The number of files in which this one is nested.
    depth: usize,
    is_broken: bool,
    damage: Damage,
}

#[derive(Debug)]
enum Archive<'f> {
    Whole(ZipArchive<Cursor<&'f [u8]>>),
    /// The end of the file is missing, and with it the central directory.
    Truncated(TruncatedZip<'f>),
}

/// The kind of package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Package {
    Word,
    Presentation,
    Workbook,
    OpenText,
    OpenSheets,
    OpenSlides,
}

/// Files nested more deeply than this are not read.
const DEEPEST_FILE: usize = 3;
const ZIP: &str = "application/zip";
/// The common prefix of OpenDocument media types.
pub(super) const OPEN_DOCUMENT: &str = "application/vnd.oasis.opendocument.";
/// How much of a `mimetype` part is read.
const LONGEST_MEDIA_TYPE: u64 = 100;

impl<'f> Parts<'f> {
    pub(crate) fn open(bytes: &'f [u8], limits: &Limits) -> Result<Self, Failure> {
        Self::open_within(bytes, Rc::new(InflateBudget::new(limits.inflate_bytes)), 0)
    }

    /// Opens a file that is a part of this one, within the same budget; `None` if it is nested too deeply.
    pub(crate) fn open_inner<'i>(&self, bytes: &'i [u8]) -> Option<Result<Parts<'i>, Failure>> {
        (self.depth < DEEPEST_FILE)
            .then(|| Parts::open_within(bytes, Rc::clone(&self.budget), self.depth + 1))
    }

    fn open_within(bytes: &'f [u8], budget: Rc<InflateBudget>, depth: usize) -> Result<Self, Failure> {
        // A password-protected file is a compound file instead of a ZIP file.
        if compound_file::is_encrypted_office(bytes) {
            return Err(Failure::Encrypted);
        }
        let archive =
            match ZipArchive::new(Cursor::new(bytes)) {
                Ok(archive) => Archive::Whole(archive),
                Err(error) => Archive::Truncated(TruncatedZip::open(bytes).ok_or_else(|| {
                    Failure::Malformed { reason: format!("not a complete ZIP file: {error}") }
                })?),
            };
        let names = match &archive {
            Archive::Whole(archive) => by_name(archive.file_names().map(Result::unwrap_or_default)),
            Archive::Truncated(archive) => by_name(archive.names().map(Cow::Borrowed)),
        };
        Ok(Self { archive, names, budget, depth, is_broken: false, damage: Damage::default() })
    }

    /// The text of a part; `None` if it does not exist or is damaged.
    pub(crate) fn read(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let Some(bytes) = self.bytes(name, u64::MAX)? else { return Ok(None) };
        let xml = encoding::decode_xml(bytes);
        if !damage::is_whole(&xml) {
            self.damage.add(name);
        }
        Ok(Some(xml))
    }

    /// The same for a part that the file says it has.
    pub(crate) fn read_named(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let read = self.read(name)?;
        if read.is_none() {
            self.damage.add(name);
        }
        Ok(read)
    }

    /// Records that a part is damaged or missing.
    pub(crate) fn miss(&mut self, name: &str) {
        self.damage.add(name);
    }

    /// The damaged and missing parts of which this has not been called before.
    pub(crate) fn take_damage(&mut self) -> Damage {
        std::mem::take(&mut self.damage)
    }

    /// The bytes of a part; `None` if it does not exist.
    pub(crate) fn read_bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.bytes(name, u64::MAX)
    }

    fn bytes(&mut self, name: &str, most: u64) -> Result<Option<Vec<u8>>, Failure> {
        let Some(&index) = self.names.get(&normalized(name)) else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = match &mut self.archive {
            Archive::Whole(archive) => {
                let Ok(part) = archive.by_index(index) else { return Ok(None) };
                self.budget.meter(part.take(most)).read_to_end(&mut bytes)
            }
            Archive::Truncated(archive) => {
                let Some(part) = archive.part(index) else { return Ok(None) };
                self.budget.meter(part.take(most)).read_to_end(&mut bytes)
            }
        };
        // If the checksum or size is wrong or the stream is truncated, keep the bytes read so far.
        if read.is_err() {
            self.is_broken = true;
            self.damage.add(name);
        }
        self.budget.check()?;
        Ok(Some(bytes))
    }

    /// Whether a part was damaged or truncated, so that its text may be incomplete.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// The kind of package, or else the media type: from `[Content_Types].xml`, `mimetype` or the main part.
    pub(crate) fn package(&mut self) -> Result<Package, String> {
        if let Ok(Some(types)) = self.read("[Content_Types].xml") {
            let main = self.main_part("").unwrap_or_default();
            return open_xml(&types, &main);
        }
        let media_type = self.bytes("mimetype", LONGEST_MEDIA_TYPE).ok().flatten().unwrap_or_default();
        let mut media_type = String::from_utf8(media_type).unwrap_or_default();
        if media_type.trim_ascii().is_empty() {
            media_type = self.manifest_type();
        }
        match media_type.trim_ascii() {
            "" => Err(ZIP.to_owned()),
            named => match odf::Kind::of_media_type(named) {
                Some(odf::Kind::Text) => Ok(Package::OpenText),
                Some(odf::Kind::Sheets) => Ok(Package::OpenSheets),
                Some(odf::Kind::Slides) => Ok(Package::OpenSlides),
                None if named.bytes().all(|byte| byte.is_ascii_graphic()) => Err(named.to_owned()),
                None => Err(ZIP.to_owned()),
            },
        }
    }

    /// The media type that an OpenDocument manifest gives the package as a whole.
    fn manifest_type(&mut self) -> String {
        let manifest = self.read("META-INF/manifest.xml").ok().flatten().unwrap_or_default();
        let mut reader = Xml::new(&manifest);
        while let Some(node) = reader.next() {
            if let Node::Start(element) = node
                && element.is("manifest", "file-entry")
                && element.attribute("full-path").as_deref() == Some("/")
            {
                return element.attribute("media-type").unwrap_or_default();
            }
        }
        String::new()
    }

    /// The main part of an Open XML file, as named by `_rels/.rels`.
    pub(crate) fn main_part(&mut self, usual: &str) -> Result<String, Failure> {
        let named = self.relationships("")?.into_iter().find(|to| to.kind == "officeDocument");
        Ok(named.map_or_else(|| usual.to_owned(), |to| to.target))
    }
}

/// The indices of parts by normalized name. If several parts share a name, the first one is used.
fn by_name<'n>(names: impl Iterator<Item = Cow<'n, str>>) -> HashMap<String, usize> {
    let mut found = HashMap::new();
    for (index, name) in names.enumerate() {
        found.entry(normalized(&name)).or_insert(index);
    }
    found
}

/// A part's name without the differences that writers introduce: case, backslashes, a leading slash, escapes.
fn normalized(name: &str) -> String {
    let name = name.replace('\\', "/");
    let name = name.trim_start_matches("./").trim_start_matches('/');
    String::from_utf8_lossy(&percent::decode(name)).to_lowercase()
}

/// The kind of an Open XML package: from the content type of its main part, or else from its folder.
fn open_xml(types: &str, main: &str) -> Result<Package, String> {
    const KINDS: &[(&str, Package)] = &[
        ("wordprocessingml.document.main+xml", Package::Word),
        ("wordprocessingml.template.main+xml", Package::Word),
        ("ms-word.document.macroEnabled.main+xml", Package::Word),
        ("ms-word.template.macroEnabledTemplate.main+xml", Package::Word),
        ("presentationml.presentation.main+xml", Package::Presentation),
        ("presentationml.slideshow.main+xml", Package::Presentation),
        ("presentationml.template.main+xml", Package::Presentation),
        ("ms-powerpoint.presentation.macroEnabled.main+xml", Package::Presentation),
        ("ms-powerpoint.slideshow.macroEnabled.main+xml", Package::Presentation),
        ("ms-powerpoint.template.macroEnabled.main+xml", Package::Presentation),
        ("spreadsheetml.sheet.main+xml", Package::Workbook),
        ("spreadsheetml.template.main+xml", Package::Workbook),
        ("ms-excel.sheet.macroEnabled.main+xml", Package::Workbook),
        ("ms-excel.template.macroEnabled.main+xml", Package::Workbook),
    ];
    if let Some((_, kind)) = KINDS.iter().find(|(name, _)| types.contains(name)) {
        return Ok(*kind);
    }
    if types.contains("ms-excel.sheet.binary.macroEnabled.main") {
        return Err("application/vnd.ms-excel.sheet.binary.macroenabled.12".to_owned());
    }
    match main.split_once('/') {
        Some((folder, _)) if folder.eq_ignore_ascii_case("word") => Ok(Package::Word),
        Some((folder, _)) if folder.eq_ignore_ascii_case("ppt") => Ok(Package::Presentation),
        Some((folder, _)) if folder.eq_ignore_ascii_case("xl") => Ok(Package::Workbook),
        _ => Err(ZIP.to_owned()),
    }
}
