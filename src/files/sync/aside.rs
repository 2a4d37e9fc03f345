//! Known files at whose places the walk found no note.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use afterword_actors::store::StoreError;

use super::{
    super::{
        place,
        plan::ImportFacts,
        report::{FileProblem, LeftOut, Reason},
        root::Root,
        scan::ScannedFile,
    },
    disk::blocking,
};

/// What the walk passed by.
#[derive(Default)]
pub(super) struct SkippedPlaces {
    reasons: HashMap<String, Reason>,
    /// Files and folders that could not be looked into, which is told already.
    failed: HashSet<String>,
}

/// What is at the places of known files that were not seen.
pub(super) struct UnseenPlaces {
    /// Nothing.
    pub(super) gone: HashSet<String>,
    /// Something that is no note now.
    pub(super) there: HashSet<String>,
}

impl SkippedPlaces {
    pub(super) fn new(left_out: Vec<LeftOut>, failed: &[FileProblem]) -> Self {
        Self {
            reasons: left_out.into_iter().map(|left_out| (left_out.path, left_out.reason)).collect(),
            failed: failed.iter().map(|problem| problem.file.clone()).collect(),
        }
    }

    /// Places that are not to be written to.
    pub(super) fn places(&self) -> impl Iterator<Item = String> {
        self.reasons.keys().chain(&self.failed).cloned()
    }

    /// What is wrong with a known file that was passed by; nothing if its owner keeps it out, or if that is told
    /// already.
    fn trouble(&self, file: &str) -> Option<&'static str> {
        let above = file.match_indices('/').flat_map(|(end, _)| [&file[..end], &file[..=end]]);
        let whole = std::iter::once("/");
        let mut places = std::iter::once(file).chain(above).chain(whole);
        let found = places.find_map(|place| match self.failed.contains(place) {
            true => Some(None),
            false => self.reasons.get(place).map(|reason| Some((*reason, place != file && !place.ends_with('/')))),
        });
        match found {
            Some(Some((Reason::NotMarkdown, true))) => Some("was in a folder that is a file now"),
            Some(Some((reason, _))) => match reason {
                Reason::Link => Some("is a link now, or in a folder that is one; links are not followed"),
                Reason::Special => Some("is no file any more"),
                Reason::Hidden
                | Reason::Ignored
                | Reason::Packages
                | Reason::NotMarkdown
                | Reason::LargeTable
                | Reason::SecondView
                | Reason::OfTheProgram => None,
            },
            Some(None) => None,
            None => Some("is no file any more"),
        }
    }
}

/// Looks for known files that the walk did not bring. What became of them and is not told yet, is a problem.
pub(super) async fn find_unseen(
    root: &Arc<Root>,
    facts: &ImportFacts,
    files: &[ScannedFile],
    passed: &SkippedPlaces,
    failed: &mut Vec<FileProblem>,
) -> Result<UnseenPlaces, StoreError> {
    let places: Vec<String> = facts.records.keys().filter(|file| !facts.present.contains(*file)).cloned().collect();
    let new = files.iter().filter(|file| !facts.records.contains_key(&file.file));
    let new: HashMap<String, String> = new.map(|file| (place::fold_case(&file.file), file.file.clone())).collect();
    let root = Arc::clone(root);
    let (gone, there): (HashSet<_>, HashSet<_>) = blocking(move || {
        // Where letters of different case are the same, a file that is called otherwise now is found under both names.
        let is_renamed = |file: &str| new.get(&place::fold_case(file)).is_some_and(|new| root.are_one(file, new));
        places.into_iter().partition(|file| root.is_free(file) || is_renamed(file))
    })
    .await?;
    let passed_by = facts.records.iter().filter(|(file, record)| {
        let was_passed = passed.reasons.contains_key(*file) || there.contains(*file);
        was_passed && record.present.is_some() && !record.file_hash.is_empty()
    });
    let mut found: Vec<FileProblem> = passed_by
        .filter_map(|(file, _)| passed.trouble(file).map(|trouble| (file, trouble)))
        .map(|(file, trouble)| {
            FileProblem::new(
                file,
                format!("{trouble}; its article stays as it is: delete that, or bring the file back"),
            )
        })
        .collect();
    found.sort_by(|a, b| a.file.cmp(&b.file));
    failed.extend(found);
    Ok(UnseenPlaces { gone, there })
}
