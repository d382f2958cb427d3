//! OCR settings. They belong to the operator. A user's request may only put one language before those of the operator.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// How OCR runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OcrSettings {
    /// The languages to recognise.
    pub languages: Languages,
    /// The directory with the language data. `None` searches the usual places, Debian's first.
    pub tessdata: Option<PathBuf>,
    /// The limits for one file.
    pub limits: OcrLimits,
}

/// OCR limits for one file. Input, output and pixels are limited by [`crate::Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OcrLimits {
    /// Maximum number of pages that go through OCR. Further pages keep the text they have.
    pub pages: u32,
    /// Maximum time per page. A page that takes longer keeps the text it has.
    pub page_time: Duration,
    /// CPU time of one worker (`RLIMIT_CPU`), in whole seconds.
    pub cpu_seconds: u64,
    /// Address space of one worker (`RLIMIT_AS`), in bytes.
    pub memory_bytes: u64,
    /// Wall-clock deadline, enforced by the parent. Pages finished before it are kept.
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

/// Names of Tesseract language data joined by `+`, for example `eng+deu`, most likely language first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Languages(String);

/// Maximum number of languages at once: each one slows down every page.
const MOST_LANGUAGES: usize = 8;
const LONGEST_LANGUAGE: usize = 32;

impl Languages {
    /// The names, joined by `+`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// These languages after `first`, if that is a valid name.
    #[must_use]
    pub fn after(&self, first: &str) -> Self {
        let others = self.iter().filter(|name| *name != first).take(MOST_LANGUAGES - 1);
        let names: Vec<&str> = std::iter::once(first).chain(others).collect();
        names.join("+").parse().unwrap_or_else(|_| self.clone())
    }

    /// Tesseract's name for a language (ISO 639-3). Most are equal.
    pub(crate) fn of_text(language: &str) -> Option<String> {
        let name = match language {
            "zho" | "cmn" => "chi_sim",
            "nob" | "nno" => "nor",
            "arb" => "ara",
            "pes" => "fas",
            "ekk" => "est",
            "lvs" => "lav",
            "zsm" => "msa",
            "azj" => "aze",
            "uzn" => "uzb",
            "khk" => "mon",
            "ydd" => "yid",
            "npi" => "nep",
            "ory" => "ori",
            "swh" => "swa",
            other => other,
        };
        let is_code =
            name.len() <= LONGEST_LANGUAGE && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        (is_code && !name.is_empty()).then(|| name.to_owned())
    }

    /// The names, one by one.
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

/// A malformed list of languages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{name}' is not a valid list of languages; join Tesseract language names with +, as in eng+deu")]
pub struct LanguagesError {
    name: String,
}

impl FromStr for Languages {
    type Err = LanguagesError;

    /// Names become file names in the data directory (`script/Latin` is in a subdirectory). Only letters,
    /// digits and underscores are allowed, so no name can leave that directory.
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
