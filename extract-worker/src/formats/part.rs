//! Parts of a file that contains several, such as a mail: one that cannot be read leaves the others.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Reads a part; `None` if its reader panics.
pub(crate) fn contained<T>(read: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok()
}

/// The parts of a file that were not read.
#[derive(Debug, Default)]
pub(crate) struct Unread {
    failed: usize,
    too_deep: usize,
    encrypted: usize,
}

impl Unread {
    /// The reader of a part failed.
    pub(crate) fn failed(&mut self) {
        self.failed += 1;
    }

    /// A part is nested too deeply.
    pub(crate) fn too_deep(&mut self) {
        self.too_deep += 1;
    }

    /// A part cannot be read without a key.
    pub(crate) fn encrypted(&mut self) {
        self.encrypted += 1;
    }

    /// A phrase for people; `None` if every part was read.
    pub(crate) fn reason(&self) -> Option<String> {
        let said = |count: usize, why: &str| match count {
            0 => None,
            1 => Some(format!("1 part {why}")),
            count => Some(format!("{count} parts {why}")),
        };
        let reasons: Vec<String> = [
            said(self.failed, "could not be read"),
            said(self.too_deep, "nested too deeply to be read"),
            said(self.encrypted, "encrypted"),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::{Unread, contained};

    #[test]
    fn a_part_that_fails_is_counted_and_leaves_the_others() {
        let mut unread = Unread::default();
        assert_eq!(unread.reason(), None);
        let texts: Vec<&str> = ["one", "bad", "three"]
            .into_iter()
            .filter_map(|part| {
                let text = contained(|| if part == "bad" { panic!("a bug in a reader") } else { part });
                if text.is_none() {
                    unread.failed();
                }
                text
            })
            .collect();
        assert_eq!(texts, ["one", "three"]);
        assert_eq!(unread.reason().as_deref(), Some("1 part could not be read"));
        (0..2).for_each(|_| unread.too_deep());
        assert_eq!(
            unread.reason().as_deref(),
            Some("1 part could not be read; 2 parts nested too deeply to be read")
        );
    }
}
