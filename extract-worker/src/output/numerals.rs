//! Number formats of lists: `3`, `iii`, `C`, `三`, `③`.
//!
//! Invariant: independent of file formats; a reader maps its own names to a [`Numeral`].
//! Invariant: the result is short, however large the number is.

/// A number format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Numeral {
    /// `1`
    #[default]
    Decimal,
    /// `01`
    DecimalZero,
    /// `１`
    FullWidth,
    /// `①`
    Circled,
    /// `1st`
    Ordinal,
    LowerRoman,
    UpperRoman,
    /// `a` to `z`, then `aa`, `bb`, as in word processors.
    LowerLetter,
    UpperLetter,
    LowerRussian,
    UpperRussian,
    /// `一`, `十`, `二十一`
    Chinese,
    /// `一`, `一〇`, `二一`
    ChineseDigits,
    /// `ア`
    Katakana,
    /// `가`
    Hangul,
    /// `א`
    Hebrew,
    /// `أ`
    Arabic,
    /// No number.
    Nothing,
}

/// Maximum number of repetitions of a letter.
const LONGEST_WORD: usize = 30;
/// The largest number that is commonly written in Roman numerals.
const LARGEST_ROMAN: u32 = 4999;

const LATIN: &str = "abcdefghijklmnopqrstuvwxyz";
const RUSSIAN: &str = "абвгдежзиклмнопрстуфхцчшщыэюя";
const KATAKANA: &str =
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン";
const HANGUL: &str = "가나다라마바사아자차카타파하";
const HEBREW: &str = "אבגדהוזחטיכלמנסעפצקרשת";
const ARABIC: &str = "أبتثجحخدذرزسشصضطظعغفقكلمنهوي";

impl Numeral {
    /// Writes `number` in this format, or in decimal if the format cannot express it.
    pub(crate) fn write(self, number: u32) -> String {
        let written = match self {
            Self::Decimal => None,
            Self::DecimalZero => Some(format!("{number:02}")),
            Self::FullWidth => Some(number.to_string().chars().map(full_width).collect()),
            Self::Circled => circled(number).map(String::from),
            Self::Ordinal => Some(format!("{number}{}", ordinal_ending(number))),
            Self::LowerRoman => roman(number),
            Self::UpperRoman => roman(number).map(|roman| roman.to_uppercase()),
            Self::LowerLetter => letters(number, LATIN),
            Self::UpperLetter => letters(number, LATIN).map(|letters| letters.to_uppercase()),
            Self::LowerRussian => letters(number, RUSSIAN),
            Self::UpperRussian => letters(number, RUSSIAN).map(|letters| letters.to_uppercase()),
            Self::Chinese => chinese(number),
            Self::ChineseDigits => Some(number.to_string().chars().map(chinese_digit).collect()),
            Self::Katakana => letters(number, KATAKANA),
            Self::Hangul => letters(number, HANGUL),
            Self::Hebrew => letters(number, HEBREW),
            Self::Arabic => letters(number, ARABIC),
            Self::Nothing => Some(String::new()),
        };
        written.unwrap_or_else(|| number.to_string())
    }
}

fn letters(number: u32, alphabet: &str) -> Option<String> {
    let index = usize::try_from(number).ok()?.checked_sub(1)?;
    let length = alphabet.chars().count();
    let times = index / length + 1;
    let letter = alphabet.chars().nth(index % length)?;
    (times <= LONGEST_WORD).then(|| std::iter::repeat_n(letter, times).collect())
}

fn roman(number: u32) -> Option<String> {
    const FIGURES: [(u32, &str); 13] = [
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ];
    if !(1..=LARGEST_ROMAN).contains(&number) {
        return None;
    }
    let mut rest = number;
    let mut written = String::new();
    for (value, figure) in FIGURES {
        while rest >= value {
            written.push_str(figure);
            rest -= value;
        }
    }
    Some(written)
}

fn ordinal_ending(number: u32) -> &'static str {
    match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    }
}

fn circled(number: u32) -> Option<char> {
    match number {
        0 => Some('⓪'),
        1..=20 => char::from_u32(0x2460 + number - 1),
        21..=35 => char::from_u32(0x3251 + number - 21),
        36..=50 => char::from_u32(0x32b1 + number - 36),
        _ => None,
    }
}

fn full_width(digit: char) -> char {
    digit.to_digit(10).and_then(|digit| char::from_u32(0xff10 + digit)).unwrap_or(digit)
}

fn chinese_digit(digit: char) -> char {
    const DIGITS: [char; 10] = ['〇', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
    digit.to_digit(10).and_then(|digit| DIGITS.get(digit as usize).copied()).unwrap_or(digit)
}

/// Chinese and Japanese numbers below 100; above that the two differ.
fn chinese(number: u32) -> Option<String> {
    let digit = |digit: u32| char::from_digit(digit, 10).map(chinese_digit);
    let mut written = String::new();
    match (number / 10, number % 10) {
        (0, ones) => written.extend(digit(ones)),
        (tens @ 1..=9, ones) => {
            written.extend(digit(tens).filter(|_| tens > 1));
            written.push('十');
            written.extend(digit(ones).filter(|_| ones > 0));
        }
        _ => return None,
    }
    Some(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_lists_write_them() {
        let written = |numeral: Numeral, numbers: &[u32]| {
            numbers.iter().map(|number| numeral.write(*number)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(written(Numeral::LowerRoman, &[1, 4, 9, 14, 1999]), "i iv ix xiv mcmxcix");
        assert_eq!(written(Numeral::UpperLetter, &[1, 26, 27, 54]), "A Z AA BBB");
        assert_eq!(written(Numeral::Chinese, &[1, 10, 11, 20, 99]), "一 十 十一 二十 九十九");
        assert_eq!(written(Numeral::ChineseDigits, &[1, 10]), "一 一〇");
        assert_eq!(written(Numeral::Circled, &[1, 20, 21, 50]), "① ⑳ ㉑ ㊿");
        assert_eq!(
            written(Numeral::Ordinal, &[1, 2, 3, 4, 11, 112, 121]),
            "1st 2nd 3rd 4th 11th 112th 121st"
        );
        assert_eq!(written(Numeral::DecimalZero, &[7, 70]), "07 70");
        assert_eq!(written(Numeral::FullWidth, &[12]), "１２");
        assert_eq!(written(Numeral::UpperRussian, &[1, 3]), "А В");
        assert_eq!(written(Numeral::Hangul, &[2]), "나");
    }

    #[test]
    fn what_has_no_figures_is_decimal_and_nothing_is_long() {
        for numeral in [Numeral::LowerLetter, Numeral::UpperRoman, Numeral::Circled, Numeral::Chinese] {
            assert_eq!(numeral.write(u32::MAX), "4294967295");
        }
        assert_eq!(Numeral::LowerLetter.write(0), "0");
        assert_eq!(Numeral::UpperRoman.write(0), "0");
        assert_eq!(Numeral::Nothing.write(3), "");
    }
}
