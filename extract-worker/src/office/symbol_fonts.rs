//! The meaning of characters in symbol fonts.
//!
//! A symbol font draws an arrow or a Greek letter where other fonts have a letter. Files use the font's own
//! code, often shifted into the private use area (`U+F0B7` for the bullet in Symbol).
//!
//! Invariant: independent of file formats.

use std::borrow::Cow;

/// The Symbol font from code `0x20`, and from `0xA0`. A space marks characters without a useful equivalent.
const SYMBOL: &str =
    " !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼";
const SYMBOL_FROM_A0: &str = "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓\
     ◊〈®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪ 〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭";

/// Symbols of other fonts that occur in texts and lists: runs of codes with their characters.
const WINGDINGS: &[(u32, &str)] = &[
    (0x21, "✏✂✁"),
    (0x28, "☎✆✉"),
    (0x36, "⌛⌨"),
    (0x3e, "✇✍"),
    (0x41, "✌"),
    (0x45, "☜☞☝☟"),
    (0x4a, "☺😐☹💣☠"),
    (0x51, "✈☼💧❄"),
    (0x56, "✞"),
    (0x58, "✠✡☪☯ॐ☸♈♉♊♋♌♍♎♏♐♑♒♓"),
    (0x6c, "●❍■□"),
    (0x71, "❑❒⬧⧫◆❖⬥⌧"),
    (0x7b, "❀✿❝❞"),
    (0x80, "⓪①②③④⑤⑥⑦⑧⑨⑩⓿❶❷❸❹❺❻❼❽❾❿"),
    (0x9f, "•"),
    (0xa1, "○"),
    (0xa4, "◉◎"),
    (0xa7, "▪◻"),
    (0xaa, "✦★✶✴✹✵"),
    (0xb5, "✪✰"),
    (0xd5, "⌫⌦"),
    (0xd8, "➢"),
    (0xdc, "➲"),
    (0xdf, "←→↑↓↖↗↙↘"),
    (0xe8, "➔"),
    (0xef, "⇦⇨⇧⇩⬄⇳"),
    (0xfb, "✗✔☒☑"),
];
const WINGDINGS_2: &[(u32, &str)] = &[(0x4f, "✗✓☒☑☒☒"), (0x97, "●"), (0xa2, "■□")];
const WEBDINGS: &[(u32, &str)] = &[(0x61, "✔"), (0x63, "□"), (0x67, "■"), (0x6e, "●"), (0x72, "✖")];

/// The character for a code of a symbol font; `None` for other fonts and for codes without an equivalent.
pub(crate) fn character(font: &str, code: u32) -> Option<char> {
    let code = if is_private(code) { code - 0xf000 } else { code };
    let runs: &[(u32, &str)] = match font {
        "Symbol" => &[(0x20, SYMBOL), (0xa0, SYMBOL_FROM_A0)],
        "Wingdings" => WINGDINGS,
        "Wingdings 2" => WINGDINGS_2,
        "Webdings" => WEBDINGS,
        _ => return None,
    };
    // The last run that starts at or before the code.
    let (first, characters) = runs.iter().rev().find(|(first, _)| *first <= code)?;
    characters.chars().nth((code - first) as usize).filter(|found| *found != ' ' || code == 0x20)
}

/// Replaces private-use characters by their meaning in this font, if it is known.
pub(crate) fn decode<'t>(font: &str, text: &'t str) -> Cow<'t, str> {
    if !text.contains(|one: char| is_private(one.into())) {
        return Cow::Borrowed(text);
    }
    let meant =
        |one: char| if is_private(one.into()) { character(font, one.into()).unwrap_or(one) } else { one };
    Cow::Owned(text.chars().map(meant).collect())
}

/// Whether a code is in the area to which characters of symbol fonts are shifted.
pub(crate) fn is_private(code: u32) -> bool {
    (0xf000..=0xf0ff).contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_mean_characters() {
        for (font, code, expected) in [
            ("Symbol", 0xf0b7, Some('•')),
            ("Symbol", 0x61, Some('α')),
            ("Symbol", 0x7e, Some('∼')),
            ("Symbol", 0xfe, Some('⎭')),
            ("Symbol", 0x90, None),
            ("Wingdings", 0xf0fe, Some('☑')),
            ("Wingdings", 0xe0, Some('→')),
            ("Wingdings", 0x24, None),
            ("Arial", 0x61, None),
        ] {
            assert_eq!(character(font, code), expected, "{font} {code:x}");
        }
    }

    #[test]
    fn only_private_characters_are_replaced() {
        assert_eq!(decode("Symbol", "a \u{f061}"), "a α");
        assert_eq!(decode("Arial", "a \u{f061}"), "a \u{f061}");
    }
}
