//! Tells language from the nonsense that a font's wrong map produces.
//!
//! Words in Latin letters are judged by their pairs of adjacent letters, words in Greek and Cyrillic letters by
//! their vowels. Text in other scripts is not judged.

use unicode_normalization::UnicodeNormalization;

/// How common each pair of letters is: one row per first letter, one column per second letter, both starting
/// with the word boundary. A value is 6 plus the binary logarithm of how much more often the second letter
/// follows than if all 27 were equally common. Counted in the translations of free programs into 57 languages.
const PAIRS: [&[u8; 27]; 27] = [
    b"076676665646676673677564345", // the start of a word
    b"855664454646768452777554244",
    b"684328125841724820753723051",
    b"782438008826524820656601044",
    b"783259235844435830653633044",
    b"854665453546768352877443444",
    b"783347643922623820756702040",
    b"884348256743546730755734142",
    b"892248103833544820536743040",
    b"865666563346768652677452345",
    b"695149223834434730354832032",
    b"883428346825634850666734040",
    b"784358343854744730156633042",
    b"797238224823454770343622031",
    b"882577474745335620267641053",
    b"845664463546778562876664234",
    b"782438336713623860856722030",
    b"872245233622623544436923222",
    b"884458353835455731566643044",
    b"873628336846544661368633044",
    b"881328226824434720765733153",
    b"866566453656777462777443345",
    b"693329122822425720543620041",
    b"792248145803436720553501452",
    b"976637525813343671348513552",
    b"984557343635666770576633043",
    b"794348145833545731344643054",
];
const EVEN: f32 = 6.0;

/// Longer tokens, in bytes, are keys or the like, and not words.
const LONGEST_WORD: usize = 60;
/// Fewer letters are not judged.
const FEWEST_LETTERS: u32 = 20;

/// Counts letters and their pairs.
#[derive(Debug, Clone, Default)]
pub(in crate::pdf) struct Tally {
    /// The last letter, from 1; 0 between words.
    last: usize,
    pairs: u32,
    sum: u32,
    letters: u32,
    /// Number of letters with diacritics.
    accented: u32,
    /// The set of letters, as bits.
    which: u32,
    /// Number of Greek and Cyrillic letters, and of the vowels among them.
    eastern: u32,
    eastern_vowels: u32,
    /// Number of letters of other scripts.
    foreign: u32,
}

impl Tally {
    pub(in crate::pdf) fn add(&mut self, character: char) {
        if character.is_ascii() {
            let letter = usize::from(character.to_ascii_lowercase() as u8).wrapping_sub(96);
            if (1..=26).contains(&letter) { self.letter(letter) } else { self.end_word() }
        } else if character.is_alphabetic() {
            self.beyond_ascii(character);
        } else if !is_combining(character) {
            self.end_word();
        }
    }

    fn beyond_ascii(&mut self, character: char) {
        let base = match character {
            'ß' => 's',
            'ø' | 'Ø' | 'œ' | 'Œ' => 'o',
            'æ' | 'Æ' => 'a',
            'ł' | 'Ł' => 'l',
            'đ' | 'Đ' | 'ð' | 'Ð' => 'd',
            'þ' | 'Þ' => 't',
            'ħ' | 'Ħ' => 'h',
            'ı' => 'i',
            'ŋ' | 'Ŋ' => 'n',
            other => std::iter::once(other).nfd().next().unwrap_or(other),
        };
        if base.is_ascii_alphabetic() {
            self.accented += 1;
            self.letter(usize::from(base.to_ascii_lowercase() as u8) - 96);
            return;
        }
        self.end_word();
        if ('\u{370}'..'\u{530}').contains(&character) {
            self.eastern += 1;
            let lower = base.to_lowercase().next().unwrap_or(base);
            self.eastern_vowels += u32::from("аеиоуыэюяіαειουηω".contains(lower));
        } else {
            self.foreign += 1;
        }
    }

    fn letter(&mut self, letter: usize) {
        self.letters += 1;
        self.which |= 1 << letter;
        self.pair(letter);
    }

    /// Ends a word, if one is open.
    pub(in crate::pdf) fn end_word(&mut self) {
        if self.last != 0 {
            self.pair(0);
        }
    }

    fn pair(&mut self, letter: usize) {
        self.pairs += 1;
        self.sum += u32::from(PAIRS[self.last][letter] - b'0');
        self.last = letter;
    }

    pub(in crate::pdf) fn letters(&self) -> u32 {
        self.letters + self.eastern + self.foreign
    }

    /// How common the pairs are: about 1 in language, about -1 in random letters.
    pub(in crate::pdf) fn score(&self) -> f32 {
        if self.pairs == 0 { 0.0 } else { self.sum as f32 / self.pairs as f32 - EVEN }
    }

    /// Whether these letters cannot be language. About one line of language in a thousand is misjudged.
    pub(in crate::pdf) fn is_nonsense(&self) -> bool {
        if self.eastern > self.letters + self.foreign {
            let vowels = self.eastern_vowels as f32 / self.eastern as f32;
            return self.eastern >= 3 * FEWEST_LETTERS && !(0.22..0.7).contains(&vowels);
        }
        if self.letters < FEWEST_LETTERS || self.letters < self.foreign + self.eastern {
            return false;
        }
        let bar = match self.letters {
            0..40 => -0.3,
            40..80 => -0.05,
            80..150 => 0.08,
            _ => 0.2,
        };
        // Genes have four letters.
        if (3..=5).contains(&self.which.count_ones()) {
            return false;
        }
        // Only wrong maps produce mostly letters with diacritics.
        self.score() < bar || self.which.count_ones() <= 2 || self.accented * 2 > self.letters
    }
}

/// The share of letters in lines that are not language. Numbers, codes and formulas are not judged.
pub(in crate::pdf) fn nonsense(text: &str) -> f32 {
    let (mut all, mut bad) = (0, 0);
    let mut whole = Tally::default();
    let (mut signs, mut odd) = (0_usize, 0_usize);
    for line in text.lines() {
        let mut tally = Tally::default();
        let mut others = 0;
        let before = whole.clone();
        for token in line.split_whitespace() {
            if is_word(token) {
                token.chars().for_each(|character| {
                    tally.add(character);
                    whole.add(character);
                });
                tally.end_word();
                whole.end_word();
            } else {
                others += token.len();
            }
            signs += token.len();
            odd += if is_odd(token) { token.len() } else { 0 };
        }
        let letters = tally.letters();
        all += letters;
        // A line of numbers and codes is not judged by the few words in it.
        if (letters as usize) < others {
            whole = before;
        } else if tally.is_nonsense() {
            bad += letters;
        }
    }
    // All lines together are judged more reliably than one.
    bad = if whole.is_nonsense() { all } else { bad };
    // One or two lines may be anything.
    let of_lines = if bad >= 60 && bad * 5 >= all { bad as f32 / all.max(1) as f32 } else { 0.0 };
    let of_tokens = if signs >= 60 && odd * 10 >= signs * 6 { odd as f32 / signs as f32 } else { 0.0 };
    f32::max(of_lines, of_tokens)
}

/// Whether a token can be a word: only letters, and no capital after a small letter.
fn is_word(token: &str) -> bool {
    let token = token.trim_matches(|c: char| !c.is_alphanumeric());
    if token.len() > LONGEST_WORD {
        return false;
    }
    let mut was_small = false;
    for character in token.chars() {
        let joins = matches!(character, '\'' | '’' | '-' | '\u{2010}' | '/' | '.' | ',');
        if !(character.is_alphabetic() || joins || is_combining(character)) {
            return false;
        }
        if was_small && character.is_uppercase() {
            return false;
        }
        was_small = character.is_lowercase();
    }
    !token.is_empty()
}

/// Whether a token looks like codes without a map: several kinds of punctuation among letters and digits,
/// letters of several scripts, or one letter repeated.
fn is_odd(token: &str) -> bool {
    let within =
        token.trim_matches(|c: char| matches!(c, '(' | ')' | '"' | '.' | ',' | ';' | ':' | '“' | '”'));
    let (mut length, mut signs, mut digits, mut kinds, mut scripts) = (0, 0, 0, 0_u64, 0_u8);
    for character in within.chars() {
        length += 1;
        match character {
            'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' => scripts |= 1,
            '\u{370}'..='\u{3ff}' => scripts |= 2,
            '\u{400}'..='\u{52f}' => scripts |= 4,
            '0'..='9' => digits += 1,
            _ if character.is_alphanumeric() || is_combining(character) => {}
            _ => {
                signs += 1;
                kinds |= 1 << (u32::from(character) % 64);
            }
        }
    }
    let is_mixed = scripts.count_ones() > 1 && length > 3;
    let first = within.chars().next().filter(|c| c.is_alphabetic());
    let is_one_letter = length >= 10 && first.is_some_and(|first| within.chars().all(|c| c == first));
    is_mixed
        || is_one_letter
        || (length >= 4 && kinds.count_ones() >= 2 && signs * 3 >= length && digits * 5 < length * 4)
}

fn is_combining(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shifted(text: &str, by: u8) -> String {
        let shift = |c: char| match c {
            'a'..='z' => char::from((c as u8 - b'a' + by) % 26 + b'a'),
            'A'..='Z' => char::from((c as u8 - b'A' + by) % 26 + b'A'),
            c => c,
        };
        text.chars().map(shift).collect()
    }

    const TEXTS: [&str; 8] = [
        "The tenant shall pay the rent of 1,250 euros on the first day of each month, and in writing.",
        "Der Mieter zahlt die Miete von 1.250 Euro am ersten Tag jedes Monats auf das Konto der Vermieterin.",
        "Le locataire verse le loyer de 1 250 euros le premier jour de chaque mois par un virement bancaire.",
        "Najemca płaci czynsz w wysokości 1250 euro pierwszego dnia każdego miesiąca na wskazane konto bankowe.",
        "Nájemce platí nájemné ve výši 1 250 eur první den každého měsíce na účet, který určil pronajímatel.",
        "Vuokralainen maksaa vuokran, 1 250 euroa, kunkin kuukauden ensimmäisenä päivänä vuokranantajan tilille.",
        "Kiracı, kira bedelini her ayın ilk günü kiraya verenin banka hesabına yatırmakla yükümlüdür.",
        "Người thuê nhà phải trả tiền thuê vào ngày đầu tiên của mỗi tháng cho chủ nhà theo hợp đồng này.",
    ];

    #[test]
    fn language_is_accepted_and_shifted_letters_are_not() {
        assert!(TEXTS.iter().all(|text| nonsense(text) == 0.0));
        // In the last text most letters have diacritics, which are not shifted.
        for text in &TEXTS[..7] {
            for by in [1, 2, 3, 7, 25] {
                assert!(nonsense(&shifted(text, by)) > 0.5, "{}", shifted(text, by));
            }
        }
        assert!(
            nonsense("Комитет собрался во вторник и решил, что порту нужен новый кран до наступления зимы.")
                == 0.0
        );
        assert!(nonsense("委员会星期二开会，决定港口在冬天之前需要一台新的起重机。") == 0.0);
    }

    #[test]
    fn numbers_codes_and_lists_are_accepted() {
        for text in [
            "1,284.50 2,311.00 -4.5% 12/31/2023 17:45 +49 30 1234567\n".repeat(10),
            "AB-1234 XK-99 QZ-0001 BN-12 REF-77 PCX-9\n".repeat(10),
            "mQENBFHjkT0BCADc8oIXbkrj3XlNZc7WqPzQvKxRjTgHbFwYs\n".repeat(20),
            "https://example.org/a/b?c=d&e=f user@example.com C:\\Temp\\x.txt\n".repeat(10),
            "USB HDMI SSD RAM CPU GPU\n".repeat(3),
            "for (i = 0; i < n; i++) { total += prices[i] * 2; }\n".repeat(10),
            "ACGTTGCAACGTAGCTAGCTAGGCTA TTGACCAGTAACGTACGATT\n".to_owned(),
        ] {
            assert!(nonsense(&text) < 0.5, "{text}: {}", nonsense(&text));
        }
    }

    #[test]
    fn one_letter_for_all_is_nonsense() {
        assert!(nonsense(&"aaaaaaaa aaa aaaaa aaaaaaa aa aaaaaaaaaa\n".repeat(3)) > 0.5);
        assert!(nonsense(&"+\"#6%02%6 /BF'#0 ?<>&6 %4!5# 2&*(9 !:;=+ (6#0)%+\n".repeat(4)) > 0.5);
    }
}
