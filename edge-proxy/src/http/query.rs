//! The query of a URL. A parameter that a path does not accept is refused by name: a misspelt one must not seem to work.

use super::{ApiError, Problem, json_words};
use axum::extract::FromRequestParts;
use http::Uri;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::value::Error as ValueError;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use std::error::Error as _;
use std::fmt::Write as _;

/// The query of a URL as a struct, whose fields are the accepted parameters.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

/// The query of a path that accepts no parameters. Otherwise a request for an old version would get the latest, and a
/// dry run would delete.
#[derive(Debug, Deserialize)]
pub(crate) struct NoKeys {}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self(read(&parts.uri)?))
    }
}

fn read<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    // The parser below would replace what it cannot decode, and the request would mean something else.
    if percent_decode_str(uri.query().unwrap_or_default()).decode_utf8().is_err() {
        return Err(malformed("it is not UTF-8"));
    }
    let sent = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri).map(|query| query.0);
    let sent = sent.map_err(|error| malformed(&error.body_text()))?;
    if let Some(accepted) = fields::<T>()
        && let Some((unknown, _)) = sent.iter().find(|(key, _)| !accepted.contains(&key.as_str()))
    {
        return Err(unknown_parameter(unknown, accepted));
    }
    if fields::<T>().is_some()
        && let Some(twice) = sent
            .iter()
            .enumerate()
            .find_map(|(at, (key, _))| sent[..at].iter().any(|(before, _)| before == key).then_some(key))
    {
        return Err(malformed(&format!("{twice} is sent twice")));
    }
    match axum::extract::Query::try_from_uri(uri) {
        Ok(axum::extract::Query(query)) => Ok(query),
        Err(error) => {
            // The cause without axum's own words around it: `limit: invalid digit found in string`.
            let cause = error.source().map_or_else(|| error.body_text(), ToString::to_string);
            let named = cause.split_once(": ").and_then(|(key, why)| {
                sent.iter().find(|(sent, _)| sent == key).map(|(key, value)| (key, value, why))
            });
            Err(named.map_or_else(|| malformed(&cause), |(key, value, why)| invalid(key, value, why)))
        }
    }
}

/// A refusal that names the parameter and lists the accepted ones.
pub(crate) fn unknown_parameter(name: &str, accepted: &[&str]) -> Problem {
    let list = match accepted {
        [] => "This path accepts no query parameters.".to_owned(),
        [one] => format!("This path accepts only {one}."),
        [first @ .., last] => format!("This path accepts {} and {last}.", first.join(", ")),
    };
    Problem::bad_request(format!("Unknown query parameter {}", quoted(name)))
        .details(list)
        .hint("Correct the parameter's name, or omit it.")
}

fn invalid(name: &str, value: &str, why: &str) -> Problem {
    Problem::bad_request(format!("Invalid query parameter {}", quoted(name)))
        .details(json_words::parameter(&quoted(value), why) + ".")
        .hint("Send a valid value, or omit the parameter.")
}

fn malformed(why: &str) -> Problem {
    Problem::bad_request("Malformed query string")
        .details(format!("The query string cannot be read: {why}."))
        .hint("Send name=value pairs, percent-encoded and joined by &, each name once.")
}

/// What a client sent, in quotes: short, and without control characters.
fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut quoted = String::from('"');
    for c in text.chars().take(LONGEST) {
        // Writing to a string cannot fail.
        let _ = if c == '"' { quoted.write_char('\'') } else { write!(quoted, "{}", c.escape_debug()) };
    }
    quoted.push_str(if text.chars().nth(LONGEST).is_some() { "…\"" } else { "\"" });
    quoted
}

/// The names of a struct's fields; `None` for anything that is not a struct, such as a list of pairs.
pub(super) fn fields<T: DeserializeOwned>() -> Option<&'static [&'static str]> {
    let mut fields = None;
    // Always an error: the probe has no value to give.
    let _ = T::deserialize(Probe(&mut fields));
    fields
}

/// Asks a type for the names of its fields.
struct Probe<'a>(&'a mut Option<&'static [&'static str]>);

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = ValueError;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, ValueError> {
        *self.0 = Some(fields);
        Err(ValueError::custom("only the names of the fields were wanted"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ValueError> {
        Err(ValueError::custom("not a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct List {
        limit: Option<i64>,
        after: Option<String>,
    }

    fn refused<T: DeserializeOwned + std::fmt::Debug>(query: &str) -> (String, String) {
        let problem = read::<T>(&format!("/x?{query}").parse().unwrap()).unwrap_err();
        assert!(problem.status == 400 && problem.hint.is_some());
        (problem.message.into(), problem.details.unwrap().into())
    }

    #[test]
    fn an_unknown_parameter_is_named_with_the_accepted_ones() {
        assert_eq!(
            refused::<List>("limit=5&limti=5"),
            ("Unknown query parameter \"limti\"".into(), "This path accepts limit and after.".into())
        );
        assert_eq!(
            refused::<NoKeys>("a%22%1b[31mb=1").0,
            "Unknown query parameter \"a'\\u{1b}[31mb\"",
            "no control character, no quote"
        );
        assert_eq!(refused::<NoKeys>("a=1").1, "This path accepts no query parameters.");
        assert_eq!(
            refused::<NoKeys>(&"x".repeat(500)).0.chars().count(),
            "Unknown query parameter ".len() + 83
        );
    }

    #[test]
    fn an_invalid_value_is_quoted_with_its_parameter() {
        let (message, details) = refused::<List>("limit=many&after=x");
        assert_eq!(message, "Invalid query parameter \"limit\"");
        assert_eq!(details, "It must be an integer, not \"many\".");
        let twice = "The query string cannot be read: limit is sent twice.";
        assert_eq!(refused::<List>("limit=1&limit=2").1, twice);
        assert_eq!(refused::<List>("after=%ff").1, "The query string cannot be read: it is not UTF-8.");
    }

    #[test]
    fn accepted_parameters_are_read() {
        let list: List = read(&"/x?limit=3&after=a%20b".parse().unwrap()).unwrap();
        assert_eq!((list.limit, list.after.as_deref()), (Some(3), Some("a b")));
        let pairs: Vec<(String, String)> = read(&"/x?a=1&a=2".parse().unwrap()).unwrap();
        assert_eq!(pairs.len(), 2);
    }
}
