//! The first engine: hayro interprets a page, `content` collects the glyphs, and [`lines`] and
//! [`reading_order`] turn them into text.

use super::engine::{Engine, Reading, Seen, contained, malformed};
use crate::input::Input;
use crate::pdf::content::draw_outcome::{DrawOutcome, END_OF_PAGE};
use crate::pdf::content::glyphs::Glyphs;
use crate::pdf::content::{Collector, annotations, forms, notes, stamps};
use crate::pdf::fonts::Fonts;
use crate::pdf::fonts::styles::Faces;
use crate::pdf::info;
use crate::pdf::layout::{lines, reading_order};
use crate::pdf::structure::Layout;
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
    pdf: &'static Pdf,
    /// Fonts and colour spaces, parsed once for all pages.
    cache: InterpreterCache<'static>,
    /// The same fonts, mapped from glyphs back to characters.
    fonts: Fonts,
    /// The look of fonts; only for the structure.
    faces: Option<Faces>,
}

impl Engine for Hayro {
    fn page_count(&self) -> usize {
        self.pdf.pages().len()
    }

    fn page(&mut self, index: usize) -> Reading {
        let Some(page) = self.pdf.pages().get(index) else { return Reading::default() };
        let glyphs = self.glyphs(page);
        let segments = contained(|| lines::segments(&glyphs)).unwrap_or_default();
        let text = contained(|| reading_order::text(&segments.list)).unwrap_or_default();
        let layout = self
            .faces
            .as_ref()
            .and_then(|faces| contained(|| Layout::of(&glyphs, &segments, faces, geometry(page).1)));
        let seen = Seen {
            glyphs: glyphs.shown > 0,
            images: glyphs.images.share(),
            letters: stamps::letters_beside(&glyphs, geometry(page).1),
            outlines: contained(|| glyphs.outlines.letters()).unwrap_or_default(),
            end: glyphs.end,
        };
        let notes = contained(|| notes::of(page)).unwrap_or_default();
        let notes = notes.into_iter().filter(|note| !text.contains(&note.text)).collect();
        let mut reading = Reading { text, notes, seen: Some(seen), layout };
        // hayro silently skips forms that draw themselves. If the text is bad or missing, they are the
        // reason, and no other engine should try to follow them.
        let is_all = seen.end == DrawOutcome::Reached && seen.glyphs && !reading.text.contains('\u{fffd}');
        if !is_all && forms::draw_themselves(page.resources()) {
            reading.seen = Some(Seen { end: DrawOutcome::TooDeep, ..seen });
        }
        reading
    }

    fn metadata(&self) -> Metadata {
        contained(|| info::of(self.pdf)).unwrap_or_default()
    }
}

impl Hayro {
    fn new(pdf: &'static Pdf, needs_layout: bool) -> Self {
        let faces = needs_layout.then(Faces::default);
        Self { pdf, cache: InterpreterCache::new(), fonts: Fonts::default(), faces }
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
