//! What HTML elements mean for text extraction.

use html5gum::StartTag;

/// How an element affects the text around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Part of the surrounding paragraph.
    Inline,
    /// A separate paragraph.
    Block,
    Heading(u8),
    Preformatted,
    List {
        is_numbered: bool,
    },
    Item,
    Table,
    Row,
    /// A head, body or foot of a table.
    Rows,
    Cell,
    Break,
    Link,
    Image,
    Quote,
    Title,
    Meta,
    /// Its content is not shown.
    Unseen,
}

impl Kind {
    pub(super) fn of(name: &[u8]) -> Self {
        match name {
            // The last two are SVG elements that contain words.
            b"p" | b"div" | b"section" | b"article" | b"aside" | b"header" | b"footer" | b"main" | b"nav"
            | b"address" | b"blockquote" | b"figure" | b"figcaption" | b"details" | b"summary"
            | b"dialog" | b"form" | b"fieldset" | b"legend" | b"dl" | b"dt" | b"dd" | b"hr" | b"center"
            | b"option" | b"optgroup" | b"select" | b"textarea" | b"body" | b"html" | b"hgroup"
            | b"search" | b"caption" | b"text" | b"desc" => Self::Block,
            b"h1" => Self::Heading(1),
            b"h2" => Self::Heading(2),
            b"h3" => Self::Heading(3),
            b"h4" => Self::Heading(4),
            b"h5" => Self::Heading(5),
            b"h6" => Self::Heading(6),
            b"pre" | b"listing" | b"xmp" | b"plaintext" => Self::Preformatted,
            b"ol" => Self::List { is_numbered: true },
            b"ul" | b"menu" | b"dir" => Self::List { is_numbered: false },
            b"li" => Self::Item,
            b"table" => Self::Table,
            b"tr" => Self::Row,
            b"thead" | b"tbody" | b"tfoot" => Self::Rows,
            b"td" | b"th" => Self::Cell,
            b"br" => Self::Break,
            b"a" => Self::Link,
            b"img" | b"area" => Self::Image,
            b"q" => Self::Quote,
            b"title" => Self::Title,
            b"meta" => Self::Meta,
            b"script" | b"style" | b"template" | b"noscript" | b"iframe" | b"noembed" | b"noframes"
            | b"datalist" | b"audio" | b"video" | b"canvas" | b"annotation" | b"annotation-xml" => {
                Self::Unseen
            }
            _ => Self::Inline,
        }
    }
}

/// Elements without an end tag, and so without content that could be hidden.
pub(super) fn is_void(name: &[u8]) -> bool {
    matches!(
        name,
        b"area"
            | b"base"
            | b"br"
            | b"col"
            | b"embed"
            | b"hr"
            | b"img"
            | b"input"
            | b"link"
            | b"meta"
            | b"source"
            | b"track"
            | b"wbr"
            | b"param"
            | b"frame"
    )
}

/// Elements that end where the next one of their kind begins, because they cannot nest.
pub(super) fn ends_at_its_like(name: &[u8]) -> bool {
    matches!(name, b"p" | b"li" | b"dt" | b"dd" | b"tr" | b"td" | b"th" | b"option")
}

/// Whether the element's own attributes hide it.
pub(super) fn is_hidden(tag: &StartTag<()>) -> bool {
    if attribute(tag, "hidden").is_some_and(|value| !value.eq_ignore_ascii_case("until-found")) {
        return true;
    }
    attribute(tag, "style").is_some_and(|style| {
        let style: String = style.chars().filter(|c| !c.is_whitespace()).take(10_000).collect();
        style.to_ascii_lowercase().contains("display:none")
    })
}

/// The value of an attribute.
pub(super) fn attribute<'t>(tag: &'t StartTag<()>, name: &str) -> Option<&'t str> {
    let value = tag.attributes.get(name.as_bytes())?;
    std::str::from_utf8(value.as_slice()).ok()
}
