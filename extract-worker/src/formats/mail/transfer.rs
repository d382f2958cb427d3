//! Decodes the transfer encodings of mail: base64, quoted-printable, uuencode.
//!
//! Invariant: decoding never fails. Invalid input is kept as it is, or skipped if it carries no text.

/// Decodes a base64 body. Invalid characters are skipped, and plain text that a mailing list added below is kept.
pub(super) fn base64_body(body: &[u8]) -> Vec<u8> {
    let lines = || body.split_inclusive(|byte| *byte == b'\n');
    // After the padding or an empty line, a line that is not base64 is plain text.
    let mut has_ended = false;
    let mut encoded = 0;
    for line in lines() {
        let trimmed = line.trim_ascii();
        if has_ended && !trimmed.is_empty() && !is_base64_line(trimmed) {
            break;
        }
        // Text may also follow the padding in its line.
        let padding = trimmed.iter().position(|byte| *byte == b'=').unwrap_or(trimmed.len());
        let after = trimmed[padding..]
            .iter()
            .position(|byte| *byte != b'=')
            .map_or(trimmed.len(), |length| padding + length);
        let rest = trimmed[after..].trim_ascii();
        if !rest.is_empty() && !is_base64_line(rest) {
            encoded += line.len() - line.trim_ascii_start().len() + after;
            break;
        }
        has_ended |= trimmed.ends_with(b"=") || trimmed.is_empty() && encoded > 0;
        encoded += line.len();
    }
    let mut bytes = base64(&body[..encoded]);
    let footer = body[encoded..].trim_ascii();
    if !footer.is_empty() {
        if !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(footer);
        bytes.push(b'\n');
    }
    bytes
}

fn is_base64_line(line: &[u8]) -> bool {
    line.len().is_multiple_of(4) && line.iter().all(|byte| *byte == b'=' || sextet(*byte).is_some())
}

/// Decodes base64. Padding ends a piece; another may follow.
pub(super) fn base64(encoded: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in encoded {
        if *byte == b'=' {
            count = 0;
        } else if let Some(value) = sextet(*byte) {
            bits = (bits << 6 | u32::from(value)) & 0xffff;
            count += 6;
            if count >= 8 {
                count -= 8;
                bytes.push((bits >> count & 0xff) as u8);
            }
        }
    }
    bytes
}

/// The value of a base64 digit.
fn sextet(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// Decodes quoted-printable. An equals sign without an escape stands for itself.
pub(super) fn quoted_printable(encoded: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded.len());
    for line in encoded.split_inclusive(|byte| *byte == b'\n') {
        // Blanks at the end of a line were added in transit.
        let content = line.trim_ascii_end();
        let mut rest = content;
        let mut goes_on = false;
        while let Some((&first, after)) = rest.split_first() {
            rest = after;
            if first != b'=' {
                bytes.push(first);
                continue;
            }
            let hex = after.get(..2).filter(|hex| hex.iter().all(u8::is_ascii_hexdigit));
            let byte = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
            match byte {
                Some(byte) => {
                    bytes.push(byte);
                    rest = &after[2..];
                }
                // A soft line break.
                None if after.is_empty() => goes_on = true,
                None => bytes.push(b'='),
            }
        }
        if !goes_on {
            // On the last line, blanks belong to the text.
            bytes.extend_from_slice(if line.ends_with(b"\n") { b"\n" } else { &line[content.len()..] });
        }
    }
    bytes
}

/// A file embedded in text by `uuencode`.
pub(super) struct Uuencoded<'t> {
    pub(super) before: &'t [u8],
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    pub(super) after: &'t [u8],
}

/// Finds the first uuencoded file.
pub(super) fn uuencoded(text: &[u8]) -> Option<Uuencoded<'_>> {
    let mut from = 0;
    loop {
        let start = from + memchr::memmem::find(&text[from..], b"begin ")?;
        from = start + 1;
        if start > 0 && text[start - 1] != b'\n' {
            continue;
        }
        let mut lines = text[start..].split_inclusive(|byte| *byte == b'\n');
        let head = lines.next()?;
        let Some(name) = head_name(head) else { continue };
        let mut bytes = Vec::new();
        let mut end = start + head.len();
        let mut is_whole = false;
        for line in lines {
            end += line.len();
            let line = line.trim_ascii_end();
            if line == b"end" {
                is_whole = true;
                break;
            }
            if !uu_line(line, &mut bytes) {
                break;
            }
        }
        if is_whole {
            return Some(Uuencoded { before: &text[..start], name, bytes, after: &text[end..] });
        }
    }
}

/// `begin 644 name`
fn head_name(head: &[u8]) -> Option<String> {
    let head = std::str::from_utf8(head).ok()?.trim_end();
    let (mode, name) = head.strip_prefix("begin ")?.split_once(' ')?;
    let is_mode = (3..=4).contains(&mode.len()) && mode.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    (is_mode && !name.is_empty()).then(|| name.to_owned())
}

/// Decodes one line, which begins with its number of bytes; `false` if it is malformed.
fn uu_line(line: &[u8], bytes: &mut Vec<u8>) -> bool {
    let Some((&first, digits)) = line.split_first() else { return true };
    if !(b' '..=b'`').contains(&first) {
        return false;
    }
    let length = usize::from((first - b' ') & 63);
    let wanted = bytes.len() + length;
    for four in digits.chunks(4) {
        let value =
            |index: usize| u32::from(four.get(index).map_or(0, |digit| digit.wrapping_sub(b' ') & 63));
        let bits = value(0) << 18 | value(1) << 12 | value(2) << 6 | value(3);
        bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    bytes.truncate(wanted);
    // Trailing blanks encode zeros, and are often stripped in transit.
    bytes.resize(wanted, 0);
    true
}
