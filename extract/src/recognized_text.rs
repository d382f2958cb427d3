//! Puts together what OCR reads on a page and what the file itself has printed there: a scan with a line of
//! real text stamped on it shows both, and OCR reads both, the stamp less well than the file knows it.

use std::collections::HashMap;

/// A line of the file's own is found in what was recognised when so much of it is there.
const ALIKE: f32 = 0.7;
/// Then it takes the place of a line that says nothing more.
const NOTHING_MORE: f32 = 1.4;

/// The recognised text with the file's own lines: in their place where OCR has read them too, before it where it
/// has not.
pub(crate) fn with_own_lines(own: &str, recognized: &str) -> String {
    let mut lines: Vec<String> = recognized.lines().map(str::to_owned).collect();
    let letters: Vec<Pairs> = lines.iter().map(|line| Pairs::of(line)).collect();
    let mut is_replaced = vec![false; lines.len()];
    let mut unread = Vec::new();
    for line in own.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let pairs = Pairs::of(line);
        let best = letters
            .iter()
            .enumerate()
            .map(|(index, other)| (index, pairs.share_in(other)))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        match best {
            Some((index, share)) if share >= ALIKE => {
                let says_more = letters[index].count as f32 > NOTHING_MORE * pairs.count as f32;
                if !says_more && !is_replaced[index] {
                    line.clone_into(&mut lines[index]);
                    is_replaced[index] = true;
                }
            }
            _ => unread.push(line),
        }
    }
    let recognized = lines.join("\n");
    if unread.is_empty() {
        return recognized;
    }
    format!("{}\n\n{}", unread.join("\n"), recognized.trim_start())
}

/// The pairs of letters and digits of a line, which tell likeness in spite of errors.
struct Pairs {
    counts: HashMap<(char, char), u32>,
    count: u32,
}

impl Pairs {
    fn of(line: &str) -> Self {
        let letters: Vec<char> =
            line.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        let mut counts = HashMap::new();
        for pair in letters.windows(2) {
            *counts.entry((pair[0], pair[1])).or_insert(0) += 1;
        }
        Self { count: counts.values().sum(), counts }
    }

    /// How much of this line is in another.
    fn share_in(&self, other: &Self) -> f32 {
        let common: u32 =
            self.counts.iter().map(|(pair, count)| *count.min(other.counts.get(pair).unwrap_or(&0))).sum();
        if self.count == 0 { 0.0 } else { common as f32 / self.count as f32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_ocr_has_read_too_are_said_once_as_the_file_has_them() {
        let own = "Case 1:21-cv-01234-ABC  Document 45-2  Filed 03/04/21  Page 3 of 17\n";
        let recognized =
            "Case 1:2l-cv-0l234-ABC Document 45-2 Filed 03/04/2l Page 3 of l7\n\nMonthly Report\n";
        let expected =
            "Case 1:21-cv-01234-ABC  Document 45-2  Filed 03/04/21  Page 3 of 17\n\nMonthly Report";
        assert_eq!(with_own_lines(own, recognized), expected);
    }

    #[test]
    fn lines_that_ocr_has_not_read_come_first() {
        assert_eq!(
            with_own_lines("DRAFT 7\n", "Monthly Report\nIn March\n"),
            "DRAFT 7\n\nMonthly Report\nIn March"
        );
        assert_eq!(with_own_lines("\n", "Monthly Report"), "Monthly Report");
    }

    #[test]
    fn a_line_that_says_more_stays() {
        assert_eq!(
            with_own_lines("Page 3", "Page 3 of the agreement of March"),
            "Page 3 of the agreement of March"
        );
    }
}
