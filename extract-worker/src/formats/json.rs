//! JSON: checked without recursion, then laid out for reading, keys in their original order.

use crate::input::encoding;
use crate::output::pagination::Cut;
use crate::output::reply::Pages;
use dossier_extract::protocol::Failure;
use std::io::Write;

/// Deeper levels stay on one line, so that the output grows linearly with the input, not quadratically.
const DEEPEST_INDENT: usize = 24;

/// Sends one JSON value, or several, one per line. Anything else is sent as plain text, and the reason of its
/// pages says why.
pub(crate) fn read<W: Write>(bytes: &[u8], pages: &mut Pages<W>) -> Result<(), Failure> {
    let text = encoding::decode(bytes, None)?;
    let mut layout = Layout::default();
    match walk(&text, &mut layout) {
        Ok(()) => {
            layout.out.push('\n');
            pages.push_long("json", &layout.out, Cut::BetweenWords)
        }
        Err(_) if is_ndjson(&text) => read_lines(&text, pages),
        Err(error) => {
            let reason = format!("read as text: malformed JSON at byte {}: {}", error.at, error.expected);
            pages.push_long_with("text", &text, Cut::BetweenWords, Some(&reason))
        }
    }
}

/// Sends newline-delimited JSON: one record per line, unchanged except that escapes are decoded. Lines that
/// are not JSON are kept; some logs contain them.
pub(crate) fn read_ndjson<W: Write>(bytes: &[u8], pages: &mut Pages<W>) -> Result<(), Failure> {
    read_lines(&encoding::decode(bytes, None)?, pages)
}

fn read_lines<W: Write>(text: &str, pages: &mut Pages<W>) -> Result<(), Failure> {
    let mut out = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let mut layout = Layout { is_one_line: true, ..Layout::default() };
        match walk(line, &mut layout) {
            Ok(()) => out.push_str(&layout.out),
            Err(_) => out.push_str(line),
        }
        out.push('\n');
    }
    pages.push_long("ndjson", &out, Cut::BetweenLines)
}

/// Whether a text is one JSON object or array.
pub(crate) fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && walk(text, &mut ()).is_ok()
}

/// How many lines are used to detect newline-delimited JSON.
const SAMPLE_LINES: usize = 20;

/// Whether a text is several JSON objects or arrays, one per line.
pub(crate) fn is_ndjson(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty()).take(SAMPLE_LINES).peekable();
    lines.next_if(|line| is_json(line)).is_some() && lines.peek().is_some() && lines.all(is_json)
}

/// The events of a walk over a JSON text.
trait Visitor {
    fn token(&mut self, token: Token<'_>);
}

#[derive(Clone, Copy)]
enum Token<'t> {
    Open(char),
    Close {
        bracket: char,
        empty: bool,
    },
    Comma,
    Colon,
    /// A string with its quotes, a number, `true`, `false` or `null`.
    Scalar(&'t str),
}

impl Visitor for () {
    fn token(&mut self, _: Token<'_>) {}
}

struct Broken {
    at: usize,
    expected: &'static str,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    ValueOrClose,
    KeyOrClose,
    Key,
    Colon,
    CommaOrClose,
    End,
}

/// Checks a whole text. The stack is a vector with one byte per level, so depth costs heap, not call stack.
fn walk(text: &str, visitor: &mut impl Visitor) -> Result<(), Broken> {
    let bytes = text.as_bytes();
    let mut open: Vec<u8> = Vec::new();
    let mut next = Next::Value;
    let mut at = 0;
    loop {
        at += bytes[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
        let broken = |expected| Err(Broken { at, expected });
        let Some(byte) = bytes.get(at).copied() else {
            return if next == Next::End { Ok(()) } else { broken("it ends too early") };
        };
        let after_value = if open.is_empty() { Next::End } else { Next::CommaOrClose };
        match (byte, next) {
            (_, Next::End) => return broken("one value only"),
            (b'{' | b'[', Next::Value | Next::ValueOrClose) => {
                open.push(byte);
                visitor.token(Token::Open(byte.into()));
                next = if byte == b'{' { Next::KeyOrClose } else { Next::ValueOrClose };
                at += 1;
            }
            (b'}' | b']', Next::ValueOrClose | Next::KeyOrClose | Next::CommaOrClose) => {
                let opened = if byte == b'}' { b'{' } else { b'[' };
                if open.pop() != Some(opened) {
                    return broken("the other bracket");
                }
                visitor.token(Token::Close { bracket: byte.into(), empty: next != Next::CommaOrClose });
                next = if open.is_empty() { Next::End } else { Next::CommaOrClose };
                at += 1;
            }
            (b',', Next::CommaOrClose) => {
                visitor.token(Token::Comma);
                next = if open.last() == Some(&b'{') { Next::Key } else { Next::Value };
                at += 1;
            }
            (b':', Next::Colon) => {
                visitor.token(Token::Colon);
                next = Next::Value;
                at += 1;
            }
            (b'"', Next::Value | Next::ValueOrClose | Next::Key | Next::KeyOrClose) => {
                let Some(length) = string_length(&bytes[at..]) else { return broken("the end of a string") };
                visitor.token(Token::Scalar(&text[at..at + length]));
                next = if matches!(next, Next::Key | Next::KeyOrClose) { Next::Colon } else { after_value };
                at += length;
            }
            (_, Next::Value | Next::ValueOrClose) => {
                let Some(length) = scalar_length(&bytes[at..]) else { return broken("a value") };
                visitor.token(Token::Scalar(&text[at..at + length]));
                next = after_value;
                at += length;
            }
            (_, Next::Key | Next::KeyOrClose) => return broken("a key"),
            (_, Next::Colon) => return broken("a colon"),
            (_, Next::CommaOrClose) => return broken("a comma or the closing bracket"),
        }
    }
}

/// The length of the string that starts here, including quotes.
fn string_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => match bytes.get(at + 1)? {
                b'u' => {
                    bytes.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                    at += 6;
                }
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                _ => return None,
            },
            0..=0x1f => return None,
            _ => at += 1,
        }
    }
}

/// The length of the number, `true`, `false` or `null` that starts here.
fn scalar_length(bytes: &[u8]) -> Option<usize> {
    let length =
        bytes.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')).count();
    let scalar = std::str::from_utf8(&bytes[..length]).ok()?;
    let valid = matches!(scalar, "true" | "false" | "null") || is_number(scalar.as_bytes());
    valid.then_some(length)
}

fn is_number(bytes: &[u8]) -> bool {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let bytes = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let whole = digits(bytes);
    if whole == 0 || (whole > 1 && bytes[0] == b'0') {
        return false;
    }
    let mut rest = &bytes[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = &fraction[count..];
    }
    let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) else {
        return rest.is_empty();
    };
    let exponent = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
    !exponent.is_empty() && digits(exponent) == exponent.len()
}

/// One member or element per line, indented by two spaces per level.
#[derive(Default)]
struct Layout {
    out: String,
    depth: usize,
    is_one_line: bool,
}

impl Layout {
    fn line(&mut self) {
        if self.is_one_line {
            if self.out.ends_with(',') {
                self.out.push(' ');
            }
        } else if self.depth <= DEEPEST_INDENT {
            self.out.push('\n');
            (0..self.depth).for_each(|_| self.out.push_str("  "));
        }
    }

    /// A string with readable letters: `\u00e9` becomes `é`, but a quote or line break stays escaped.
    fn string(&mut self, string: &str) {
        // Only strings with escapes need decoding. A lone surrogate stays escaped.
        match serde_json::from_str::<String>(string) {
            Ok(decoded) if string.contains("\\u") => {
                let quoted = serde_json::to_string(&decoded).unwrap_or_else(|_| string.to_owned());
                self.out.push_str(&quoted);
            }
            _ => self.out.push_str(string),
        }
    }
}

impl Visitor for Layout {
    fn token(&mut self, token: Token<'_>) {
        match token {
            Token::Open(bracket) => {
                self.open_line();
                self.out.push(bracket);
                self.depth += 1;
            }
            Token::Close { bracket, empty } => {
                self.depth = self.depth.saturating_sub(1);
                if !empty {
                    self.line();
                }
                self.out.push(bracket);
            }
            Token::Comma => self.out.push(','),
            Token::Colon => self.out.push_str(": "),
            Token::Scalar(scalar) => {
                self.open_line();
                if scalar.starts_with('"') { self.string(scalar) } else { self.out.push_str(scalar) }
            }
        }
    }
}

impl Layout {
    /// A value or key starts a line, unless it follows its key or is the whole text.
    fn open_line(&mut self) {
        if self.out.ends_with(['{', '[', ',']) {
            self.line();
        }
    }
}
