//! Finds Tesseract's data, and explains how to install missing data.

use dossier_extract::protocol::Failure;
use dossier_extract::{Languages, Recognition};
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// Where the data is installed: on Debian and Ubuntu; Fedora; Alpine and Arch; by `make install`.
const FOLDERS: [&str; 4] = [
    "/usr/share/tesseract-ocr/5/tessdata",
    "/usr/share/tesseract/tessdata",
    "/usr/share/tessdata",
    "/usr/local/share/tessdata",
];

/// The directory that contains the data of every requested language.
pub(super) fn folder(recognition: &Recognition) -> Result<PathBuf, Failure> {
    let folder = match &recognition.tessdata {
        Some(folder) => folder.clone(),
        None => FOLDERS
            .iter()
            .map(PathBuf::from)
            .find(|folder| folder.is_dir())
            .ok_or_else(|| missing("there is no language data in the usual directories"))?,
    };
    let lacking = |language: &&str| !data(&folder, language).is_file();
    match recognition.languages.iter().find(lacking) {
        None => Ok(folder),
        Some(language) => {
            let package = language.replace('_', "-").to_ascii_lowercase();
            Err(Failure::NeedsOcr {
                reason: format!(
                    "Tesseract has no data for the language {language} in {}; on Debian and Ubuntu run \
                    apt-get install tesseract-ocr tesseract-ocr-{package}",
                    folder.display()
                ),
            })
        }
    }
}

/// The languages to read, and whether the preferred one is missing.
pub(super) fn languages(recognition: &Recognition, folder: &Path) -> (Languages, Option<String>) {
    let languages = &recognition.languages;
    let Some(preferred) = &recognition.preferred else { return (languages.clone(), None) };
    let ordered = languages.after(preferred);
    if ordered.iter().next() == Some(preferred) && data(folder, preferred).is_file() {
        (ordered, None)
    } else {
        (languages.clone(), Some(format!("the data for the language {preferred} is not installed")))
    }
}

/// The data file of a language.
pub(super) fn data(folder: &Path, language: &str) -> PathBuf {
    folder.join(format!("{language}.traineddata"))
}

pub(crate) fn missing(what: impl Display) -> Failure {
    Failure::NeedsOcr {
        reason: format!(
            "Tesseract is not installed ({what}); on Debian and Ubuntu run apt-get install tesseract-ocr"
        ),
    }
}
