//! Plans what becomes of each file. Reads and writes nothing, so that a dry run and a real one cannot come to different
//! answers.

mod adopted;
mod exchanged;
mod facts;
mod moves;

use std::collections::{HashMap, HashSet};

use super::{
    scan::ScannedFile,
    slugs::{self, Wish},
    source::{FileRecord, Occupant},
};
use crate::articles::slug::Slug;
use adopted::{adopt, unknown};
use moves::moves;

pub(super) use facts::{Action, ImportFacts, Policy, Refusal};

/// One action for each file.
pub(super) fn plan(files: &[ScannedFile], facts: &ImportFacts, policy: Policy) -> Vec<Action> {
    let moved = moves(files, facts);
    let mut actions: Vec<Option<Action>> = files
        .iter()
        .map(|file| match (moved.get(file.file.as_str()), facts.records.get(&file.file)) {
            (Some(record), _) => Some(of_moved(record, facts, policy)),
            (None, Some(record)) => of_known(file, record, facts, policy),
            (None, None) => None,
        })
        .collect();
    let taken = restore_deleted(files, facts, &mut actions);
    let adopted = adopt(files, facts, &mut actions);
    settle_contended(files, facts, policy, &adopted, &mut actions);
    assign_slugs(files, facts, taken, &mut actions);
    actions.into_iter().map(|action| action.unwrap_or(Action::Refuse(Refusal::NoSlug))).collect()
}

/// A file that has an article; `None` if it needs a new one.
fn of_known(file: &ScannedFile, record: &FileRecord, facts: &ImportFacts, policy: Policy) -> Option<Action> {
    let is_same = record.file_hash == file.hash;
    let Some(present) = record.present else {
        let slug = record.slug.clone();
        return match policy {
            _ if is_same => Some(Action::Deleted { slug }),
            Policy::Update | Policy::Together => None,
            Policy::Skip => Some(Action::Deleted { slug }),
            Policy::Fail => Some(Action::Refuse(Refusal::DeletedHere { slug })),
        };
    };
    let slug = record.present_slug.clone().unwrap_or_else(|| record.slug.clone());
    let is_edited = present != record.revision && !facts.unedited.contains(&record.article_id);
    // The folder was imported as a part of another one before, or by itself: its articles stand elsewhere now. Of a
    // folder that is kept in step, files that have not changed stay as an import read them, whoever wrote them.
    let stands_elsewhere = file.wish.folder.as_ref() != record.folder && !facts.is_copy && policy != Policy::Together;
    if is_same && (is_edited || !stands_elsewhere) {
        return Some(Action::Unchanged { slug });
    }
    // No hash: a run ended before it could note that the file was written, or a copy of the folder has another text.
    let is_unsure = record.file_hash.is_empty();
    Some(match policy {
        Policy::Together if is_edited || is_unsure => Action::Merge { record: Box::new(record.clone()) },
        Policy::Skip if is_edited || is_unsure || facts.is_copy => Action::Skip { slug },
        Policy::Fail if facts.is_copy => Action::Refuse(Refusal::CopyDiffers { slug }),
        Policy::Fail if is_edited || is_unsure => Action::Refuse(Refusal::BothChanged { slug }),
        Policy::Skip | Policy::Fail | Policy::Update | Policy::Together => {
            Action::Update { record: Box::new(record.clone()), has_moved: false }
        }
    })
}

fn of_moved(record: &FileRecord, facts: &ImportFacts, policy: Policy) -> Action {
    let is_edited = record.present != Some(record.revision) && !facts.unedited.contains(&record.article_id);
    let record = Box::new(record.clone());
    match policy {
        _ if !is_edited => Action::Update { record, has_moved: true },
        Policy::Together => Action::Merge { record },
        Policy::Skip | Policy::Update | Policy::Fail => Action::Follow { record },
    }
}

/// Files whose articles were deleted, and have a past that comes back with them. Answers the slugs that those take.
fn restore_deleted(files: &[ScannedFile], facts: &ImportFacts, actions: &mut [Option<Action>]) -> HashSet<String> {
    let mut taken = HashSet::new();
    for (file, action) in files.iter().zip(actions).filter(|(_, action)| action.is_none()) {
        let Some(record) = facts.records.get(&file.file).filter(|record| record.present.is_none()) else { continue };
        let past = facts.past.get(&record.article_id).into_iter().flatten();
        let mut free = past.filter(|slug| !facts.occupants.contains_key(slug.as_ref()));
        if let Some(slug) = free.find(|slug| taken.insert(slug.to_string())) {
            *action = Some(Action::Restore { record: Box::new(record.clone()), slug: slug.clone() });
        }
    }
    taken
}

/// New files that want the slug of an article that came from nowhere and says something else: one of them may replace
/// it.
fn settle_contended(
    files: &[ScannedFile],
    facts: &ImportFacts,
    policy: Policy,
    adopted: &HashSet<i64>,
    actions: &mut [Option<Action>],
) {
    let mut wanting: HashMap<&str, usize> = HashMap::new();
    for position in unknown(files, facts, actions) {
        let first = wanting.entry(files[position].wish.slug.as_ref()).or_insert(position);
        if files[position].wish.rank() < files[*first].wish.rank() {
            *first = position;
        }
    }
    for (slug, position) in wanting {
        let is_meant = |found: &&Occupant| !found.from_file && found.slug == slug && !adopted.contains(&found.id);
        let Some(occupant) = facts.occupants.get(slug).filter(is_meant) else { continue };
        let (slug, title) = (occupant.slug.clone(), occupant.title.clone());
        let decided = match policy {
            Policy::Update => Action::Replace { occupant: Box::new(occupant.clone()) },
            Policy::Skip => Action::Skip { slug },
            Policy::Fail => Action::Refuse(Refusal::Exists { slug, title }),
            // Both stay, under two names.
            Policy::Together => continue,
        };
        actions[position] = Some(decided);
    }
}

/// Names for all that need a new article.
fn assign_slugs(
    files: &[ScannedFile],
    facts: &ImportFacts,
    mut taken: HashSet<String>,
    actions: &mut [Option<Action>],
) {
    let new: Vec<usize> = (0..files.len()).filter(|position| actions[*position].is_none()).collect();
    let wishes: Vec<Wish> = new.iter().map(|position| files[*position].wish.clone()).collect();
    taken.extend(facts.occupants.keys().cloned());
    let slugs = slugs::assign(&wishes, taken.clone());
    let given: HashSet<&Slug> = slugs.iter().flatten().collect();
    let mut promised: HashSet<Slug> = HashSet::new();
    for (position, slug) in new.into_iter().zip(&slugs) {
        let Some(slug) = slug else { continue };
        // A present name goes before a former one.
        let free = |former: &&Slug| !given.contains(former) && !taken.contains(former.as_ref());
        let former: Vec<Slug> = files[position].former_slugs.iter().filter(free).cloned().collect();
        let former_slugs = former.into_iter().filter(|former| promised.insert(former.clone())).collect();
        let again = facts.records.get(&files[position].file).cloned().map(Box::new);
        actions[position] = Some(Action::Create { slug: slug.clone(), former_slugs, again });
    }
}
