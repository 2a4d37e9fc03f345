//! Articles that go where the files of others still are: each goes when its place is free.

use std::collections::{BTreeMap, HashSet};

use super::super::{export_plan::PlannedFile, source::FileRecord};

/// Lets articles stay where their files are whose places are those of others that are about to leave: the files say the
/// rest, and the next round plans them again. Some wait for each other, or for one that cannot leave; what is changed
/// in them is written all the same. One without a file waits.
pub(super) fn in_turn(planned: Vec<PlannedFile>, rows: &BTreeMap<String, FileRecord>) -> Vec<PlannedFile> {
    let leaving: HashSet<i64> = planned.iter().map(|planned| planned.id).collect();
    let waits = |planned: &PlannedFile| {
        let there = rows.get(&planned.place).map(|row| row.article_id);
        there.is_some_and(|there| there != planned.id && leaving.contains(&there))
    };
    let placed = planned.into_iter().filter_map(|planned| {
        if !waits(&planned) {
            return Some(planned);
        }
        let own = planned.before.as_ref().filter(|own| rows.get(&own.path).is_some_and(|row| row == *own));
        let place = own.map(|own| own.path.clone())?;
        Some(PlannedFile { place, ..planned })
    });
    placed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_goes_when_its_place_is_free_and_stays_until_then() {
        let rows: BTreeMap<String, FileRecord> = [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")]
            .map(|(id, path)| (path.to_owned(), FileRecord::sample(id, path)))
            .into();
        let goes = |id: i64, from: &str, place: &str| PlannedFile {
            id,
            place: place.to_owned(),
            before: rows.get(from).cloned(),
        };
        // Two take each other's places, one waits for one of them; one goes to the place of another that goes
        // elsewhere.
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
        assert_eq!(places, [(1, "a"), (2, "b"), (3, "c"), (4, "new"), (5, "e"), (6, "other")]);
    }
}
