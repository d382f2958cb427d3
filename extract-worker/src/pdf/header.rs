//! Finds the start of a PDF behind the lines that mail, downloads and printers put before it.

/// How far into the file the header may be after bytes that are not prose. Other readers look as far.
const WITHIN: usize = 1024;
/// The same if the rest of the file is a complete PDF.
const FARTHEST: usize = 64 * 1024;
/// How far after the header the first object starts, and how far before the end of the file the last line is.
const FIRST_OBJECT_WITHIN: usize = 4096;
const LAST_LINE_WITHIN: usize = 2048;
/// Maximum length of what follows the PDF. An essay about PDF continues after its example.
const MOST_BEHIND: usize = 512;

/// The position of the header, if these bytes are a PDF.
pub(crate) fn find(bytes: &[u8]) -> Option<usize> {
    let head = &bytes[..bytes.len().min(FARTHEST)];
    memchr::memmem::find_iter(head, b"%PDF-").take(8).find(|at| {
        let before = &head[..*at];
        *at == 0 || (*at < WITHIN && !is_prose(before)) || (!is_mail(before) && is_whole(bytes, *at))
    })
}

/// The position that the offsets of the PDF refer to: its header, unless they include what precedes it.
pub(super) fn base(bytes: &[u8]) -> usize {
    let at = find(bytes).unwrap_or(0);
    let is_counted = startxref(bytes)
        .is_some_and(|offset| is_cross_reference(bytes, offset) && !is_cross_reference(&bytes[at..], offset));
    if is_counted { 0 } else { at }
}

/// Real PDFs have at most a few lines of junk before the header. Longer text is an essay about PDF.
fn is_prose(before: &[u8]) -> bool {
    before.len() > 64
        && before.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
        && before.iter().filter(|byte| byte.is_ascii_alphabetic()).count() * 2 > before.len()
}

/// Multipart mail is read as mail, even if one part is a PDF without transfer encoding.
fn is_mail(before: &[u8]) -> bool {
    let before = before.to_ascii_lowercase();
    let mut parts = memchr::memmem::find_iter(&before, b"multipart/");
    parts.any(|at| !before[at..].starts_with(b"multipart/form-data"))
}

/// Whether a complete PDF starts here: a header on a line of its own, an object, and the end.
fn is_whole(bytes: &[u8], at: usize) -> bool {
    let file = &bytes[at..];
    let is_line = at == 0 || !matches!(bytes[at - 1], b' '..=b'~' | b'\t');
    let has_version = matches!(file.get(5..8), Some([b'1'..=b'9', b'.', b'0'..=b'9']));
    let has_object = has_object(&file[..file.len().min(FIRST_OBJECT_WITHIN)]);
    let tail = &file[file.len().saturating_sub(LAST_LINE_WITHIN)..];
    let has_end = match memchr::memmem::rfind(tail, b"%%EOF") {
        Some(end) => {
            let is_line = end > 0 && matches!(tail[end - 1], b'\n' | b'\r');
            is_line && tail.len() - end < MOST_BEHIND && !contains(&tail[end..], b"```")
        }
        // An incomplete download is a PDF as well, unless it is text.
        None => {
            contains(tail, b"startxref") || file.iter().take(LAST_LINE_WITHIN).any(|byte| !byte.is_ascii())
        }
    };
    is_line && has_version && has_object && has_end
}

/// Whether there is a line like `1 0 obj`.
fn has_object(bytes: &[u8]) -> bool {
    memchr::memmem::find_iter(bytes, b" obj").any(|at| {
        let line = bytes[..at].rsplit(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
        !line.is_empty() && line.iter().all(|byte| byte.is_ascii_digit() || *byte == b' ')
    })
}

fn startxref(bytes: &[u8]) -> Option<usize> {
    const WORD: &[u8] = b"startxref";
    let tail = &bytes[bytes.len().saturating_sub(LAST_LINE_WITHIN)..];
    let at = memchr::memmem::rfind(tail, WORD)? + WORD.len();
    let digits = tail[at..].trim_ascii_start();
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&digits[..length]).ok()?.parse().ok()
}

/// Whether a cross-reference table or stream starts here.
fn is_cross_reference(bytes: &[u8], at: usize) -> bool {
    let Some(bytes) = bytes.get(at..) else { return false };
    let bytes = bytes[..bytes.len().min(64)].trim_ascii_start();
    bytes.starts_with(b"xref") || (bytes.first().is_some_and(u8::is_ascii_digit) && contains(bytes, b" obj"))
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(haystack, needle).is_some()
}
