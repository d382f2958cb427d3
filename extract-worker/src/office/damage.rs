//! Parts of a package that are damaged or missing. The others are read, and the pages say which are not.

use quick_xml::Reader;
use quick_xml::events::Event;

/// Names of more parts are not listed.
const MOST_NAMES: usize = 3;
/// Longest name that is written, in characters.
const LONGEST_NAME: usize = 100;

/// The names of damaged and missing parts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Damage(Vec<String>);

impl Damage {
    pub(super) fn add(&mut self, part: &str) {
        if !self.0.iter().any(|known| known == part) {
            self.0.push(part.to_owned());
        }
    }

    /// Both.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        other.0.iter().for_each(|part| both.add(part));
        both
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a page says about it.
    pub(crate) fn reason(&self) -> Option<String> {
        let name = |part: &String| part.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
        let names: Vec<String> = self.0.iter().take(MOST_NAMES).map(name).collect();
        let more = self.0.len().saturating_sub(MOST_NAMES);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        (!self.is_empty()).then(|| format!("damaged or missing in the file: {}{more}", names.join(", ")))
    }
}

/// Whether the XML of a part is complete. What follows an error is not read.
pub(super) fn is_whole(xml: &str) -> bool {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().allow_dangling_amp = true;
    let (mut depth, mut has_root) = (0_usize, false);
    loop {
        match reader.read_event() {
            Ok(Event::Start(_)) => {
                depth += 1;
                has_root = true;
            }
            Ok(Event::Empty(_)) => has_root = true,
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::Eof) => return has_root && depth == 0,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}
