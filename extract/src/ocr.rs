//! The settings of OCR. They are an operator's: none of them may come from a user's request.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// How words are recognised in pictures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OcrSettings {
    /// The languages that are looked for.
    pub languages: Languages,
    /// The folder of the languages' data; `None`: where Debian's packages put it, or another usual place.
    pub tessdata: Option<PathBuf>,
    /// What the recognition of one file may cost.
    pub limits: OcrLimits,
}

/// What the recognition of one file may cost; input, output and pixels are under [`crate::Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OcrLimits {
    /// Most pages that are recognised; further ones stay as they are.
    pub pages: u32,
    /// Most time for one page; a page that takes longer stays as it is.
    pub page_time: Duration,
    /// Processor time of a worker (`RLIMIT_CPU`), in whole seconds.
    pub cpu_seconds: u64,
    /// Address space of a worker (`RLIMIT_AS`), in bytes.
    pub memory_bytes: u64,
    /// Wall-clock deadline, held by the parent; the pages read until then are kept.
    pub wall: Duration,
}

impl Default for OcrLimits {
    fn default() -> Self {
        Self {
            pages: 200,
            page_time: Duration::from_secs(20),
            cpu_seconds: 300,
            memory_bytes: 1024 * 1024 * 1024,
            wall: Duration::from_mins(10),
        }
    }
}

/// Names of Tesseract's language data joined by `+`, `eng+deu` for example, best guess first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Languages(String);

/// Most languages at once: each makes every page slower.
const MOST_LANGUAGES: usize = 8;
const LONGEST_LANGUAGE: usize = 32;

impl Languages {
    /// Joined by `+`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split('+')
    }
}

impl Default for Languages {
    fn default() -> Self {
        Self("eng".to_owned())
    }
}

impl fmt::Display for Languages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What is no list of languages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{name}' is no list of languages; write Tesseract's names joined by +, eng+deu for example")]
pub struct LanguagesError {
    name: String,
}

impl FromStr for Languages {
    type Err = LanguagesError;

    /// Names become file names in the data's folder (`script/Latin` in a folder below): letters, digits
    /// and underscores alone, so that none leads out of it.
    fn from_str(languages: &str) -> Result<Self, LanguagesError> {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let is_name = |name: &str| name.len() <= LONGEST_LANGUAGE && name.split('/').all(is_word);
        if languages.split('+').all(is_name) && languages.split('+').count() <= MOST_LANGUAGES {
            Ok(Self(languages.to_owned()))
        } else {
            Err(LanguagesError { name: languages.chars().filter(|c| !c.is_control()).take(100).collect() })
        }
    }
}
