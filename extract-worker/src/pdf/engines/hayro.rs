//! The first engine: hayro interprets a page, `content` collects the glyphs, and [`lines`] and
//! [`reading_order`] turn them into text.

use super::ahead::{Ahead, Weighed};
use super::engine::{Engine, Reading, Seen, contained, malformed};
use crate::input::Input;
use crate::pdf::content::draw_outcome::{DrawOutcome, END_OF_PAGE};
use crate::pdf::content::glyphs::Glyphs;
use crate::pdf::content::{Collector, annotations, forms, notes, stamps};
use crate::pdf::fonts::Fonts;
use crate::pdf::fonts::styles::{Faces, PageFaces, SeenFace};
use crate::pdf::info;
use crate::pdf::layout::lines::Segments;
use crate::pdf::layout::{lines, reading_order};
use crate::pdf::structure::Layout;
use crate::sandbox::Crew;
use dossier_extract::Metadata;
use dossier_extract::protocol::Failure;
use hayro_interpret::hayro_syntax::content::TypedIter;
use hayro_interpret::hayro_syntax::object::Dict;
use hayro_interpret::hayro_syntax::page::{Page, Resources};
use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro_interpret::kurbo::{Affine, Rect};
use hayro_interpret::{
    Context, InterpreterCache, InterpreterSettings, RenderContent, interpret, interpret_page,
};
use std::sync::Arc;

pub(in crate::pdf) fn open(input: &Arc<Input>, needs_layout: bool) -> Result<Box<dyn Engine>, Failure> {
    Ok(Box::new(Hayro::new(document(input)?, needs_layout)))
}

/// A file with fewer pages is read by one thread: each thread has to read the fonts for itself.
const FEWEST_AHEAD: usize = 12;

/// Opens the file with hayro. It is leaked because pages and caches borrow it; the process reads one file.
pub(in crate::pdf) fn document(input: &Arc<Input>) -> Result<&'static Pdf, Failure> {
    let pdf =
        contained(|| Pdf::new(Arc::clone(input))).ok_or_else(|| malformed("its structure is damaged"))?;
    match pdf {
        Ok(pdf) => Ok(Box::leak(Box::new(pdf))),
        Err(LoadPdfError::Decryption(DecryptionError::PasswordProtected)) => Err(Failure::Encrypted),
        Err(LoadPdfError::Decryption(_)) => Err(malformed("its encryption is not supported")),
        Err(LoadPdfError::Invalid) => Err(malformed("it is not a PDF, or is damaged beyond repair")),
    }
}

struct Hayro {
    reader: Reader,
    /// The look of fonts; only for the structure.
    faces: Option<Faces>,
    /// Pages that other threads read, too.
    ahead: Option<Ahead<Drawn>>,
}

/// What one thread needs to read pages. What a page says does not depend on the pages that its reader has read before.
struct Reader {
    pdf: &'static Pdf,
    /// Fonts and colour spaces, parsed once for all pages.
    cache: InterpreterCache<'static>,
    /// The same fonts, mapped from glyphs back to characters.
    fonts: Fonts,
    /// The look of fonts; only for the structure.
    faces: Option<PageFaces>,
}

/// A page as its reader saw it.
#[derive(Default)]
struct Drawn {
    reading: Reading,
    /// What the layout of the page is made of, if it is needed.
    parts: Option<Parts>,
}

struct Parts {
    glyphs: Glyphs,
    segments: Segments,
    faces: Vec<SeenFace>,
    bounds: Rect,
}

impl Weighed for Drawn {
    fn weight(&self) -> usize {
        self.reading.text.len() + self.parts.as_ref().map_or(0, |parts| 8 * parts.glyphs.list.len())
    }
}

impl Engine for Hayro {
    fn page_count(&self) -> usize {
        self.reader.pdf.pages().len()
    }

    fn page(&mut self, index: usize) -> Reading {
        let Self { reader, faces, ahead } = self;
        let Drawn { mut reading, parts } = match ahead {
            Some(ahead) => ahead.page(index, |index| reader.page(index)),
            None => reader.page(index),
        };
        if let (Some(faces), Some(mut parts)) = (faces, parts) {
            faces.add(parts.faces, &mut parts.glyphs.styles);
            reading.layout = contained(|| Layout::of(&parts.glyphs, &parts.segments, faces, parts.bounds));
        }
        reading
    }

    fn read_ahead(&mut self, crew: &Crew) {
        let count = self.page_count();
        if count >= FEWEST_AHEAD && !crew.is_empty() {
            let (pdf, needs_layout) = (self.reader.pdf, self.faces.is_some());
            self.ahead = Some(Ahead::new(count, crew, move || {
                let mut reader = Reader::new(pdf, needs_layout);
                move |index| reader.page(index)
            }));
        }
    }

    fn metadata(&self) -> Metadata {
        contained(|| info::of(self.reader.pdf)).unwrap_or_default()
    }
}

impl Hayro {
    fn new(pdf: &'static Pdf, needs_layout: bool) -> Self {
        let faces = needs_layout.then(Faces::default);
        Self { reader: Reader::new(pdf, needs_layout), faces, ahead: None }
    }
}

impl Reader {
    fn new(pdf: &'static Pdf, needs_layout: bool) -> Self {
        let faces = needs_layout.then(PageFaces::default);
        Self { pdf, cache: InterpreterCache::new(), fonts: Fonts::default(), faces }
    }

    fn page(&mut self, index: usize) -> Drawn {
        let Some(page) = self.pdf.pages().get(index) else { return Drawn::default() };
        let bounds = geometry(page).1;
        let glyphs = self.glyphs(page);
        let segments = contained(|| lines::segments(&glyphs)).unwrap_or_default();
        let text = contained(|| reading_order::text(&segments.list)).unwrap_or_default();
        let seen = Seen {
            glyphs: glyphs.shown > 0,
            images: glyphs.images.share(),
            letters: stamps::letters_beside(&glyphs, bounds),
            outlines: contained(|| glyphs.outlines.letters()).unwrap_or_default(),
            end: glyphs.end,
        };
        let notes = contained(|| notes::of(page)).unwrap_or_default();
        let notes = notes.into_iter().filter(|note| !text.contains(&note.text)).collect();
        let mut reading = Reading { text, notes, seen: Some(seen), layout: None };
        // hayro silently skips forms that draw themselves. If the text is bad or missing, they are the
        // reason, and no other engine should try to follow them.
        let is_all = seen.end == DrawOutcome::Reached && seen.glyphs && !reading.text.contains('\u{fffd}');
        if !is_all && forms::draw_themselves(page.resources()) {
            reading.seen = Some(Seen { end: DrawOutcome::TooDeep, ..seen });
        }
        let faces = self.faces.as_mut().map(PageFaces::take);
        let parts = faces.map(|faces| Parts { glyphs, segments, faces, bounds });
        Drawn { reading, parts }
    }

    /// The glyphs of the page; after a panic or when the budget is exhausted, those drawn so far.
    fn glyphs(&mut self, page: &Page<'static>) -> Glyphs {
        let (transform, bounds) = geometry(page);
        self.fonts.start_page(page.resources());
        // Colours are a part of structure, and not of text.
        let resources =
            if self.faces.is_some() { page.resources().clone() } else { colourless(page.resources()) };
        let mut collector = Collector::new(bounds, page.resources(), &mut self.fonts, self.faces.as_mut());
        let settings =
            InterpreterSettings { render_content: RenderContent::ANNOTATIONS, ..Default::default() };
        let drawn = contained(|| {
            let mut context = Context::new(transform, bounds, &self.cache, self.pdf.xref(), settings);
            let operations = content(page);
            interpret(TypedIter::new(&operations), &resources, &mut context, &mut collector);
            interpret_page(page, &mut context, &mut collector);
            for (place, text) in annotations::texts(page) {
                let place = Rect::new(place.x0, place.y0, place.x1, place.y1).abs();
                annotations::write(&text, transform.transform_rect_bbox(place), &mut collector);
            }
        });
        if drawn.is_none() {
            self.cache = InterpreterCache::new();
        }
        collector.finish()
    }
}

/// The page's content followed by a marker. hayro does not report otherwise whether it reached the end.
fn content(page: &Page<'_>) -> Vec<u8> {
    [page.page_stream().unwrap_or_default(), b"\n/", END_OF_PAGE.as_bytes(), b" BMC\n"].concat()
}

/// The resources without colours: setting up a colour profile costs more than reading a page.
fn colourless<'a>(resources: &Resources<'a>) -> Resources<'a> {
    Resources {
        color_spaces: Dict::default(),
        patterns: Dict::default(),
        shadings: Dict::default(),
        ..resources.clone()
    }
}

/// The transform to an upright page with its origin at the top left, and the media box after that transform.
fn geometry(page: &Page<'_>) -> (Affine, Rect) {
    let transform = Affine::new(page.initial_transform(true).as_coeffs());
    let media_box = page.media_box();
    let media_box = Rect::new(media_box.x0, media_box.y0, media_box.x1, media_box.y1).abs();
    (transform, transform.transform_rect_bbox(media_box))
}
