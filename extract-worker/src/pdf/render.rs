//! Renders PDF pages as images.
//!
//! Invariant: independent of text extraction; the caller chooses the size.

use super::engines::engine::{contained, malformed};
use super::engines::hayro;
use super::header;
use crate::input::Input;
use ::hayro::vello_cpu::Pixmap;
use ::hayro::vello_cpu::color::palette::css::WHITE;
use ::hayro::vello_cpu::peniko::ImageAlphaType;
use ::hayro::{PixmapSettings, RenderCache, RenderSettings, render};
use dossier_extract::protocol::Failure;
use hayro_interpret::InterpreterSettings;
use hayro_interpret::hayro_syntax::Pdf;
use image::{DynamicImage, RgbaImage};
use std::sync::Arc;

/// Renders the pages of one file.
pub(crate) struct Renderer {
    pdf: &'static Pdf,
    /// Fonts, parsed and outlined once for all pages.
    cache: RenderCache<'static>,
}

pub(crate) const POINTS_PER_INCH: f64 = 72.0;
/// The longest side of an image that the renderer supports.
const LONGEST_SIDE: f64 = 32_000.0;

impl Renderer {
    pub(crate) fn open(input: Input) -> Result<Self, Failure> {
        let base = header::base(&input);
        Ok(Self { pdf: hayro::document(&Arc::new(input.without(base)))?, cache: RenderCache::new() })
    }

    /// Width and height in points, after the page's rotation.
    pub(crate) fn size(&self, index: usize) -> Option<(f64, f64)> {
        let (width, height) = self.pdf.pages().get(index)?.render_dimensions();
        let is_size = |side: f32| side.is_finite() && side > 0.0;
        (is_size(width) && is_size(height)).then_some((width.into(), height.into()))
    }

    /// Renders a page (from 0) at `scale` pixels per point, or smaller to stay within `pixels`.
    pub(crate) fn draw(&mut self, index: usize, scale: f64, pixels: u64) -> Result<Drawn, Failure> {
        let (width, height) = self.size(index).ok_or_else(|| malformed("the page has no size"))?;
        let most = (pixels as f64 / (width * height)).sqrt().min(LONGEST_SIDE / width.max(height));
        let scale = scale.min(most);
        let page = self.pdf.pages().get(index).ok_or_else(|| malformed("the page does not exist"))?;
        let pixmap = contained(|| {
            let (x_scale, y_scale) = (whole_pixels(width, scale), whole_pixels(height, scale));
            let settings = PixmapSettings { x_scale, y_scale, bg_color: WHITE };
            render(page, &self.cache, &InterpreterSettings::default(), &RenderSettings::default(), &settings)
        });
        let Some(pixmap) = pixmap else {
            self.cache = RenderCache::new();
            return Err(malformed("the page cannot be rendered"));
        };
        Ok(Drawn { picture: picture(pixmap)?, scale })
    }
}

/// A rendered page.
#[derive(Debug)]
pub(crate) struct Drawn {
    pub(crate) picture: DynamicImage,
    /// Pixels per point.
    scale: f64,
}

impl Drawn {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive scale")]
    pub(crate) fn dots_per_inch(&self) -> u32 {
        (self.scale * POINTS_PER_INCH).round() as u32
    }
}

/// The scale nearest to `scale` at which a side has a whole number of pixels, at least one.
#[expect(clippy::cast_possible_truncation, reason = "no scale needs the precision")]
fn whole_pixels(side: f64, scale: f64) -> f32 {
    ((side * scale).ceil().max(1.0) / side) as f32
}

fn picture(pixmap: Pixmap) -> Result<DynamicImage, Failure> {
    let (width, height) = (pixmap.width().into(), pixmap.height().into());
    // The page was rendered on opaque white, so alpha is irrelevant.
    RgbaImage::from_raw(width, height, pixmap.take_rgba8(ImageAlphaType::AlphaPremultiplied))
        .map(DynamicImage::ImageRgba8)
        .ok_or_else(|| malformed("the page has no size"))
}
