//! From the changes of a session, as Postgres returns them, to the text of events.

use crate::work::News;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};
use uuid::Uuid;

/// The result of `session_changes()`.
#[derive(Debug, Deserialize)]
pub(super) struct Changes<'a> {
    pub(super) id: &'a str,
    /// Whether documents may have been added or deleted that these changes do not list.
    reload: bool,
    #[serde(borrow)]
    session: &'a RawValue,
    context: Option<&'a RawValue>,
    documents: Vec<&'a RawValue>,
    uploads: Vec<Upload>,
}

#[derive(Debug, Deserialize)]
struct Upload {
    document_id: Uuid,
    received: i64,
    size: Option<i64>,
}

impl<'a> Changes<'a> {
    pub(super) fn read(json: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(json)
    }

    /// The organization that the session belongs to.
    pub(super) fn organization(&self) -> Option<Uuid> {
        #[derive(Deserialize)]
        struct Session {
            organization_id: Uuid,
        }
        serde_json::from_str(self.session.get()).ok().map(|Session { organization_id }| organization_id)
    }

    pub(super) fn has_uploads(&self) -> bool {
        !self.uploads.is_empty()
    }
}

/// What the client of a stream knows and Postgres may return again.
///
/// A row that comes twice was returned by the read before, too: see decision 33. So only the last read is remembered.
#[derive(Debug, Default)]
pub(super) struct Known {
    session: Option<u64>,
    rows: HashSet<u64>,
    received: HashMap<Uuid, i64>,
}

impl Known {
    /// The events that are new to the client. The last one carries the id: a client that loses its connection in the middle
    /// gets all of them again.
    pub(super) fn events(&mut self, changes: &Changes<'_>, news: &News) -> String {
        let mut events = Vec::new();
        let session = hash(changes.session.get());
        let reload = changes.reload && (news.missed || self.session.is_none());
        if reload || self.session != Some(session) {
            // It is a JSON object with members.
            let members = &changes.session.get()[1..];
            events.push(("session", format!("{{\"reload\": {reload}, {members}")));
        }
        self.session = Some(session);

        let known = std::mem::take(&mut self.rows);
        let mut add = |name, row: &RawValue| {
            let hash = hash(row.get());
            if !known.contains(&hash) {
                events.push((name, row.get().to_owned()));
            }
            self.rows.insert(hash);
        };
        if let Some(context) = changes.context {
            add("context", context);
        }
        for document in &changes.documents {
            add("document", document);
        }
        for id in &news.deleted {
            events.push(("document", format!("{{\"id\": \"{id}\", \"status\": \"deleted\"}}")));
        }
        let received = std::mem::take(&mut self.received);
        for Upload { document_id: id, received: bytes, size } in &changes.uploads {
            if received.get(id) != Some(bytes) {
                let size = size.map_or("null".to_owned(), |size| size.to_string());
                let data = format!("{{\"document_id\": \"{id}\", \"received\": {bytes}, \"size\": {size}}}");
                events.push(("upload", data));
            }
            self.received.insert(*id, *bytes);
        }
        written(&events, changes.id)
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// JSON from Postgres has no line breaks.
fn written(events: &[(&str, String)], id: &str) -> String {
    let mut text = String::new();
    for (n, (name, data)) in events.iter().enumerate() {
        let id = if n + 1 == events.len() { format!("id: {id}\n") } else { String::new() };
        // Writing to a string cannot fail.
        let _ = write!(text, "event: {name}\n{id}data: {data}\n\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(id: &str, reload: bool, documents: &str, received: i64) -> String {
        format!(
            r#"{{"id": "{id}", "reload": {reload}, "session": {{"id": "s", "title": "T"}}, "context": null,
               "documents": [{documents}],
               "uploads": [{{"document_id": "00000000-0000-0000-0000-000000000001", "received": {received}, "size": null}}]}}"#
        )
    }

    fn events(known: &mut Known, json: &str, news: &News) -> String {
        known.events(&Changes::read(json).unwrap(), news)
    }

    #[test]
    fn the_last_event_carries_the_id() {
        let mut known = Known::default();
        assert_eq!(
            events(&mut known, &changes("a.1.b", true, r#"{"id": "d"}"#, 5), &News::default()),
            "event: session\ndata: {\"reload\": true, \"id\": \"s\", \"title\": \"T\"}\n\n\
             event: document\ndata: {\"id\": \"d\"}\n\n\
             event: upload\nid: a.1.b\ndata: {\"document_id\": \"00000000-0000-0000-0000-000000000001\", \
             \"received\": 5, \"size\": null}\n\n"
        );
    }

    #[test]
    fn nothing_is_sent_twice() {
        let mut known = Known::default();
        let first = changes("a.1.b", true, r#"{"id": "d"}"#, 5);
        assert!(!events(&mut known, &first, &News::default()).is_empty());
        assert_eq!(events(&mut known, &first, &News::default()), "");
        let later = events(&mut known, &changes("a.2.b", false, r#"{"id": "e"}"#, 6), &News::default());
        assert!(later.contains("\"e\"") && later.contains("\"received\": 6") && !later.contains("session"));
    }

    #[test]
    fn a_list_is_read_again_only_if_notifications_were_missed() {
        let mut known = Known::default();
        let resumed = events(&mut known, &changes("a.1.b", false, "", 0), &News::default());
        assert!(resumed.contains("\"reload\": false"), "{resumed}");
        let inserted = changes("a.2.c", true, "", 0);
        assert_eq!(events(&mut known, &inserted, &News::default()), "", "its document is listed");
        let missed = News { missed: true, deleted: Vec::new() };
        assert!(events(&mut known, &inserted, &missed).contains("\"reload\": true"));
    }

    #[test]
    fn a_deleted_document_has_no_other_state() {
        let mut known = Known::default();
        let news = News { missed: false, deleted: vec![Uuid::from_u128(7)] };
        let text = events(&mut known, &changes("a.1.b", true, "", 0), &news);
        let expected = "event: document\ndata: {\"id\": \"00000000-0000-0000-0000-000000000007\", \"status\": \"deleted\"}";
        assert!(text.contains(expected), "{text}");
    }
}
