//! PDF pages as pixels.
//!
//! Invariant: decides nothing about text; the caller says how large, this draws.

use super::engines::engine::{contained, malformed};
use super::engines::hayro;
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

/// Draws the pages of one file.
pub(crate) struct Renderer {
    pdf: &'static Pdf,
    /// Fonts, parsed and outlined once for all pages.
    cache: RenderCache<'static>,
}

pub(crate) const POINTS_PER_INCH: f64 = 72.0;
/// The longest side a picture can have here.
const LONGEST_SIDE: f64 = 32_000.0;

impl Renderer {
    pub(crate) fn open(input: &Arc<Input>) -> Result<Self, Failure> {
        Ok(Self { pdf: hayro::document(input)?, cache: RenderCache::new() })
    }

    /// Width and height in points, turned as the page asks.
    pub(crate) fn size(&self, index: usize) -> Option<(f64, f64)> {
        let (width, height) = self.pdf.pages().get(index)?.render_dimensions();
        let is_size = |side: f32| side.is_finite() && side > 0.0;
        (is_size(width) && is_size(height)).then_some((width.into(), height.into()))
    }

    /// A page, from 0, at `scale` pixels a point; smaller where that would be more than `pixels`.
    pub(crate) fn draw(&mut self, index: usize, scale: f64, pixels: u64) -> Result<Drawn, Failure> {
        let (width, height) = self.size(index).ok_or_else(|| malformed("the page has no size"))?;
        let most = (pixels as f64 / (width * height)).sqrt().min(LONGEST_SIDE / width.max(height));
        let scale = scale.min(most);
        let page = self.pdf.pages().get(index).ok_or_else(|| malformed("there is no such page"))?;
        let pixmap = contained(|| {
            let (x_scale, y_scale) = (whole_pixels(width, scale), whole_pixels(height, scale));
            let settings = PixmapSettings { x_scale, y_scale, bg_color: WHITE };
            render(page, &self.cache, &InterpreterSettings::default(), &RenderSettings::default(), &settings)
        });
        let Some(pixmap) = pixmap else {
            self.cache = RenderCache::new();
            return Err(malformed("the page cannot be drawn"));
        };
        Ok(Drawn { picture: picture(pixmap)?, scale })
    }
}

/// A page that was drawn.
#[derive(Debug)]
pub(crate) struct Drawn {
    pub(crate) picture: DynamicImage,
    /// Pixels a point.
    scale: f64,
}

impl Drawn {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive scale")]
    pub(crate) fn dots_per_inch(&self) -> u32 {
        (self.scale * POINTS_PER_INCH).round() as u32
    }
}

/// The scale next to `scale` at which a side is drawn in whole, and in one pixel at least.
#[expect(clippy::cast_possible_truncation, reason = "no scale needs the precision")]
fn whole_pixels(side: f64, scale: f64) -> f32 {
    ((side * scale).ceil().max(1.0) / side) as f32
}

fn picture(pixmap: Pixmap) -> Result<DynamicImage, Failure> {
    let (width, height) = (pixmap.width().into(), pixmap.height().into());
    // Nothing shines through white, so the alpha says nothing.
    RgbaImage::from_raw(width, height, pixmap.take_rgba8(ImageAlphaType::AlphaPremultiplied))
        .map(DynamicImage::ImageRgba8)
        .ok_or_else(|| malformed("the page has no size"))
}
