//! Judges how plausible a decoded text is, from the neighbours of its characters.
//!
//! Detectors compare letter frequencies, which say little about a table of prices or a list of names. A wrong
//! charset, however, puts capitals inside words and symbols between letters, and mixes scripts.

/// The evidence for and against a decoded text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Plausibility {
    /// Characters in implausible places.
    pub(super) bad: usize,
    /// Letters beyond ASCII inside words.
    pub(super) in_words: usize,
    /// How common these letters are.
    familiarity: usize,
}

impl Plausibility {
    pub(super) fn is_better_than(&self, other: &Self) -> bool {
        (self.bad, other.familiarity) < (other.bad, self.familiarity)
    }
}

/// Judges the characters beyond ASCII.
pub(super) fn of(text: &str) -> Plausibility {
    let mut found = Plausibility::default();
    let mut before = [' '; 3];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if !character.is_ascii() {
            let next = characters.peek().copied().unwrap_or(' ');
            if character.is_alphabetic() && !matches!(character, 'ª' | 'º' | 'ƒ' | 'ˆ' | 'ˇ') {
                letter(before, character, next, &mut found);
            } else {
                found.bad += usize::from(is_misplaced(before, character, next));
            }
        }
        before = [before[1], before[2], character];
    }
    found
}

fn letter([_, far, before]: [char; 3], letter: char, next: char, found: &mut Plausibility) {
    let in_word = before.is_alphabetic() || next.is_alphabetic();
    // The micro sign precedes a unit.
    if letter == 'µ' && !before.is_alphabetic() {
        return;
    }
    if !in_word {
        // `Ø 5 mm` is plausible, `Ł2.50` is not.
        found.bad += usize::from(before.is_numeric() && next.is_numeric() || next.is_ascii_digit());
        return;
    }
    let is_latin = |c: char| c.is_ascii_alphabetic() || ('\u{c0}'..'\u{250}').contains(&c);
    let mixes_scripts =
        [before, next].into_iter().any(|c| c.is_alphabetic() && is_latin(c) != is_latin(letter));
    let is_wide = letter >= '\u{2e80}';
    let ends_lower_word = before.is_lowercase() && letter.is_uppercase();
    let is_among_capitals =
        letter.is_lowercase() && before.is_uppercase() && far.is_uppercase() && next.is_uppercase();
    let starts_capitals = letter.is_lowercase() && !before.is_alphabetic() && next.is_uppercase();
    // Only misread text of another script has three accented letters in a row.
    let is_run = [far, before, letter].iter().all(|c| is_latin(*c) && c.is_alphabetic() && !c.is_ascii());
    let is_rare = matches!(letter, 'ÿ' | 'Ÿ' | 'ı' | 'ĸ' | 'ŉ');
    // A single Chinese character inside an ASCII word is two letters of another encoding.
    let is_wrong = mixes_scripts && (!is_wide || (before.is_alphabetic() && next.is_alphabetic()))
        || ends_lower_word
        || starts_capitals
        || is_run
        || is_among_capitals && letter != 'ß'
        || is_rare;
    if is_wrong {
        found.bad += 1;
    } else {
        found.in_words += 1;
        found.familiarity += familiarity(letter);
    }
}

/// How common a letter is in the languages of Europe, roughly.
fn familiarity(letter: char) -> usize {
    match letter.to_lowercase().next().unwrap_or(letter) {
        'é' | 'á' | 'í' | 'ó' | 'ä' | 'ö' | 'ü' | 'ß' | 'è' | 'à' | 'ç' | 'ñ' | 'ã' | 'å' | 'ø' => {
            4
        }
        'ê'
        | 'ú'
        | 'õ'
        | 'æ'
        | 'ą'
        | 'ę'
        | 'ł'
        | 'ż'
        | 'š'
        | 'č'
        | 'ž'
        | 'ě'
        | 'ř'
        | 'ő'
        | 'ş'
        | 'ğ'
        | 'ı'
        | '\u{370}'.. => 3,
        'â' | 'ô' | 'î' | 'ë' | 'ï' => 2,
        _ => 1,
    }
}

/// Whether a symbol is in an implausible place.
fn is_misplaced([far, near, before]: [char; 3], sign: char, next: char) -> bool {
    let after_letter = before.is_alphabetic();
    let before_letter = next.is_alphabetic();
    match sign {
        // Undefined bytes, and accents without a letter.
        '\u{80}'..='\u{9f}' | '\u{fffd}' | '\u{e000}'..='\u{f8ff}' | '\u{2b0}'..='\u{2ff}' => true,
        '“' | '„' | '«' | '‹' | '¿' | '¡' | '‚' => after_letter,
        '”' | '»' | '›' | '…' => before_letter,
        '£' | '€' | '¥' | '¢' => before_letter || (after_letter && !next.is_ascii_digit()),
        '²' | '³' | '¹' => before_letter || (after_letter && near.is_alphabetic() && far.is_alphabetic()),
        // Mathematics and box drawing.
        '¼' | '½' | '¾' | '±' | '×' | '÷' | '©' | '\u{2500}'..='\u{259f}' | '\u{2190}'..='\u{22ff}' => {
            after_letter || before_letter
        }
        '°' | 'º' | 'ª' => after_letter && before_letter,
        '§' | '¶' | '•' | '†' | '‡' | '‰' | '¤' | '¦' | '¬' | '¨' | '´' | '¸' | '¯' | 'ƒ' => {
            after_letter || (before_letter && sign != '§' && sign != '¶' && sign != '•')
        }
        // Others, such as an apostrophe or a dash, may be anywhere.
        _ => false,
    }
}
