//! Files that took each other's places: two names that were swapped, or one that was given on.

use std::collections::{HashMap, HashSet};

use super::{super::scan::ScannedFile, facts::ImportFacts};

/// Places, by the hashes of what they hold, or held.
type ByHash<'f> = HashMap<&'f str, Vec<&'f str>>;

/// Files that hold the bytes that were at another place, and the places they come from, where a known file is at such a
/// place now.
///
/// Only what is exact and complete counts: each of these known files was at one other place and is at one other place
/// now. A file whose text was put over another one, or copied and then changed, is not moved.
pub(super) fn find_exchanges<'f>(files: &'f [ScannedFile], facts: &'f ImportFacts) -> Vec<(&'f str, &'f str)> {
    let is_changed = |file: &&ScannedFile| {
        let record = facts.records.get(&file.file).filter(|record| record.present.is_some());
        record.is_some_and(|record| !record.file_hash.is_empty() && record.file_hash != file.hash)
    };
    let mut changed: HashSet<&str> = files.iter().filter(is_changed).map(|file| file.file.as_str()).collect();
    if changed.is_empty() || facts.is_copy {
        return Vec::new();
    }
    let is_new = |file: &str| !facts.records.contains_key(file);
    let is_gone = |file: &str| !facts.present.contains(file);
    let (mut left, mut come) = (ByHash::new(), ByHash::new());
    for (file, record) in facts.records.iter().filter(|(_, record)| record.present.is_some()) {
        if changed.contains(file.as_str()) || is_gone(file) {
            left.entry(&record.file_hash).or_default().push(file);
        }
    }
    for file in files.iter().filter(|file| changed.contains(file.file.as_str()) || is_new(&file.file)) {
        come.entry(&file.hash).or_default().push(&file.file);
    }
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for (hash, files) in &come {
        if let ([file], Some([place])) = (files.as_slice(), left.get(hash).map(Vec::as_slice)) {
            pairs.push((file, place));
        }
    }
    loop {
        let found = changed.len();
        pairs.retain(|(file, place)| {
            (is_new(file) || changed.contains(file)) && (is_gone(place) || changed.contains(place))
        });
        let comes: HashSet<&str> = pairs.iter().map(|(file, _)| *file).collect();
        let leaves: HashSet<&str> = pairs.iter().map(|(_, place)| *place).collect();
        changed.retain(|file| comes.contains(file) && leaves.contains(file));
        if changed.len() == found {
            break;
        }
    }
    pairs.retain(|(file, place)| changed.contains(file) || changed.contains(place));
    pairs.sort_unstable();
    pairs
}
