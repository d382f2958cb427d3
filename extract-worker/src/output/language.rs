//! Detects the language of a file from a sample of its text.

use whatlang::detect;

/// The size of the sample, and how much of it one page contributes: a preface or a list of names may be in
/// another language than the rest.
const SAMPLE_BYTES: usize = 16 * 1024;
const OF_ONE_PAGE: usize = 4 * 1024;
/// With fewer letters no language is detected.
const FEWEST_LETTERS: usize = 40;

/// A sample from the beginning of each page.
#[derive(Debug, Default)]
pub(crate) struct Sample {
    text: String,
}

impl Sample {
    /// Adds text of the next page until the sample is full.
    pub(crate) fn add(&mut self, page: &str) {
        let room = OF_ONE_PAGE.min(SAMPLE_BYTES.saturating_sub(self.text.len()));
        if room > 0 {
            self.text.push_str(&page[..page.floor_char_boundary(room)]);
            self.text.push('\n');
        }
    }

    /// Whether further text changes nothing.
    pub(crate) fn is_full(&self) -> bool {
        self.text.len() >= SAMPLE_BYTES
    }

    /// The language as an ISO 639-3 code, if there is enough text to be certain.
    pub(crate) fn language(&self) -> Option<String> {
        let letters = self.text.chars().filter(|c| c.is_alphabetic()).count();
        // In Han and kana a word has only one or two letters.
        let wide = self.text.chars().filter(|c| ('\u{3040}'..='\u{9fff}').contains(c)).count();
        if letters + 3 * wide < FEWEST_LETTERS {
            return None;
        }
        let guess = detect(&self.text)?;
        guess.is_reliable().then(|| guess.lang().code().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(text: &str) -> Option<String> {
        let mut sample = Sample::default();
        sample.add(text);
        sample.language()
    }

    #[test]
    fn languages_are_told_apart() {
        for (text, code) in [
            (
                "The committee met on Tuesday and agreed that the harbour needs a new crane before winter.",
                "eng",
            ),
            (
                "Der Ausschuss traf sich am Dienstag und beschloss, dass der Hafen einen neuen Kran braucht.",
                "deu",
            ),
            ("Le comité s'est réuni mardi et a décidé que le port avait besoin d'une nouvelle grue.", "fra"),
            (
                "El comité se reunió el martes en el ayuntamiento y acordó que el puerto necesita una grúa \
                 nueva para el invierno, pero nadie sabe todavía quién la pagará ni cuándo llegará.",
                "spa",
            ),
            ("Комитет собрался во вторник и решил, что порту нужен новый кран до наступления зимы.", "rus"),
            ("委員会は火曜日に開かれ、港には冬の前に新しいクレーンが必要だと決めました。", "jpn"),
            ("委员会星期二开会，决定港口在冬天之前需要一台新的起重机。", "cmn"),
        ] {
            assert_eq!(guess(text).as_deref(), Some(code), "{text}");
        }
    }

    #[test]
    fn what_is_too_short_or_no_language_has_none() {
        for text in ["", "Hello", "12 34 56 78", "id,a1,b2\n1,2,3\n"] {
            assert_eq!(guess(text), None, "{text}");
        }
    }

    #[test]
    fn the_sample_is_bounded() {
        let mut sample = Sample::default();
        (0..100).for_each(|_| sample.add(&"é".repeat(10_000)));
        assert!(sample.text.len() <= SAMPLE_BYTES + 8);
    }
}
