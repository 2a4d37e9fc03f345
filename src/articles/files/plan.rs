//! What is to become of each file. Nothing is read and nothing is written here, so that a dry run and a real one cannot
//! come to different answers.

use std::collections::{HashMap, HashSet};

use super::{
    place,
    scan::Scanned,
    slugs::{self, Wish},
    source::{Known, Occupant},
};
use crate::articles::slug::Slug;

/// What to do about what both sides say differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    /// The article stays.
    Skip,
    /// The file wins.
    Update,
    /// That is an error.
    Fail,
    /// Both sides are merged.
    Together,
}

/// What is to become of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// A new article. `again` is set if the file had one before.
    Create { slug: Slug, former_slugs: Vec<Slug>, again: Option<Box<Known>> },
    /// The article follows the file, which has changed, or moved from another place.
    Update { known: Box<Known>, has_moved: bool },
    /// The file has moved, and its article has been edited meanwhile: only the place is noted.
    Follow { known: Box<Known> },
    /// File and article have both been changed, or moved and changed: they are brought together.
    Merge { known: Box<Known> },
    /// An article that came from nowhere says the same: it is this file's from now on.
    Adopt { occupant: Box<Occupant> },
    /// An article that came from nowhere has the slug, and becomes what the file says.
    Replace { occupant: Box<Occupant> },
    /// Nothing.
    Unchanged { slug: String },
    /// Nothing, because of an article that exists.
    Skip { slug: String },
    /// Nothing: the article was deleted.
    Deleted { slug: String },
    /// Nothing, and that is an error.
    Refuse(Refusal),
}

/// Why a file does not become what it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error(
        "the article \"{slug}\" (\"{title}\") exists already and did not come from this file; `--on-conflict update` \
         replaces it by the file, `skip` leaves it"
    )]
    Exists { slug: String, title: String },
    #[error(
        "its article \"{slug}\" and the file have both been changed since they were the same; `--on-conflict update` \
         takes the file, `skip` the article"
    )]
    BothChanged { slug: String },
    #[error(
        "differs from the file that \"{slug}\" came from, of which the folder is a copy; `--on-conflict update` takes \
         this one, `--source NAME` imports the folder as another"
    )]
    CopyDiffers { slug: String },
    #[error(
        "its article \"{slug}\" was deleted, and the file has changed since; `--on-conflict update` makes a new one, \
         `skip` leaves it deleted"
    )]
    DeletedHere { slug: String },
    #[error("every slug that it could have is taken; give it one with `slug:` in its front matter")]
    NoSlug,
}

/// What the plan depends on besides the files.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// By their places in the folder.
    pub(super) known: HashMap<String, Known>,
    /// Everything in the folder, planned now or not.
    pub(super) present: HashSet<String>,
    /// Articles of `known` that still say what they said when their file was read.
    pub(super) unedited: HashSet<i64>,
    /// Who has the slugs that new files would like, by slug.
    pub(super) occupants: HashMap<String, Occupant>,
    pub(super) is_copy: bool,
    /// Places of files that are gone, by new files that took over most of their lines.
    pub(super) similar: HashMap<String, String>,
}

impl Facts {
    /// Slugs whose owners have to be known before [`plan`].
    pub(super) fn asked(&self, files: &[Scanned]) -> Vec<String> {
        let new = files.iter().filter(|file| self.known.get(&file.file).is_none_or(|known| known.present.is_none()));
        let slugs = new.flat_map(|file| file.wish.candidates().chain(file.former_slugs.iter().cloned()));
        let distinct: HashSet<String> = slugs.map(|slug| slug.to_string()).collect();
        distinct.into_iter().collect()
    }
}

/// One action for each file.
pub(super) fn plan(files: &[Scanned], facts: &Facts, policy: Policy) -> Vec<Action> {
    let moved = moves(files, facts);
    let mut actions: Vec<Option<Action>> = files
        .iter()
        .map(|file| match (facts.known.get(&file.file), moved.get(file.file.as_str())) {
            (Some(known), _) => of_known(file, known, facts, policy),
            (None, Some(known)) => Some(of_moved(known, facts, policy)),
            (None, None) => None,
        })
        .collect();
    contended(files, facts, policy, &mut actions);
    named(files, facts, &mut actions);
    actions.into_iter().map(|action| action.unwrap_or(Action::Refuse(Refusal::NoSlug))).collect()
}

/// A file that has an article; `None` if it needs a new one.
fn of_known(file: &Scanned, known: &Known, facts: &Facts, policy: Policy) -> Option<Action> {
    let is_same = known.file_hash == file.hash;
    let Some(present) = known.present else {
        let slug = known.slug.clone();
        return match policy {
            _ if is_same => Some(Action::Deleted { slug }),
            Policy::Update | Policy::Together => None,
            Policy::Skip => Some(Action::Deleted { slug }),
            Policy::Fail => Some(Action::Refuse(Refusal::DeletedHere { slug })),
        };
    };
    let slug = known.present_slug.clone().unwrap_or_else(|| known.slug.clone());
    let is_edited = present != known.revision && !facts.unedited.contains(&known.article_id);
    // The folder was imported as a part of another one before, or by itself: its articles stand elsewhere now.
    let stands_elsewhere = file.wish.folder.as_ref() != known.folder && !facts.is_copy;
    if is_same && (is_edited || !stands_elsewhere) {
        return Some(Action::Unchanged { slug });
    }
    // What was about to be written when a run ended is not known to be there as it was meant; what differs in a copy is another's.
    let is_unsure = known.file_hash.is_empty();
    Some(match policy {
        Policy::Together if is_edited || is_unsure => Action::Merge { known: Box::new(known.clone()) },
        Policy::Skip if is_edited || is_unsure || facts.is_copy => Action::Skip { slug },
        Policy::Fail if facts.is_copy => Action::Refuse(Refusal::CopyDiffers { slug }),
        Policy::Fail if is_edited || is_unsure => Action::Refuse(Refusal::BothChanged { slug }),
        Policy::Skip | Policy::Fail | Policy::Update | Policy::Together => {
            Action::Update { known: Box::new(known.clone()), has_moved: false }
        }
    })
}

fn of_moved(known: &Known, facts: &Facts, policy: Policy) -> Action {
    let is_edited = known.present != Some(known.revision) && !facts.unedited.contains(&known.article_id);
    let known = Box::new(known.clone());
    match policy {
        _ if !is_edited => Action::Update { known, has_moved: true },
        Policy::Together => Action::Merge { known },
        Policy::Skip | Policy::Update | Policy::Fail => Action::Follow { known },
    }
}

/// New files that are known ones at another place: its accents or the case of its letters are written otherwise, or it holds the same bytes as just
/// one file that is not there any more, or most of its lines.
fn moves<'f>(files: &'f [Scanned], facts: &'f Facts) -> HashMap<&'f str, &'f Known> {
    let gone = || facts.known.iter().filter(|(file, known)| !facts.present.contains(*file) && known.present.is_some());
    let new: Vec<&Scanned> = files.iter().filter(|file| !facts.known.contains_key(&file.file)).collect();
    let mut moved: HashMap<&str, &Known> = HashMap::new();
    let mut used: HashSet<&str> = HashSet::new();
    let by_name = pairs(
        new.iter().map(|file| (place::composed(&file.file), *file)),
        gone().map(|(file, known)| (place::composed(file), (file, known))),
    );
    for (file, (place, known)) in by_name {
        moved.insert(&file.file, known);
        used.insert(place);
    }
    let unnamed = new.iter().filter(|file| !moved.contains_key(file.file.as_str()));
    let by_letters = pairs(
        unnamed.map(|file| (place::folded(&file.file), *file)),
        gone()
            .filter(|(file, _)| !used.contains(file.as_str()))
            .map(|(file, known)| (place::folded(file), (file, known))),
    );
    for (file, (place, known)) in by_letters {
        moved.insert(&file.file, known);
        used.insert(place);
    }
    let rest: Vec<&Scanned> = new.iter().filter(|file| !moved.contains_key(file.file.as_str())).copied().collect();
    let by_content = pairs(
        rest.into_iter().map(|file| (file.hash.clone(), file)),
        gone()
            .filter(|(file, _)| !used.contains(file.as_str()))
            .map(|(file, known)| (known.file_hash.clone(), (file, known))),
    );
    for (file, (place, known)) in by_content {
        moved.insert(&file.file, known);
        used.insert(place);
    }
    for file in new {
        let known = facts.similar.get(&file.file).and_then(|place| facts.known.get_key_value(place));
        if let Some((place, known)) = known
            && !moved.contains_key(file.file.as_str())
            && used.insert(place)
        {
            moved.insert(&file.file, known);
        }
    }
    moved
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

/// New files that want the slug of an article that came from nowhere: one of them may be that article.
fn contended(files: &[Scanned], facts: &Facts, policy: Policy, actions: &mut [Option<Action>]) {
    let mut wanting: HashMap<&str, Vec<usize>> = HashMap::new();
    for (position, file) in files.iter().enumerate() {
        if actions[position].is_none() && !facts.known.contains_key(&file.file) {
            wanting.entry(file.wish.slug.as_ref()).or_default().push(position);
        }
    }
    for (slug, mut positions) in wanting {
        let Some(occupant) = facts.occupants.get(slug).filter(|found| !found.from_file && found.slug == slug) else {
            continue;
        };
        positions.sort_by(|a, b| files[*a].wish.rank().cmp(&files[*b].wish.rank()));
        // Front matter that is nowhere else is not replaced without a revision.
        let says_the_same = |file: &Scanned| {
            file.content_hash == occupant.content_hash
                && (occupant.front_matter.is_empty() || occupant.front_matter == file.front_matter)
        };
        let same = positions.iter().find(|position| says_the_same(&files[**position]));
        let (position, is_same) = match (same, positions.first()) {
            (Some(same), _) => (*same, true),
            (None, Some(first)) => (*first, false),
            (None, None) => continue,
        };
        let (slug, title) = (occupant.slug.clone(), occupant.title.clone());
        let decided = match policy {
            _ if is_same => Action::Adopt { occupant: Box::new(occupant.clone()) },
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
fn named(files: &[Scanned], facts: &Facts, actions: &mut [Option<Action>]) {
    let new: Vec<usize> = (0..files.len()).filter(|position| actions[*position].is_none()).collect();
    let wishes: Vec<Wish> = new.iter().map(|position| files[*position].wish.clone()).collect();
    let slugs = slugs::assign(&wishes, facts.occupants.keys().cloned().collect());
    let given: HashSet<&Slug> = slugs.iter().flatten().collect();
    let mut promised: HashSet<Slug> = HashSet::new();
    for (position, slug) in new.into_iter().zip(&slugs) {
        let Some(slug) = slug else { continue };
        // A present name goes before a former one.
        let free = |former: &&Slug| !given.contains(former) && !facts.occupants.contains_key(former.as_ref());
        let former: Vec<Slug> = files[position].former_slugs.iter().filter(free).cloned().collect();
        let former_slugs = former.into_iter().filter(|former| promised.insert(former.clone())).collect();
        let again = facts.known.get(&files[position].file).cloned().map(Box::new);
        actions[position] = Some(Action::Create { slug: slug.clone(), former_slugs, again });
    }
}
