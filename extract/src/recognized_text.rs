//! Combines the text that OCR recognizes on a page with the text that the file has there. OCR also reads a line
//! that is stamped on a scan, but less exactly than the file has it.

use std::collections::HashMap;

/// A line of the file counts as recognized if this share of it is found in a recognized line.
const ALIKE: f32 = 0.7;
/// It replaces that line unless the line is longer by this factor.
const NOTHING_MORE: f32 = 1.4;

/// The recognized text, with the file's own lines in place of the lines that OCR has read too, and the other
/// lines first.
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
            // A letter by itself is a stray mark, not a line.
            _ if pairs.count == 0 => {}
            _ => unread.push(line),
        }
    }
    let recognized = lines.join("\n");
    if unread.is_empty() {
        return recognized;
    }
    format!("{}\n\n{}", unread.join("\n"), recognized.trim_start())
}

/// The pairs of adjacent letters and digits in a line, to compare lines despite errors.
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

    /// The share of this line that is found in another.
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
    fn a_letter_by_itself_is_dropped() {
        assert_eq!(with_own_lines("x\n\u{2022}", "Monthly Report"), "Monthly Report");
    }

    #[test]
    fn a_line_that_says_more_stays() {
        assert_eq!(
            with_own_lines("Page 3", "Page 3 of the agreement of March"),
            "Page 3 of the agreement of March"
        );
    }
}
