//! The properties of runs: the font, and whether the text is hidden.

use super::Story;
use crate::office::xml::Xml;

impl Story<'_> {
    pub(super) fn run_properties(&mut self, xml: &mut Xml<'_>) {
        let font = &mut self.font;
        let (mut hides, mut style) = (None, None);
        xml.children(|_, child| {
            if child.space != "w" {
                return;
            }
            match child.name() {
                "rFonts" => {
                    *font = child.attribute("ascii").or_else(|| child.attribute("hAnsi")).unwrap_or_default();
                }
                "vanish" => hides = Some(child.flag("val").unwrap_or(true)),
                "rStyle" => style = child.attribute("val"),
                _ => {}
            }
        });
        // If both styles hide text, they cancel each other out. The run itself takes precedence.
        let style_hides = style.is_some_and(|style| self.document.styles.hides(&style));
        self.is_hidden = hides.unwrap_or(self.paragraph_hides() != style_hides);
    }

    /// Whether the style of the open paragraph hides text.
    pub(super) fn paragraph_hides(&self) -> bool {
        let properties = self.properties.last().and_then(Option::as_ref);
        properties.and_then(|properties| properties.hides).unwrap_or_default()
    }
}
