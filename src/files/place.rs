//! Places of files: paths below a folder, as text, separated by `/`.

use std::path::Path;

use unicode_normalization::UnicodeNormalization;

use crate::articles::folder::Folder;

/// The folder of a place, part by part.
pub(super) fn parents(place: &str) -> impl Iterator<Item = &str> {
    place.rsplit_once('/').map(|(parents, _)| parents).into_iter().flat_map(|parents| parents.split('/'))
}

/// The last part.
pub(super) fn name(place: &str) -> &str {
    place.rsplit_once('/').map_or(place, |(_, name)| name)
}

/// The file's name without its extension.
pub(super) fn stem(place: &str) -> &str {
    let name = name(place);
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        Some(_) | None => name,
    }
}

/// The extension, in lower-case letters; empty if there is none.
pub(super) fn extension(place: &str) -> String {
    let name = name(place);
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => extension.to_ascii_lowercase(),
        Some(_) | None => String::new(),
    }
}

/// `name` in the folder `parents`.
pub(super) fn join(parents: &str, name: &str) -> String {
    match (parents.is_empty(), name.is_empty()) {
        (true, _) => name.to_owned(),
        (_, true) => parents.to_owned(),
        (false, false) => format!("{parents}/{name}"),
    }
}

/// Where a folder of articles lies below `above`; the folder itself if it does not.
pub(super) fn relative<'f>(folder: &'f str, above: &Folder) -> &'f str {
    let above: &str = above.as_ref();
    let rest = folder.strip_prefix(above).filter(|_| !above.is_empty());
    rest.and_then(|rest| if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }).unwrap_or(folder)
}

/// Whether every part is a name: none is empty, `.` or `..`.
pub(super) fn is_plain(place: &str) -> bool {
    place.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains('\0'))
}

/// The place of a copy beside a file: its name with `mark` behind it, and cut where it would be longer than names may
/// be.
pub(super) fn beside(file: &str, mark: &str) -> String {
    /// *Units:* bytes. *Source:* Linux, `NAME_MAX`; other systems allow as much.
    const MAX_NAME_BYTES: usize = 255;
    let (parents, whole) = file.rsplit_once('/').unwrap_or(("", file));
    let (stem, extension) = whole.rsplit_once('.').unwrap_or((whole, "md"));
    let most = MAX_NAME_BYTES.saturating_sub(extension.len() + mark.len() + " ().".len());
    let stem = &stem[..stem.floor_char_boundary(most)];
    join(parents, &format!("{stem} ({mark}).{extension}"))
}

/// Where something is known of a file that left its place to another one and was not found again yet. Its article's
/// number is in the name, so that whoever finds the file finds this. If the file is not found, its article gets a new
/// one here.
pub(super) fn aside(file: &str, article: i64) -> String {
    beside(file, &format!("moved {article}"))
}

/// Whether a file is a copy that was put beside another one: nothing else is called so.
pub(super) fn is_copy(file: &str) -> bool {
    let marked = file.rsplit_once(").").and_then(|(name, _)| name.rsplit_once(" (")).map(|(_, mark)| mark);
    let digits = marked.and_then(|mark| mark.strip_prefix("conflict ").or_else(|| mark.strip_prefix("saved late ")));
    digits.is_some_and(|digits| digits.len() >= 8 && digits.chars().all(|digit| digit.is_ascii_hexdigit()))
}

/// Returns the same text for places that some file systems do not tell apart.
pub(super) fn fold_case(place: &str) -> String {
    place.nfc().flat_map(char::to_lowercase).collect()
}

/// Returns the same text for places that differ only in how their accents are written.
pub(super) fn compose(place: &str) -> String {
    place.nfc().collect()
}

/// Where `inner` lies below `outer`; empty if they are the same.
pub(super) fn below(inner: &Path, outer: &Path) -> Option<String> {
    let rest = inner.strip_prefix(outer).ok()?;
    let parts: Option<Vec<&str>> = rest.components().map(|part| part.as_os_str().to_str()).collect();
    Some(parts?.join("/"))
}

#[cfg(test)]
mod tests {
    use super::{aside, beside, is_copy};

    #[test]
    fn a_copy_stands_beside_its_file_under_a_name_that_may_be() {
        assert_eq!(beside("a/b.md", "conflict 1a"), "a/b (conflict 1a).md");
        assert_eq!(beside("plain", "x"), "plain (x).md");
        let long = beside(&format!("a/{}.md", "é".repeat(126)), "conflict 1a2b3c4d");
        let name = long.rsplit('/').next().unwrap_or_default();
        assert!(name.len() <= 255 && name.ends_with("é (conflict 1a2b3c4d).md"), "{long}");
    }

    #[test]
    fn what_is_aside_is_no_copy() {
        assert_eq!(aside("sub/a.md", 7), "sub/a (moved 7).md");
        assert!(!is_copy(&aside("a.md", 12_345_678)) && !is_copy(&aside("a (conflict 1a2b3c4d).md", 12_345_678)));
    }

    #[test]
    fn a_copy_is_known_by_its_name() {
        for copy in ["a (conflict 1a2b3c4d).md", "sub/a (b) (saved late 1a2b3c4d5e6f7a8b).mdx"] {
            assert!(is_copy(copy), "{copy}");
        }
        for other in ["a (conflict of interest).md", "(conflict 1a2b3c4d).md/a.md", "a (conflict 12).md", "conflict.md"]
        {
            assert!(!is_copy(other), "{other}");
        }
    }
}
