//! The folder of an article: a path like `guides/rust`, in any language; empty for the root.

use std::fmt;

pub(crate) use afterword_actors::store::folder::within;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// Longest folder. *Units:* bytes.
const MAX_FOLDER_BYTES: usize = 255;
/// Most parts of a folder.
const MAX_FOLDER_PARTS: usize = 16;

/// A valid folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Folder(String);

/// Why a path is not a folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FolderError {
    /// It contains `.` or `..`.
    #[error("a folder must not contain \".\" or \"..\"")]
    Dots,
    /// It contains a control character or a backslash.
    #[error("a folder must not contain {0:?}; separate its parts by \"/\"")]
    Character(char),
    /// It is too long.
    #[error("the folder has {0} bytes, and at most {MAX_FOLDER_BYTES} are allowed")]
    TooLong(usize),
    /// It has too many parts.
    #[error("the folder has {0} parts, and at most {MAX_FOLDER_PARTS} are allowed")]
    TooDeep(usize),
}

impl Folder {
    /// Reads a folder; slashes at the ends and doubled ones are ignored, and letters with their accents are one
    /// character (NFC).
    ///
    /// # Errors
    /// [`FolderError`]
    pub fn parse(given: &str) -> Result<Self, FolderError> {
        let given: String = given.nfc().collect();
        let parts: Vec<_> = given.split('/').map(str::trim).filter(|part| !part.is_empty()).collect();
        if parts.iter().any(|part| matches!(*part, "." | "..")) {
            return Err(FolderError::Dots);
        }
        if let Some(bad) = given.chars().find(|c| c.is_control() || *c == '\\') {
            return Err(FolderError::Character(bad));
        }
        if parts.len() > MAX_FOLDER_PARTS {
            return Err(FolderError::TooDeep(parts.len()));
        }
        let path = parts.join("/");
        if path.len() > MAX_FOLDER_BYTES { Err(FolderError::TooLong(path.len())) } else { Ok(Self(path)) }
    }

    /// Makes a folder from the path of a file, whatever its parts are named: characters that a folder cannot contain
    /// are removed, and what is too deep or too long is cut.
    pub fn of_place<'p>(parts: impl IntoIterator<Item = &'p str>) -> Self {
        let mut path = String::new();
        for part in parts.into_iter().map(clean_part).filter(|part| !part.is_empty()).take(MAX_FOLDER_PARTS) {
            let room = MAX_FOLDER_BYTES.saturating_sub(path.len() + 1);
            let end = (0..=part.len().min(room)).rev().find(|end| part.is_char_boundary(*end)).unwrap_or(0);
            // The cut may leave a dot or two, which lead elsewhere.
            let part = clean_part(&part[..end]);
            if part.is_empty() {
                break;
            }
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(&part);
        }
        Self(path)
    }

    /// Returns its parts, from the outside in.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }

    /// Returns this folder below `above`.
    ///
    /// # Errors
    /// [`FolderError`] if both together are too long or too deep.
    pub fn below(&self, above: &Self) -> Result<Self, FolderError> {
        Self::parse(&format!("{}/{}", above.0, self.0))
    }

    /// Whether this is `other` or below it.
    pub fn is_within(&self, other: &Self) -> bool {
        other.contains(&self.0)
    }

    /// Whether `path`, a stored folder, is this one or below it.
    pub(crate) fn contains(&self, path: &str) -> bool {
        self.0.is_empty() || path.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// A part of a path as a part of a folder; empty if nothing is left.
fn clean_part(part: &str) -> String {
    let replaced = part.nfc().map(|c| {
        if c.is_control() {
            ' '
        } else if matches!(c, '\\' | '/') {
            '-'
        } else {
            c
        }
    });
    let part = replaced.collect::<String>().trim().to_owned();
    if matches!(part.as_str(), "." | "..") { String::new() } else { part }
}

impl AsRef<str> for Folder {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Folder {
    type Error = FolderError;

    fn try_from(given: String) -> Result<Self, FolderError> {
        Self::parse(&given)
    }
}

impl From<Folder> for String {
    fn from(folder: Folder) -> Self {
        folder.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_a_folder_stays_what_it_is_and_leads_nowhere_else(given in "[a-zé文./\\\\ ]{0,40}") {
            if let Ok(folder) = Folder::parse(&given) {
                prop_assert_eq!(Folder::parse(&folder.0), Ok(folder.clone()));
                prop_assert!(folder.0.split('/').all(|part| part != ".." && part != "."));
                prop_assert!(!folder.0.starts_with('/') && !folder.0.ends_with('/'));
                prop_assert!(folder.is_within(&Folder::default()) && folder.is_within(&folder));
            }
        }
    }

    proptest! {
        #[test]
        fn every_place_has_a_valid_folder(parts in proptest::collection::vec("[a-zé文./\\\\ \\t]{0,40}", 0..30)) {
            let folder = Folder::of_place(parts.iter().map(String::as_str));
            prop_assert_eq!(Folder::parse(&folder.0), Ok(folder));
        }
    }

    #[test]
    fn a_folder_is_one_however_its_letters_are_written() {
        let composed = Folder::parse("caf\u{e9}/k\u{f6}nig");
        assert_eq!(Folder::parse("cafe\u{301}/ko\u{308}nig"), composed);
        assert_eq!(Ok(Folder::of_place(["cafe\u{301}", "ko\u{308}nig"])), composed);
    }

    #[test]
    fn a_folder_is_within_its_parents_only() {
        let folder = |path| Folder::parse(path).expect("a folder");
        assert!(folder("a/b").is_within(&folder("a")));
        assert!(!folder("ab").is_within(&folder("a")));
    }
}
