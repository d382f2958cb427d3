//! The header of a part of a form: which field it is, and the name of its file as clients write it.
//!
//! Invariant: a parameter for a file name makes the part a file, even if the name cannot be read. No file is taken for a field
//! and dropped.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// The most parameters of a header that are read, and the most pieces of a long name. Names are looked up one by one.
const MOST_PARAMETERS: usize = 100;

/// The name of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileName {
    /// The last segment of the path that was sent.
    Read(String),
    /// As it was sent. It cannot be decoded.
    Unreadable(String),
}

/// The header of a part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) field: String,
    /// Present if the header names a file.
    pub(crate) file_name: Option<FileName>,
    pub(crate) media_type: Option<String>,
    /// The header that encodes the content, unless it is sent as it is.
    pub(crate) encoding: Option<String>,
}

impl Part {
    /// Reads the lines of a header. The error says what is wrong with it.
    pub(super) fn read(header: &[u8]) -> Result<Self, &'static str> {
        let mut part = Self::default();
        let mut named = false;
        for line in unfolded(&text(header)).split("\r\n") {
            let Some((name, value)) = line.split_once(':') else { continue };
            let (name, value) = (name.trim(), value.trim());
            if name.eq_ignore_ascii_case("content-disposition") {
                let (kind, parameters) = value.split_once(';').unwrap_or((value, ""));
                if !kind.trim().eq_ignore_ascii_case("form-data") {
                    return Err("a part is not form-data");
                }
                let parameters = Parameters::read(parameters);
                part.field = parameters.get("name").map(unescape).unwrap_or_default();
                part.file_name = file_name(&parameters);
                named = true;
            } else if name.eq_ignore_ascii_case("content-type") {
                part.media_type = Some(value.to_owned()).filter(|value| !value.is_empty());
            } else if encodes(name, value) {
                part.encoding = Some(format!("{name}: {value}"));
            }
        }
        if named { Ok(part) } else { Err("a part has no Content-Disposition") }
    }
}

/// Whether a line of a header says that the content is not sent as it is.
fn encodes(name: &str, value: &str) -> bool {
    let plain: &[&str] = match name.to_ascii_lowercase().as_str() {
        "content-transfer-encoding" => &["7bit", "8bit", "binary", ""],
        "content-encoding" => &["identity", ""],
        _ => return false,
    };
    !plain.iter().any(|plain| value.eq_ignore_ascii_case(plain))
}

/// UTF-8, as browsers send it, or Latin-1 like old clients.
fn text(header: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(header).map_or_else(
        |_| header.iter().map(|byte| char::from(*byte)).collect::<String>().into(),
        Cow::Borrowed,
    )
}

/// A line that begins with white space continues the previous one.
fn unfolded(header: &str) -> String {
    header.replace("\r\n ", " ").replace("\r\n\t", " ")
}

/// The name of a part's file, from the best of its parameters: `filename*` (RFC 5987), then the parts of a long name
/// (RFC 2231), then `filename`. `None`: the part names no file.
fn file_name(parameters: &Parameters) -> Option<FileName> {
    let plain = parameters.get("filename");
    let extended = parameters.get("filename*");
    if let Some(name) = extended.and_then(decode_extended) {
        return Some(FileName::Read(last_segment(&name)));
    }
    if let Some(continued) = continued(parameters) {
        return Some(continued.map_or_else(FileName::Unreadable, |name| FileName::Read(last_segment(&name))));
    }
    match (plain, extended) {
        (Some(plain), _) => {
            let name = decode_words(plain).unwrap_or_else(|| unescape(plain));
            Some(FileName::Read(last_segment(&name)))
        }
        (None, Some(extended)) => Some(FileName::Unreadable(extended.to_owned())),
        (None, None) => None,
    }
}

/// Old browsers send a whole path, and pages that upload folders a relative one.
fn last_segment(name: &str) -> String {
    let mut segments = name.rsplit(['/', '\\']);
    segments.find(|segment| !segment.is_empty()).unwrap_or_default().to_owned()
}

/// The parameters of a header, in order, with lower-case names.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// `a=token; b="quoted"`, with white space around each sign.
    pub(super) fn read(text: &str) -> Self {
        let mut parameters = Vec::new();
        let mut rest = text;
        loop {
            rest = rest.trim_start_matches([';', ' ', '\t']);
            let Some(end) = rest.find(['=', ';']) else { return Self(parameters) };
            let name = rest[..end].trim().to_ascii_lowercase();
            let is_value = rest[end..].starts_with('=');
            rest = rest[end + 1..].trim_start_matches([' ', '\t']);
            if !is_value {
                continue;
            }
            let value;
            (value, rest) = if let Some(quoted) = rest.strip_prefix('"') {
                unquote(quoted)
            } else {
                let (token, after) = rest.split_once(';').unwrap_or((rest, ""));
                (token.trim().to_owned(), after)
            };
            parameters.push((name, value));
            if parameters.len() == MOST_PARAMETERS {
                return Self(parameters);
            }
        }
    }

    /// The first value with this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Reads to the closing quote. A backslash escapes only quotes and backslashes, because old browsers send Windows paths
/// unescaped. Without a closing quote, the last quote closes the value: the name ends with a backslash.
fn unquote(quoted: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' if quoted[at + 1..].starts_with(['"', '\\']) => {
                value.extend(characters.next().map(|(_, escaped)| escaped));
            }
            _ => value.push(character),
        }
    }
    (quoted.strip_suffix('"').map_or(value, str::to_owned), "")
}

/// Browsers percent-encode quotes and line breaks, and nothing else.
fn unescape(value: &str) -> String {
    if !value.contains('%') {
        return value.to_owned();
    }
    value.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

/// `UTF-8''na%C3%AFve.txt` (RFC 5987). RFC 7578 forbids it, but some clients send it.
fn decode_extended(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_language, encoded) = rest.split_once('\'')?;
    decode_charset(charset, percent_decode_str(encoded).collect())
}

/// `filename*0="long"; filename*1*=UTF-8''%20name.txt` (RFC 2231). `Err`: as it was sent.
fn continued(parameters: &Parameters) -> Option<Result<String, String>> {
    let (mut bytes, mut charset, mut sent) = (Vec::new(), None, String::new());
    for number in 0..MOST_PARAMETERS {
        if let Some(plain) = parameters.get(&format!("filename*{number}")) {
            sent.push_str(plain);
            bytes.extend_from_slice(plain.as_bytes());
        } else if let Some(encoded) = parameters.get(&format!("filename*{number}*")) {
            sent.push_str(encoded);
            let encoded = match encoded.splitn(3, '\'').collect::<Vec<_>>()[..] {
                [named, _language, encoded] if number == 0 => {
                    charset = Some(named);
                    encoded
                }
                _ => encoded,
            };
            bytes.extend(percent_decode_str(encoded));
        } else if number == 0 {
            return None;
        } else {
            break;
        }
    }
    Some(decode_charset(charset.unwrap_or("utf-8"), bytes).ok_or(sent))
}

/// `=?utf-8?B?…?=` (RFC 2047), as mail programs and old .NET write it. `None`: no such words, or one that cannot be decoded.
fn decode_words(value: &str) -> Option<String> {
    let mut decoded = String::new();
    let mut rest = value;
    while let Some(start) = rest.find("=?") {
        let before = &rest[..start];
        // White space between two encoded words belongs to neither.
        if decoded.is_empty() || !before.trim().is_empty() {
            decoded.push_str(before);
        }
        let mut word = rest[start + 2..].splitn(3, '?');
        let (charset, kind, after) = (word.next()?, word.next()?, word.next()?);
        let (text, after) = after.split_once("?=")?;
        let bytes = match kind {
            "B" | "b" => BASE64_STANDARD.decode(text).ok()?,
            "Q" | "q" => {
                percent_decode_str(&text.replace('%', "%25").replace('_', " ").replace('=', "%")).collect()
            }
            _ => return None,
        };
        decoded.push_str(&decode_charset(charset, bytes)?);
        rest = after;
    }
    (rest.len() < value.len()).then(|| decoded + rest)
}

/// The charsets of RFC 5987, and the names by which clients know them.
fn decode_charset(charset: &str, bytes: Vec<u8>) -> Option<String> {
    match charset.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" | "us-ascii" => String::from_utf8(bytes).ok(),
        "iso-8859-1" | "latin1" => Some(bytes.into_iter().map(char::from).collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(parameters: &str) -> Option<FileName> {
        let header = format!("Content-Disposition: form-data; name=\"f\"; {parameters}");
        Part::read(header.as_bytes()).unwrap().file_name
    }

    #[test]
    fn file_names_are_read_as_clients_write_them() {
        for (parameters, expected) in [
            (r#"filename="plain.pdf""#, "plain.pdf"),
            (r#"filename = "spaces.pdf" "#, "spaces.pdf"),
            (r#"FileName="case.pdf""#, "case.pdf"),
            (r#"filename="semi;colon=.pdf"; x=y"#, "semi;colon=.pdf"),
            (r#"x; filename="flag.pdf""#, "flag.pdf"),
            (r#"filename="quo\"te.pdf""#, "quo\"te.pdf"),
            (r#"filename="quo%22te.pdf""#, "quo\"te.pdf"),
            (r#"filename="C:\dir\x.pdf""#, "x.pdf"),
            (r#"filename="folder/sub/x.pdf""#, "x.pdf"),
            (r#"filename="odd\""#, "odd"),
            (r#"filename="abc.txt"#, "abc.txt"),
            (r#"filename="naïve 文.pdf""#, "naïve 文.pdf"),
            (r#"filename="100%.pdf""#, "100%.pdf"),
            ("filename=token.pdf", "token.pdf"),
            ("filename*=UTF-8''na%C3%AFve.pdf", "naïve.pdf"),
            ("filename*=utf8'en'na%C3%AFve.pdf", "naïve.pdf"),
            ("filename*=ISO-8859-1''na%EFve.pdf", "naïve.pdf"),
            ("filename*=UTF-8''..%2Fa%2Fb.pdf", "b.pdf"),
            (r#"filename="_____.txt"; filename*=UTF-8''na%C3%AFve%20caf%C3%A9.txt"#, "naïve café.txt"),
            (r#"filename*=UTF-8''%E6%96%87.txt; filename="_.txt""#, "文.txt"),
            (r#"filename="good.txt"; filename*=UTF-8''na%E9ve.txt"#, "good.txt"),
            (r#"filename="=?utf-8?B?5paw5bu6LnR4dA==?=""#, "新建.txt"),
            (
                r#"filename="=?UTF-8?Q?na=C3=AFve_=C3=A9t=C3=A9?= =?iso-8859-1?q?_=E9?=.txt""#,
                "naïve été é.txt",
            ),
            (r#"filename="=?gb2312?B?0MK9qA==?=""#, "=?gb2312?B?0MK9qA==?="),
            (r#"filename*0="a"; filename*1="b.txt""#, "ab.txt"),
            ("filename*0*=UTF-8''na%C3%AF; filename*1=ve.txt", "naïve.txt"),
            (r#"filename="""#, ""),
        ] {
            assert_eq!(name(parameters), Some(FileName::Read(expected.to_owned())), "{parameters}");
        }
        assert_eq!(name("x=y"), None);
        for unreadable in ["UTF-8''na%E9ve.txt", "koi8-r''x.txt", "nonsense"] {
            assert_eq!(
                name(&format!("filename*={unreadable}")),
                Some(FileName::Unreadable(unreadable.to_owned()))
            );
        }
    }

    #[test]
    fn headers_are_read_in_any_form_that_clients_send() {
        let folded = b"\r\nContent-Disposition: form-data;\r\n name=\"f\";\r\n\tfilename=\"folded.txt\"\r\nContent-Type : text/plain";
        let part = Part::read(folded).unwrap();
        assert_eq!(part.file_name, Some(FileName::Read("folded.txt".to_owned())));
        assert_eq!((part.field.as_str(), part.media_type.as_deref()), ("f", Some("text/plain")));
        let latin =
            Part::read(b"Content-Disposition: form-data; name=f; filename=\"\xe9t\xe9.txt\"").unwrap();
        assert_eq!(latin.file_name, Some(FileName::Read("été.txt".to_owned())));
        for (encoding, is_encoded) in [
            ("Content-Transfer-Encoding: base64", true),
            ("content-transfer-encoding: Quoted-Printable", true),
            ("Content-Transfer-Encoding: BINARY", false),
            ("Content-Transfer-Encoding: 8bit", false),
            ("Content-Encoding: gzip", true),
            ("Content-Encoding: identity", false),
        ] {
            let header = format!("Content-Disposition: form-data; name=f\r\n{encoding}");
            let read = Part::read(header.as_bytes()).unwrap().encoding;
            assert_eq!(read.as_deref(), is_encoded.then_some(encoding));
        }
        assert!(Part::read(b"Content-Type: text/plain").is_err());
        assert!(Part::read(b"Content-Disposition: attachment; filename=x").is_err());
    }

    #[test]
    fn no_header_panics_or_loses_a_file() {
        let pieces = [
            "filename", "*", "0", "=", "\"", "\\", ";", "'", "UTF-8''", "%", "=?", "?B?", "?=", "é", " ", "x",
        ];
        for a in pieces {
            for b in pieces {
                for c in pieces {
                    for d in pieces {
                        let part =
                            Part::read(format!("Content-Disposition: form-data; {a}{b}{c}{d}").as_bytes());
                        assert!(part.is_ok());
                        assert!(name(&format!("filename=\"{a}{b}{c}{d}\"")).is_some());
                    }
                }
            }
        }
    }
}
