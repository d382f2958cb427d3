//! The tokens of an RTF file.

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'f> {
    /// `{`
    Open,
    /// `}`
    Close,
    /// `\word` with its optional number.
    Word(&'f str, Option<i32>),
    /// `\` and one character that is not a letter: `\~`, `\*`, `\\`.
    Symbol(u8),
    /// `\'xx`
    Hex(u8),
    /// Bytes in the current code page, without line breaks.
    Text(&'f [u8]),
    /// `\bin` with its bytes, which are skipped.
    Binary,
}

/// The tokens of a file, whatever its bytes.
#[derive(Debug)]
pub(super) struct Tokens<'f> {
    rest: &'f [u8],
}

/// Maximum length of a control word.
const LONGEST_WORD: usize = 32;

impl<'f> Tokens<'f> {
    pub(super) fn of(bytes: &'f [u8]) -> Self {
        Self { rest: bytes }
    }

    fn take(&mut self, count: usize) -> &'f [u8] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// What follows a backslash.
    fn control(&mut self) -> Option<Token<'f>> {
        let first = *self.rest.first()?;
        if !first.is_ascii_alphabetic() {
            self.take(1);
            return Some(if first == b'\'' { self.hex() } else { Token::Symbol(first) });
        }
        let letters = self.rest.iter().take(LONGEST_WORD).take_while(|byte| byte.is_ascii_alphabetic());
        let length = letters.count();
        let word = std::str::from_utf8(self.take(length)).unwrap_or_default();
        let number = self.number();
        if self.rest.first() == Some(&b' ') {
            self.take(1);
        }
        if word == "bin" {
            let length = number.and_then(|number| usize::try_from(number).ok()).unwrap_or(0);
            // A length beyond the end of the file is false; trusting it would lose the text that follows.
            if length <= self.rest.len() {
                self.take(length);
            }
            return Some(Token::Binary);
        }
        Some(Token::Word(word, number))
    }

    fn number(&mut self) -> Option<i32> {
        let sign = usize::from(self.rest.first() == Some(&b'-'));
        let digits = self.rest[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        let number = std::str::from_utf8(self.take(sign + digits)).unwrap_or_default();
        // Ignore numbers that no writer would produce.
        Some(number.parse().unwrap_or(0))
    }

    fn hex(&mut self) -> Token<'f> {
        let digits = self.rest.iter().take(2).take_while(|byte| byte.is_ascii_hexdigit()).count();
        let digits = std::str::from_utf8(self.take(digits)).unwrap_or_default();
        u8::from_str_radix(digits, 16).map_or(Token::Text(&[]), Token::Hex)
    }
}

impl<'f> Iterator for Tokens<'f> {
    type Item = Token<'f>;

    fn next(&mut self) -> Option<Token<'f>> {
        let special = |byte: &u8| matches!(byte, b'{' | b'}' | b'\\' | b'\r' | b'\n' | 0);
        let token = match *self.rest.first()? {
            b'{' => Token::Open,
            b'}' => Token::Close,
            b'\r' | b'\n' | 0 => Token::Text(&[]),
            b'\\' => {
                self.take(1);
                return self.control();
            }
            _ => {
                let length = self.rest.iter().position(special).unwrap_or(self.rest.len());
                return Some(Token::Text(self.take(length)));
            }
        };
        self.take(1);
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(file: &str) -> Vec<Token<'_>> {
        Tokens::of(file.as_bytes()).filter(|token| *token != Token::Text(&[])).collect()
    }

    #[test]
    fn words_take_one_blank_and_their_number() {
        let expected = [
            Token::Open,
            Token::Word("rtf", Some(1)),
            Token::Word("u", Some(-3913)),
            Token::Text(b" ?"),
            Token::Symbol(b'~'),
            Token::Hex(0xe9),
            Token::Close,
        ];
        assert_eq!(tokens("{\\rtf1\\u-3913  ?\\~\r\n\\'e9}"), expected);
    }

    #[test]
    fn binary_data_is_passed_over_unless_its_length_is_a_lie() {
        assert_eq!(tokens("\\bin3 }}}a"), [Token::Binary, Token::Text(b"a")]);
        assert_eq!(tokens("\\bin999 a"), [Token::Binary, Token::Text(b"a")]);
        assert_eq!(tokens("\\bin-1 a"), [Token::Binary, Token::Text(b"a")]);
    }

    #[test]
    fn broken_ends_end() {
        assert_eq!(tokens("a\\"), [Token::Text(b"a")]);
        assert_eq!(tokens("\\'"), []);
        assert_eq!(tokens("\\u99999999999"), [Token::Word("u", Some(0))]);
    }
}
