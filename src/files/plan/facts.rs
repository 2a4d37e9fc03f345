//! What a plan is made from, and what it consists of.

use std::collections::{HashMap, HashSet};

use super::super::{
    scan::ScannedFile,
    source::{FileRecord, Occupant},
};
use crate::articles::slug::Slug;

/// What to do about what both sides say differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::files) enum Policy {
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
pub(in crate::files) enum Action {
    /// A new article. `again` is set if the file had one before.
    Create { slug: Slug, former_slugs: Vec<Slug>, again: Option<Box<FileRecord>> },
    /// The article follows the file, which has changed, or moved from another place.
    Update { record: Box<FileRecord>, has_moved: bool },
    /// The file has moved, and its article has been edited meanwhile: only the place is noted.
    Follow { record: Box<FileRecord> },
    /// File and article have both been changed, or moved and changed: they are brought together.
    Merge { record: Box<FileRecord> },
    /// The file's article was deleted: it comes back, and follows the file.
    Restore { record: Box<FileRecord>, slug: Slug },
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
pub(in crate::files) enum Refusal {
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
        "its article \"{slug}\" was deleted, and the file has changed since; `--on-conflict update` brings it back as \
         the file says, `skip` leaves it deleted"
    )]
    DeletedHere { slug: String },
    #[error("every slug that it could have is taken; give it one with `slug:` in its front matter")]
    NoSlug,
}

/// What the plan depends on besides the files.
#[derive(Debug, Default)]
pub(in crate::files) struct ImportFacts {
    /// By their places in the folder.
    pub(in crate::files) records: HashMap<String, FileRecord>,
    /// Everything in the folder, planned now or not.
    pub(in crate::files) present: HashSet<String>,
    /// Articles of `records` that still say what they said when their file was read.
    pub(in crate::files) unedited: HashSet<i64>,
    /// Slugs that articles of `records` can have again which were deleted and have a past, the first that is free, by
    /// article.
    pub(in crate::files) past: HashMap<i64, Vec<Slug>>,
    /// Who has the slugs that new files would like, by slug.
    pub(in crate::files) occupants: HashMap<String, Occupant>,
    /// Articles without a file that say what new files say, whatever they are called.
    pub(in crate::files) alike: Vec<Occupant>,
    pub(in crate::files) is_copy: bool,
    /// Places of files that are gone, by new files that took over most of their lines.
    pub(in crate::files) similar: HashMap<String, String>,
}

impl ImportFacts {
    /// Slugs whose owners have to be known before the plan is made.
    pub(in crate::files) fn slugs_to_look_up(&self, files: &[ScannedFile]) -> Vec<String> {
        let new =
            files.iter().filter(|file| self.records.get(&file.file).is_none_or(|record| record.present.is_none()));
        let slugs = new.flat_map(|file| file.wish.candidates().chain(file.former_slugs.iter().cloned()));
        let past = self.past.values().flatten().cloned();
        let distinct: HashSet<String> = slugs.chain(past).map(|slug| slug.to_string()).collect();
        distinct.into_iter().collect()
    }
}
