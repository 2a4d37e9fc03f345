//! Which files are known ones that were moved.

use std::collections::{HashMap, HashSet};

use super::{
    super::{place, scan::ScannedFile, source::FileRecord},
    exchanged,
    facts::ImportFacts,
};

/// New files that are known ones at another place: its accents or the case of its letters are written otherwise, or it
/// holds the same bytes as a file that is not there any more, or most of its lines; and known ones that took each
/// other's places.
pub(super) fn moves<'f>(files: &'f [ScannedFile], facts: &'f ImportFacts) -> HashMap<&'f str, &'f FileRecord> {
    let gone =
        || facts.records.iter().filter(|(file, record)| !facts.present.contains(*file) && record.present.is_some());
    let mut moved: HashMap<&str, &FileRecord> = HashMap::new();
    let mut used: HashSet<&str> = HashSet::new();
    for (file, place) in exchanged::find_exchanges(files, facts) {
        moved.insert(file, &facts.records[place]);
        used.insert(place);
    }
    let is_new =
        |file: &&ScannedFile| !facts.records.contains_key(&file.file) && !moved.contains_key(file.file.as_str());
    let new: Vec<&ScannedFile> = files.iter().filter(is_new).collect();
    let by_name = pairs(
        new.iter().map(|file| (place::compose(&file.file), *file)),
        gone()
            .filter(|(file, _)| !used.contains(file.as_str()))
            .map(|(file, record)| (place::compose(file), (file, record))),
    );
    for (file, (place, record)) in by_name {
        moved.insert(&file.file, record);
        used.insert(place);
    }
    let unnamed = new.iter().filter(|file| !moved.contains_key(file.file.as_str()));
    let by_letters = pairs(
        unnamed.map(|file| (place::fold_case(&file.file), *file)),
        gone()
            .filter(|(file, _)| !used.contains(file.as_str()))
            .map(|(file, record)| (place::fold_case(file), (file, record))),
    );
    for (file, (place, record)) in by_letters {
        moved.insert(&file.file, record);
        used.insert(place);
    }
    for (file, place) in same_texts(&new, facts, &moved, &used) {
        moved.insert(file, &facts.records[place]);
        used.insert(place);
    }
    for file in new {
        let record = facts.similar.get(&file.file).and_then(|place| facts.records.get_key_value(place));
        if let Some((place, record)) = record
            && !moved.contains_key(file.file.as_str())
            && used.insert(place)
        {
            moved.insert(&file.file, record);
        }
    }
    moved
}

/// New files that hold the bytes of files that are gone, with their places. Of several with the same bytes, those
/// belong together whose places end alike: a folder that is renamed keeps what is in it.
fn same_texts<'f>(
    new: &[&'f ScannedFile],
    facts: &'f ImportFacts,
    moved: &HashMap<&str, &FileRecord>,
    used: &HashSet<&str>,
) -> Vec<(&'f str, &'f str)> {
    let is_gone = |file: &&String| !facts.present.contains(*file) && !used.contains(file.as_str());
    let gone = facts.records.iter().filter(|(file, record)| is_gone(file) && record.present.is_some());
    let mut gone: Vec<(&str, &str)> = gone.map(|(file, record)| (record.file_hash.as_str(), file.as_str())).collect();
    let gone_hashes: HashSet<&str> = gone.iter().map(|(hash, _)| *hash).collect();
    let new =
        new.iter().filter(|file| !moved.contains_key(file.file.as_str()) && gone_hashes.contains(file.hash.as_str()));
    let mut new: Vec<(&str, &str)> = new.map(|file| (file.hash.as_str(), file.file.as_str())).collect();
    let deepest = new.iter().map(|(_, file)| file.split('/').count()).max().unwrap_or_default();
    let mut found = Vec::new();
    for depth in (0..=deepest).rev() {
        let key = |(hash, file): (&str, &str)| Some(format!("{hash}/{}", tail(file, depth)?));
        let keyed = |files: &[(&'f str, &'f str)]| -> Vec<(String, &'f str)> {
            files.iter().filter_map(|file| Some((key(*file)?, file.1))).collect()
        };
        let both = pairs(keyed(&new).into_iter(), keyed(&gone).into_iter());
        let done: HashSet<&str> = both.iter().flat_map(|(one, other)| [*one, *other]).collect();
        [&mut new, &mut gone].into_iter().for_each(|files| files.retain(|(_, file)| !done.contains(file)));
        found.extend(both);
    }
    new.sort_unstable();
    gone.sort_unstable();
    // Nothing tells them apart: each is one of them, as long as there are.
    for (hash, file) in new {
        if let Some(position) = gone.iter().position(|(hash_before, _)| *hash_before == hash) {
            found.push((file, gone.remove(position).1));
        }
    }
    found
}

/// The last `depth` parts of a place, if it has as many.
fn tail(file: &str, depth: usize) -> Option<&str> {
    match file.rmatch_indices('/').nth(depth.checked_sub(1).unwrap_or(usize::MAX)) {
        _ if depth == 0 => Some(""),
        Some((end, _)) => Some(&file[end + 1..]),
        None => (file.split('/').count() == depth).then_some(file),
    }
}

/// What has one key on both sides, and alone on each.
fn pairs<A: Copy, B: Copy>(
    one: impl Iterator<Item = (String, A)>,
    other: impl Iterator<Item = (String, B)>,
) -> Vec<(A, B)> {
    let mut both: HashMap<String, (Vec<A>, Vec<B>)> = HashMap::new();
    one.for_each(|(key, value)| both.entry(key).or_default().0.push(value));
    other.for_each(|(key, value)| both.entry(key).or_default().1.push(value));
    both.into_values()
        .filter_map(|(one, other)| match (one.as_slice(), other.as_slice()) {
            ([one], [other]) => Some((*one, *other)),
            _ => None,
        })
        .collect()
}
