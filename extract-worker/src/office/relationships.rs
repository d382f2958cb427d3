//! Relationships: the links from a part of an office file to other parts and to external addresses.

use super::package::Parts;
use dossier_extract::protocol::Failure;
use quick_xml::events::Event;
use std::collections::HashMap;

/// A link from one part to another.
#[derive(Debug)]
pub(crate) struct Relationship {
    /// The id that the part uses for it.
    pub(crate) id: String,
    /// The last path segment of its type.
    pub(crate) kind: String,
    /// The name of the target part.
    pub(crate) target: String,
}

impl Parts<'_> {
    /// The relationships of a part to other parts of the file, in file order.
    pub(crate) fn relationships(&mut self, part: &str) -> Result<Vec<Relationship>, Failure> {
        let folder = part.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut found = self.targets(part, false)?;
        for to in &mut found {
            to.target = resolve(folder, &to.target);
        }
        Ok(found)
    }

    /// The external hyperlinks of a part, by relationship id.
    pub(crate) fn links(&mut self, part: &str) -> Result<HashMap<String, String>, Failure> {
        let links = self.targets(part, true)?.into_iter().filter(|to| to.kind == "hyperlink");
        Ok(links.map(|to| (to.id, to.target)).collect())
    }

    /// The internal or external relationships of a part, with unresolved targets.
    fn targets(&mut self, part: &str, outside: bool) -> Result<Vec<Relationship>, Failure> {
        let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
        let rels = if folder.is_empty() {
            format!("_rels/{file}.rels")
        } else {
            format!("{folder}/_rels/{file}.rels")
        };
        let Some(xml) = self.read(&rels)? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for_each_element(&xml, "Relationship", |attribute| {
            let (Some(kind), Some(target)) = (attribute("Type"), attribute("Target")) else { return };
            if (attribute("TargetMode").as_deref() == Some("External")) == outside {
                let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                found.push(Relationship { id: attribute("Id").unwrap_or_default(), kind, target });
            }
        });
        Ok(found)
    }
}

/// Resolves a target relative to the folder of the part that refers to it.
fn resolve(folder: &str, target: &str) -> String {
    let target = target.trim().replace('\\', "/");
    let joined = match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("{folder}/{target}"),
    };
    let mut segments: Vec<&str> = Vec::new();
    for segment in joined.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    segments.join("/")
}

/// Calls `found` with the attributes of each element with this local name.
fn for_each_element(xml: &str, name: &str, mut found: impl FnMut(&dyn Fn(&str) -> Option<String>)) {
    let mut reader = quick_xml::Reader::from_str(xml);
    loop {
        match reader.read_event() {
            Ok(Event::Start(element) | Event::Empty(element)) if element.local_name().as_ref() == name => {
                found(&|key| {
                    let attribute = element.try_get_attribute(key).ok()??;
                    Some(attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok()?.into_owned())
                });
            }
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}
