//! Why a JSON body or a query parameter is refused, in the terms of JSON.
//!
//! serde names the types of Rust and of its own data model in its errors. Clients know neither.

use serde_json::error::{Category, Error};

/// Why the JSON is refused: `member` (empty for the whole body), and the place. A sentence without its full stop.
pub(super) fn refusal(member: &str, error: &Error) -> String {
    let place = match (error.line(), error.column()) {
        (0, _) => String::new(),
        (line, column) => format!(" (line {line}, column {column})"),
    };
    let message = error.to_string();
    let message = message
        .strip_suffix(&format!(" at line {} column {}", error.line(), error.column()))
        .unwrap_or(&message);
    let what = match error.classify() {
        Category::Data => about(member, message),
        Category::Eof if error.column() == 0 => return "It is empty".to_owned(),
        Category::Eof => "It ends in the middle".to_owned(),
        // The beginning of `true`, `false` or `null`, and something else.
        Category::Syntax if message == "expected ident" => "Reading it failed: expected value".to_owned(),
        Category::Syntax | Category::Io => format!("Reading it failed: {message}"),
    };
    format!("{what}{place}")
}

/// Why a member is refused, from one of the messages that serde composes.
fn about(member: &str, message: &str) -> String {
    let subject = if member.is_empty() { "The body".to_owned() } else { format!("`{member}`") };
    let found_and_expected = |kind| message.strip_prefix(kind)?.rsplit_once(", expected ");
    let name = |kind| Some(message.strip_prefix(kind)?.rsplit_once('`')?.0);
    if let Some((found, expected)) = found_and_expected("invalid type: ") {
        let expected = expected_value(expected);
        let is_fraction = expected.starts_with("an integer") && found.starts_with("floating");
        let found = if is_fraction { literal(found) } else { found_value(found).to_owned() };
        return format!("{subject} must be {expected}, not {found}");
    }
    if let Some((found, expected)) = found_and_expected("invalid value: ") {
        return format!("{subject} must be {}, not {}", expected_value(expected), literal(found));
    }
    // A struct is also read from an array, if that has as many elements.
    if let Some((_, expected)) = found_and_expected("invalid length ") {
        return format!("{subject} must be {}, not an array", expected_value(expected));
    }
    if let Some((unknown, accepted)) = message.strip_prefix("unknown field `").and_then(|rest| {
        rest.rsplit_once("`, expected ").or_else(|| Some((rest.rsplit_once("`, ")?.0, "none")))
    }) {
        return format!("The member `{}` is unknown. Accepted: {}", shortened(unknown), choices(accepted));
    }
    if let Some((unknown, accepted)) =
        message.strip_prefix("unknown variant `").and_then(|rest| rest.rsplit_once("`, expected "))
    {
        return format!("{subject} must be one of {}, not \"{}\"", choices(accepted), shortened(unknown));
    }
    if let Some(missing) = name("missing field `") {
        return format!("The member `{missing}` is missing");
    }
    if let Some(twice) = name("duplicate field `") {
        return format!("The member `{twice}` is sent twice, possibly under two names");
    }
    if message.starts_with("UUID parsing failed") {
        return format!("{subject} must be a UUID");
    }
    format!("{subject} is not valid: {message}")
}

/// Why a parameter of a query is refused, from the message of the parser that refused `value`.
pub(super) fn parameter(value: &str, why: &str) -> String {
    let must_be = if why.starts_with("UUID parsing failed") {
        "a UUID".to_owned()
    } else if let Some((_, accepted)) =
        why.strip_prefix("unknown variant `").and_then(|rest| rest.rsplit_once("`, expected "))
    {
        format!("one of {}", choices(accepted))
    } else {
        match why {
            "invalid digit found in string" | "cannot parse integer from empty string" => {
                "an integer".to_owned()
            }
            "number too large to fit in target type" => "a smaller integer".to_owned(),
            "number too small to fit in target type" => "a larger integer".to_owned(),
            "invalid float literal" | "cannot parse float from empty string" => "a number".to_owned(),
            "provided string was not `true` or `false`" => "true or false".to_owned(),
            _ => return format!("Its value is {value}: {why}"),
        }
    };
    format!("It must be {must_be}, not {value}")
}

/// What serde expected. `i32` is a type of Rust, `struct Named` one of this program.
fn expected_value(expected: &str) -> String {
    let integers = |least: i128, most: i128| format!("an integer between {least} and {most}");
    match expected.split(' ').next().unwrap_or_default() {
        "struct" | "internally" | "adjacently" => "an object".to_owned(),
        "i8" => integers(i8::MIN.into(), i8::MAX.into()),
        "i16" => integers(i16::MIN.into(), i16::MAX.into()),
        "i32" => integers(i32::MIN.into(), i32::MAX.into()),
        "i64" => integers(i64::MIN.into(), i64::MAX.into()),
        "u8" => integers(0, u8::MAX.into()),
        "u16" => integers(0, u16::MAX.into()),
        "u32" => integers(0, u32::MAX.into()),
        "u64" | "usize" => integers(0, u64::MAX.into()),
        "f32" | "f64" => "a number".to_owned(),
        _ => match expected {
            "a sequence" => "an array".to_owned(),
            "a map" => "an object".to_owned(),
            "a boolean" => "true or false".to_owned(),
            "a formatted UUID string" => "a string with a UUID".to_owned(),
            _ => expected.to_owned(),
        },
    }
}

/// What was sent, by its type.
fn found_value(found: &str) -> &str {
    match found.split(' ').next().unwrap_or_default() {
        "string" => "a string",
        "integer" | "floating" | "number" => "a number",
        "boolean" => "a boolean",
        "sequence" => "an array",
        "map" => "an object",
        _ => found,
    }
}

/// What was sent, in a type that was expected: serde writes it between backticks after the name of the type.
fn literal(found: &str) -> String {
    let value = found.split_once('`').and_then(|(_, value)| value.strip_suffix('`'));
    shortened(value.unwrap_or(found))
}

/// A list of names, as serde writes it after "expected".
fn choices(accepted: &str) -> &str {
    accepted.strip_prefix("one of ").unwrap_or(accepted)
}

fn shortened(sent: &str) -> String {
    const LONGEST: usize = 80;
    let visible = |c: char| if c.is_control() { '?' } else { c };
    let mut shown: String = sent.chars().take(LONGEST).map(visible).collect();
    if sent.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde::de::DeserializeOwned;
    use serde_json::value::RawValue;
    use uuid::Uuid;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its refusals matter")]
    struct Sample {
        #[serde(alias = "name")]
        title: String,
        count: Option<i32>,
        size: Option<u64>,
        ratio: Option<f32>,
        flag: Option<bool>,
        list: Option<Vec<String>>,
        id: Option<Uuid>,
        kind: Option<Kind>,
        rest: Option<Box<RawValue>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        One,
        Two,
    }

    fn refused<T: DeserializeOwned + std::fmt::Debug>(member: &str, json: &str) -> String {
        refusal(member, &serde_json::from_str::<T>(json).unwrap_err())
    }

    #[test]
    fn a_wrong_member_is_described_by_types_of_json() {
        for (member, value, expected) in [
            ("title", "5", "`title` must be a string, not a number (line 1, column 10)"),
            ("title", "null", "`title` must be a string, not null (line 1, column 13)"),
            ("title", "[]", "`title` must be a string, not an array (line 1, column 9)"),
            (
                "count",
                "\"1\"",
                "`count` must be an integer between -2147483648 and 2147483647, not a string (line 1, column 12)",
            ),
            (
                "count",
                "1.5",
                "`count` must be an integer between -2147483648 and 2147483647, not 1.5 (line 1, column 12)",
            ),
            (
                "count",
                "3000000000",
                "`count` must be an integer between -2147483648 and 2147483647, not 3000000000 (line 1, column 19)",
            ),
            (
                "size",
                "-1",
                "`size` must be an integer between 0 and 18446744073709551615, not -1 (line 1, column 10)",
            ),
            ("ratio", "true", "`ratio` must be a number, not a boolean (line 1, column 13)"),
            ("flag", "1", "`flag` must be true or false, not a number (line 1, column 9)"),
            ("list", "{}", "`list` must be an array, not an object (line 1, column 8)"),
            ("id", "\"x\"", "`id` must be a UUID (line 1, column 9)"),
            ("id", "7", "`id` must be a string with a UUID, not a number (line 1, column 7)"),
            ("kind", "\"three\"", "`kind` must be one of `one` or `two`, not \"three\" (line 1, column 15)"),
        ] {
            let refused = refused::<Sample>(member, &format!("{{\"{member}\":{value}}}"));
            assert_eq!(refused, expected, "{member}: {value}");
        }
    }

    #[test]
    fn what_a_client_sends_cannot_change_the_words() {
        let odd = r#"{"flag": "a, expected i32 at line 9 column 9"}"#;
        assert_eq!(
            refused::<Sample>("flag", odd),
            "`flag` must be true or false, not a string (line 1, column 45)"
        );
        let odd = r#"{"a`, expected `b": 1}"#;
        assert!(
            refused::<Sample>("", odd)
                .starts_with("The member `a`, expected `b` is unknown. Accepted: `name`, `title`, ")
        );
    }

    #[test]
    fn a_body_of_another_shape_is_described_as_a_whole() {
        assert_eq!(
            refused::<Sample>("", "[]"),
            "The body must be an object, not an array (line 1, column 2)"
        );
        assert_eq!(
            refused::<Sample>("", "\"x\""),
            "The body must be an object, not a string (line 1, column 3)"
        );
        assert_eq!(refused::<Sample>("", ""), "It is empty");
        assert_eq!(refused::<Sample>("", "{}"), "The member `title` is missing (line 1, column 2)");
        assert_eq!(
            refused::<Sample>("", "{\"title\":\"x\",\n\"name\":\"y\"}"),
            "The member `title` is sent twice, possibly under two names (line 2, column 6)"
        );
        assert_eq!(refused::<Sample>("", "{\"title\":"), "It ends in the middle (line 1, column 9)");
        assert_eq!(refused::<Sample>("", "title=x"), "Reading it failed: expected value (line 1, column 2)");
    }

    #[test]
    fn a_wrong_parameter_is_described_by_what_it_must_be() {
        let number = |text: &str| text.parse::<i8>().unwrap_err().to_string();
        assert_eq!(parameter("\"x\"", &number("x")), "It must be an integer, not \"x\"");
        assert_eq!(parameter("\"\"", &number("")), "It must be an integer, not \"\"");
        assert_eq!(parameter("\"999\"", &number("999")), "It must be a smaller integer, not \"999\"");
        assert_eq!(parameter("\"-999\"", &number("-999")), "It must be a larger integer, not \"-999\"");
        let flag = "yes".parse::<bool>().unwrap_err().to_string();
        assert_eq!(parameter("\"yes\"", &flag), "It must be true or false, not \"yes\"");
    }
}
