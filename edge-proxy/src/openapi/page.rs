//! The document as a page: plain HTML, without scripts, for both themes. Operations can be linked to by their names, schemas by
//! theirs.
//!
//! Invariant: everything from the document is escaped.

use serde_json::Value;
use std::fmt::Write;

const HEAD: &str = include_str!("page.html");

/// The page of a document of [`super::document`].
pub(super) fn page(document: &str) -> String {
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    let mut page =
        Page { document: &document, html: HEAD.replace("{version}", text(&document["info"]["version"])) };
    page.contents();
    page.operations();
    page.schemas();
    page.html.push_str("</main>\n</html>\n");
    page.html
}

struct Page<'a> {
    document: &'a Value,
    html: String,
}

/// The methods in the order in which a path shows them.
const METHODS: [&str; 6] = ["get", "post", "patch", "delete", "head", "options"];

impl<'a> Page<'a> {
    /// The operations of a subject: the method, the path, and what the document says.
    fn of_tag(&self, tag: &str) -> Vec<(&'static str, &'a str, &'a Value)> {
        let mut found = Vec::new();
        for (path, item) in members(&self.document["paths"]) {
            for method in METHODS {
                let operation = &item[method];
                if operation["tags"][0].as_str() == Some(tag) {
                    found.push((method, path, operation));
                }
            }
        }
        found
    }

    fn tags(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        items(&self.document["tags"]).map(|tag| (text(&tag["name"]), text(&tag["description"])))
    }

    fn contents(&mut self) {
        self.html.push_str("<nav aria-label=\"Operations\">\n");
        for (tag, _) in self.tags() {
            self.add(&format!("<h2>{}</h2>\n<ul>\n", escaped(tag)));
            for (method, path, operation) in self.of_tag(tag) {
                self.add(&format!(
                    "<li><a href=\"#{id}\">{method} <code>{path}</code></a> {summary}\n",
                    id = escaped(text(&operation["operationId"])),
                    method = badge(method),
                    path = escaped(path),
                    summary = escaped(text(&operation["summary"])),
                ));
            }
            self.html.push_str("</ul>\n");
        }
        self.html.push_str("</nav>\n<main>\n");
    }

    fn operations(&mut self) {
        for (tag, about) in self.tags() {
            self.add(&format!("<h2>{}</h2>\n<p>{}</p>\n", escaped(tag), prose(about)));
            for (method, path, operation) in self.of_tag(tag) {
                self.operation(method, path, operation);
            }
        }
    }

    fn operation(&mut self, method: &str, path: &str, operation: &Value) {
        let id = escaped(text(&operation["operationId"]));
        let summary = escaped(text(&operation["summary"]));
        let (method, path) = (badge(method), escaped(path));
        self.add(&format!(
            "<section id=\"{id}\">\n<h3>{summary}</h3>\n<p class=path>{method} <code>{path}</code> <a href=\"#{id}\" aria-label=\"Link to {summary}\">#</a></p>\n"
        ));
        if let Some(description) = operation["description"].as_str() {
            self.add(&format!("<p>{}</p>\n", prose(description)));
        }
        if operation["security"].as_array().is_some_and(Vec::is_empty) {
            self.html.push_str("<p>Needs no token.</p>\n");
        }
        self.parameters(operation);
        self.body(operation);
        self.responses(operation);
        self.html.push_str("</section>\n");
    }

    fn parameters(&mut self, operation: &Value) {
        if items(&operation["parameters"]).next().is_none() {
            return;
        }
        self.html.push_str("<table><caption>Parameters</caption>\n");
        for parameter in items(&operation["parameters"]) {
            let required = if parameter["required"] == true { ", required" } else { "" };
            self.add(&format!(
                "<tr><td><code>{}</code><td>{}{required}<td>{}<td>{}\n",
                escaped(text(&parameter["name"])),
                escaped(text(&parameter["in"])),
                kind(&parameter["schema"]),
                prose(text(&parameter["description"])),
            ));
        }
        self.html.push_str("</table>\n");
    }

    fn body(&mut self, operation: &Value) {
        let body = &operation["requestBody"];
        if body.is_null() {
            return;
        }
        let required = if body["required"] == true { "" } else { " (may be empty)" };
        self.add(&format!("<table><caption>Body{required}</caption>\n"));
        for (media_type, content) in members(&body["content"]) {
            self.add(&format!("<tr><td>{}<td>{}\n", escaped(media_type), kind(&content["schema"])));
        }
        self.html.push_str("</table>\n");
    }

    /// Those that are special to the operation, and the statuses of all others.
    fn responses(&mut self, operation: &Value) {
        let mut shared = Vec::new();
        self.html.push_str("<table><caption>Responses</caption>\n");
        for (status, response) in members(&operation["responses"]) {
            if let Some(reference) = response["$ref"].as_str() {
                shared.push((status, last(reference)));
                continue;
            }
            let contents: Vec<_> = members(&response["content"])
                .map(|(media_type, content)| format!("{} {}", escaped(media_type), kind(&content["schema"])))
                .collect();
            // Every response has an id, which the page says once.
            let headers =
                members(&response["headers"]).map(|(name, _)| name).filter(|name| *name != "X-Request-Id");
            let headers: Vec<_> = headers.map(|name| format!("<code>{}</code>", escaped(name))).collect();
            self.add(&format!(
                "<tr><td>{}<td>{}<td>{}<td>{}\n",
                escaped(status),
                prose(text(&response["description"])),
                contents.join("<br>"),
                headers.join(" "),
            ));
        }
        self.html.push_str("</table>\n");
        let shared: Vec<_> = shared
            .iter()
            .map(|(status, name)| format!("<a href=\"#{0}\">{1} {0}</a>", escaped(name), escaped(status)))
            .collect();
        self.add(&format!("<p class=errors>Errors: {}</p>\n", shared.join(", ")));
    }

    fn schemas(&mut self) {
        let components = &self.document["components"];
        self.html.push_str(
            "<h2>Errors</h2>\n<table><caption>Their body is <a href=\"#Error\">Error</a></caption>\n",
        );
        for (name, response) in members(&components["responses"]) {
            self.add(&format!(
                "<tr id=\"{0}\"><td>{0}<td>{1}\n",
                escaped(name),
                prose(text(&response["description"]))
            ));
        }
        self.html.push_str("</table>\n<h2>Headers</h2>\n<table><caption>Of responses</caption>\n");
        for (name, header) in members(&components["headers"]) {
            self.add(&format!(
                "<tr><td><code>{}</code><td>{}\n",
                escaped(name),
                prose(text(&header["description"]))
            ));
        }
        self.html.push_str("</table>\n<h2>Schemas</h2>\n");
        for (name, schema) in members(&components["schemas"]) {
            let name = escaped(name);
            self.add(&format!("<section id=\"{name}\">\n<h3>{name}</h3>\n"));
            self.add(&format!("<p>{}</p>\n", prose(text(&schema["description"]))));
            self.members_of(schema);
            self.html.push_str("</section>\n");
        }
    }

    fn members_of(&mut self, schema: &Value) {
        if members(&schema["properties"]).next().is_none() {
            self.add(&format!("<p>{}</p>\n", kind(schema)));
            return;
        }
        let required: Vec<_> = items(&schema["required"]).filter_map(Value::as_str).collect();
        self.html.push_str("<table><caption>Members</caption>\n");
        for (name, member) in members(&schema["properties"]) {
            let presence = if required.contains(&name) { "" } else { "optional" };
            self.add(&format!(
                "<tr><td><code>{}</code><td>{}<td>{presence}<td>{}\n",
                escaped(name),
                kind(member),
                prose(text(&member["description"])),
            ));
        }
        self.html.push_str("</table>\n");
    }

    fn add(&mut self, html: &str) {
        self.html.push_str(html);
    }
}

/// A schema in a few words, as HTML.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = escaped(last(reference));
        return format!("<a href=\"#{name}\">{name}</a>");
    }
    for alternatives in ["oneOf", "anyOf"] {
        if schema[alternatives].is_array() {
            return items(&schema[alternatives]).map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    if schema["enum"].is_array() {
        let values = items(&schema["enum"]).filter_map(Value::as_str);
        return values.map(|value| format!("<code>{}</code>", escaped(value))).collect::<Vec<_>>().join(", ");
    }
    let types: Vec<_> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let mut kind = match types.as_slice() {
        [] => "any value".to_owned(),
        types => types.iter().map(|name| with_items(name, schema)).collect::<Vec<_>>().join(" or "),
    };
    if let Some(format) = schema["format"].as_str().filter(|format| !format.starts_with("int")) {
        let _ = write!(kind, " ({})", escaped(format));
    }
    for (bound, words) in
        [("minimum", "from"), ("maximum", "to"), ("maxLength", "of at most"), ("default", "by default")]
    {
        if let Some(number) = schema[bound].as_i64().filter(|number| number.unsigned_abs() < 1 << 31) {
            let _ = write!(kind, " {words} {number}");
        }
    }
    kind
}

/// The name of a type, with that of its items or values.
fn with_items(name: &str, schema: &Value) -> String {
    match name {
        "array" => format!("array of {}", kind(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("object with values: {}", kind(&schema["additionalProperties"]))
        }
        name => escaped(name),
    }
}

fn badge(method: &str) -> String {
    format!("<b class={method}>{}</b>", method.to_uppercase())
}

/// Text in which `code` and **emphasis** are marked.
fn prose(text: &str) -> String {
    let mut html = String::new();
    for (n, part) in escaped(text).split('`').enumerate() {
        if n % 2 == 1 {
            let _ = write!(html, "<code>{part}</code>");
            continue;
        }
        for (n, part) in part.split("**").enumerate() {
            let _ = if n % 2 == 1 { write!(html, "<strong>{part}</strong>") } else { write!(html, "{part}") };
        }
    }
    html
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn last(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_document_says_cannot_become_markup() {
        let document = serde_json::json!({
            "info": {"version": "1"}, "tags": [{"name": "<i>", "description": "A `<b>` & **more**"}],
            "paths": {"/x": {"get": {"tags": ["<i>"], "operationId": "\"x", "summary": "<script>", "responses": {}}}},
            "components": {"schemas": {"A": {"type": "object", "properties": {"<a>": {"type": "string"}}}}},
        });
        let page = page(&document.to_string());
        assert!(page.contains("A <code>&lt;b&gt;</code> &amp; <strong>more</strong>"), "{page}");
        assert!(page.contains("&lt;script&gt;") && page.contains("<code>&lt;a&gt;</code>"), "{page}");
        for markup in ["<i>", "<script>", "<a>", "\"\"x\""] {
            assert!(!page.contains(markup), "{markup}");
        }
    }

    #[test]
    fn each_link_of_the_page_has_a_target() {
        let page = page(crate::openapi::text());
        let targets: Vec<_> = page.split("id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let links: Vec<_> =
            page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(links.len() > 200);
        for link in links {
            assert!(targets.contains(&link), "{link}");
        }
    }
}
