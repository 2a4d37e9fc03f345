//! Which new files are articles that came from nowhere.

use std::collections::{HashMap, HashSet};

use super::{
    super::{scan::ScannedFile, source::Occupant},
    facts::{Action, ImportFacts},
};

/// New files that say what an article says that came from nowhere: they are that article, which is noted in `actions`.
/// Answers which articles those are.
pub(super) fn adopt(files: &[ScannedFile], facts: &ImportFacts, actions: &mut [Option<Action>]) -> HashSet<i64> {
    /// The first that finds an article has the last word.
    const FITS: [fn(&ScannedFile, &Occupant) -> bool; 5] = [
        |file, occupant| may_be_called(file, occupant) && stands_there(file, occupant),
        |file, occupant| file.wish.slug.as_ref() == occupant.slug,
        may_be_called,
        stands_there,
        |_, _| true,
    ];
    let mut alike: HashMap<&str, Vec<&Occupant>> = HashMap::new();
    let occupants = facts.occupants.values().filter(|occupant| occupant.name == occupant.slug).chain(&facts.alike);
    for occupant in occupants.filter(|occupant| !occupant.from_file) {
        alike.entry(occupant.content_hash.as_str()).or_default().push(occupant);
    }
    alike.values_mut().for_each(|occupants| occupants.sort_by_key(|occupant| occupant.id));
    let mut new = unknown(files, facts, actions);
    new.sort_by(|a, b| files[*a].wish.rank().cmp(&files[*b].wish.rank()));
    let mut adopted = HashSet::new();
    for fits in FITS {
        new.retain(|position| {
            let file = &files[*position];
            let same = alike.get(file.content_hash.as_str()).into_iter().flatten();
            // Front matter that is nowhere else is not replaced without a revision.
            let mut same = same.filter(|occupant| {
                !adopted.contains(&occupant.id)
                    && (occupant.front_matter.is_empty() || occupant.front_matter == file.front_matter)
            });
            let Some(occupant) = same.find(|occupant| fits(file, occupant)) else { return true };
            adopted.insert(occupant.id);
            actions[*position] = Some(Action::Adopt { occupant: Box::new((*occupant).clone()) });
            false
        });
    }
    adopted
}

/// Whether the article has a slug that the file could have been given.
fn may_be_called(file: &ScannedFile, occupant: &Occupant) -> bool {
    file.wish.candidates().any(|slug| slug.as_ref() == occupant.slug)
}

fn stands_there(file: &ScannedFile, occupant: &Occupant) -> bool {
    file.wish.folder.as_ref() == occupant.folder
}

/// Files that nothing is known of, and nothing decided.
pub(super) fn unknown(files: &[ScannedFile], facts: &ImportFacts, actions: &[Option<Action>]) -> Vec<usize> {
    let is_unknown =
        |position: &usize| actions[*position].is_none() && !facts.records.contains_key(&files[*position].file);
    (0..files.len()).filter(is_unknown).collect()
}
