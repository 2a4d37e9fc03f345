//! Articles that go where the files of others still are: each goes when its place is free.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::{export_plan::PlannedFile, source::FileRecord};

/// Leaves out the articles whose places are those of others that are about to leave: the next round plans them again. Of some that
/// wait for each other, none would ever go: each stays where its file is, which says the rest.
pub(super) fn in_turn(planned: Vec<PlannedFile>, rows: &BTreeMap<String, FileRecord>) -> Vec<PlannedFile> {
    let awaited: HashMap<i64, i64> = {
        let leaving: HashSet<i64> = planned.iter().map(|planned| planned.id).collect();
        let awaited = planned.iter().filter_map(|planned| {
            let there = rows.get(&planned.place).map(|row| row.article_id)?;
            (there != planned.id && leaving.contains(&there)).then_some((planned.id, there))
        });
        awaited.collect()
    };
    let placed = planned.into_iter().filter_map(|planned| match awaited.contains_key(&planned.id) {
        true if !awaits_itself(planned.id, &awaited) => None,
        true => {
            let own = planned.before.as_ref().filter(|own| rows.get(&own.path).is_some_and(|row| row == *own));
            let place = own.map(|own| own.path.clone())?;
            Some(PlannedFile { place, ..planned })
        }
        false => Some(planned),
    });
    placed.collect()
}

/// Whether those that an article waits for wait for it.
fn awaits_itself(id: i64, awaited: &HashMap<i64, i64>) -> bool {
    let mut at = id;
    // Each is met once, unless it comes back to one before.
    for _ in 0..awaited.len() {
        match awaited.get(&at) {
            Some(next) if *next == id => return true,
            Some(next) => at = *next,
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(article_id: i64, path: &str) -> FileRecord {
        FileRecord {
            source_id: 1,
            path: path.to_owned(),
            article_id,
            file_hash: "hash".to_owned(),
            revision: 1,
            slug: "slug".to_owned(),
            folder: String::new(),
            written: false,
            present: Some(1),
            present_slug: None,
        }
    }

    #[test]
    fn each_goes_when_its_place_is_free() {
        let rows: BTreeMap<String, FileRecord> = [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")]
            .map(|(id, path)| (path.to_owned(), known(id, path)))
            .into();
        let goes = |id: i64, from: &str, place: &str| PlannedFile {
            id,
            place: place.to_owned(),
            before: rows.get(from).cloned(),
        };
        // Two take each other's places, one waits for one of them; one goes to the place of another that goes elsewhere.
        let planned = vec![
            goes(1, "a", "b"),
            goes(2, "b", "a"),
            goes(3, "c", "d"),
            goes(4, "d", "new"),
            goes(5, "e", "e"),
            goes(6, "", "other"),
        ];
        let placed = in_turn(planned, &rows);
        let places: Vec<_> = placed.iter().map(|planned| (planned.id, planned.place.as_str())).collect();
        assert_eq!(places, [(1, "a"), (2, "b"), (4, "new"), (5, "e"), (6, "other")]);
    }
}
