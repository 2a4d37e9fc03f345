//! One place for each article: where its file came from, unless it has been renamed or moved since.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use afterword_actors::store::sql::FromRow;

use super::{
    hash, place,
    source::{FileRecord, Source},
    walk,
};
use crate::articles::folder::Folder;

/// An article that is exported.
#[derive(Debug, Clone, FromRow)]
pub(super) struct ExportedArticle {
    pub(super) id: i64,
    pub(super) slug: String,
    pub(super) folder: String,
}

/// Where an article goes.
#[derive(Debug, Clone)]
pub(super) struct PlannedFile {
    pub(super) id: i64,
    pub(super) place: String,
    /// The file it came from, or was written to last.
    pub(super) before: Option<FileRecord>,
}

/// What the places depend on besides the articles.
pub(super) struct ExportFacts<'a> {
    /// The source that is written to, if it is known.
    pub(super) target: Option<i64>,
    pub(super) sources: &'a HashMap<i64, Source>,
    /// By article.
    pub(super) files: &'a HashMap<i64, Vec<FileRecord>>,
    /// Articles whose front matter names their slug: it needs not be their file's name.
    pub(super) naming: &'a HashSet<i64>,
    /// The folder of articles that stands at the top of the target.
    pub(super) above: &'a Folder,
    /// Places in the target that hold something else, and stay as they are.
    pub(super) occupied: &'a HashSet<String>,
    /// Places in the target that hold articles which are not planned, because they stay there.
    pub(super) resting: &'a PlaceSet,
}

/// Many places, of which it is only asked whether one is among them.
#[derive(Debug, Default)]
pub(super) struct PlaceSet {
    /// Hashes: the odds that two of a million are equal are one in ten millions, and then a file has a suffix.
    exact: HashSet<u64>,
    folded: HashSet<u64>,
    folders: HashSet<String>,
}

impl PlaceSet {
    pub(super) fn hold(&mut self, place: &str) {
        let folded = place::fold_case(place);
        let parents = folded.rsplit_once('/').map_or("", |(parents, _)| parents);
        if !self.folders.contains(parents) {
            self.folders.extend(folders_of(&folded));
        }
        self.exact.insert(short(place));
        self.folded.insert(short(&folded));
    }
}

fn short(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The folders that a folded place needs.
fn folders_of(folded: &str) -> impl Iterator<Item = String> {
    folded.match_indices('/').map(|(end, _)| folded[..end].to_owned())
}

impl ExportFacts<'_> {
    /// The file that says most about where an article belongs: the one in the target, else the first it came from.
    pub(super) fn before(&self, article: &ExportedArticle) -> Option<&FileRecord> {
        let files = self.files.get(&article.id)?;
        let in_target = files.iter().filter(|record| Some(record.source_id) == self.target);
        let settled = |record: &&FileRecord| record.slug == article.slug && record.folder == article.folder;
        let best = in_target.clone().find(settled).or_else(|| in_target.clone().next());
        best.or_else(|| files.iter().find(|record| !record.written))
    }

    /// The place of a known file in the target. A table that became an article is never overwritten by it: that goes
    /// beside.
    fn place(&self, record: &FileRecord) -> String {
        let above = self.sources.get(&record.source_id).filter(|source| Some(source.id) != self.target);
        let ending = if walk::is_markdown(&record.path) { "" } else { ".md" };
        place::join(above.map_or("", |source| source.folder.as_str()), &record.path) + ending
    }

    /// A folder as a place among files. What an import would pass over is called otherwise.
    fn folder_place(&self, folder: &str) -> String {
        let part = |part: &str| {
            if part.starts_with('.') || part == "node_modules" { format!("_{part}") } else { part.to_owned() }
        };
        place::relative(folder, self.above).split('/').map(part).collect::<Vec<_>>().join("/")
    }
}

/// A place for each article; none is in the way of another.
pub(super) fn plan(articles: &[ExportedArticle], facts: &ExportFacts<'_>) -> Vec<PlannedFile> {
    let (mut original, mut derived) = (Vec::new(), Vec::new());
    for article in articles {
        let before = facts.before(article);
        let wanted = before.map_or_else(
            || place::join(&facts.folder_place(&article.folder), &format!("{}.md", article.slug)),
            |record| wanted(article, record, facts),
        );
        let is_original = before.is_some_and(|record| facts.place(record) == wanted);
        let is_own = before.is_some_and(|record| Some(record.source_id) == facts.target);
        let planned = PlannedFile { id: article.id, place: wanted, before: before.cloned() };
        if is_original { original.push((!is_own, planned)) } else { derived.push(planned) }
    }
    original.sort_by(|(own, a), (other, b)| (own, &a.place, a.id).cmp(&(other, &b.place, b.id)));
    derived.sort_by(|a, b| (&a.place, a.id).cmp(&(&b.place, b.id)));
    let folded = facts.occupied.iter().map(|place| place::fold_case(place)).collect();
    let mut taken = TakenPlaces { resting: facts.resting, exact: HashSet::new(), folded, folders: HashSet::new() };
    original.iter().for_each(|(_, planned)| taken.folders_of(&planned.place));
    let mut plan: Vec<PlannedFile> = Vec::with_capacity(articles.len());
    for (_, planned) in original {
        plan.push(PlannedFile { place: taken.free(&planned.place, planned.id, true), ..planned });
    }
    derived.iter().for_each(|planned| taken.folders_of(&planned.place));
    for planned in derived {
        plan.push(PlannedFile { place: taken.free(&planned.place, planned.id, false), ..planned });
    }
    plan
}

fn wanted(article: &ExportedArticle, record: &FileRecord, facts: &ExportFacts<'_>) -> String {
    let before = facts.place(record);
    let parents = match article.folder == record.folder {
        true => before.rsplit_once('/').map(|(parents, _)| parents.to_owned()).unwrap_or_default(),
        false => facts.folder_place(&article.folder),
    };
    let keeps_name = article.slug == record.slug || facts.naming.contains(&article.id);
    let (_, extension) = place::name(&before).rsplit_once('.').unwrap_or(("", "md"));
    let name = if keeps_name { place::name(&before).to_owned() } else { format!("{}.{extension}", article.slug) };
    place::join(&parents, &name)
}

/// Places that are taken, and folders that they need.
struct TakenPlaces<'a> {
    resting: &'a PlaceSet,
    exact: HashSet<String>,
    folded: HashSet<String>,
    folders: HashSet<String>,
}

impl TakenPlaces<'_> {
    /// The place, or the same with a suffix if it is taken. What has been somewhere keeps it, though a file system that
    /// does not tell letters of different case apart would hold only one of two.
    fn free(&mut self, wanted: &str, id: i64, is_original: bool) -> String {
        let digits = hash(id.to_string().as_bytes());
        let suffixed = |length: usize| {
            let (stem, extension) = wanted.rsplit_once('.').unwrap_or((wanted, "md"));
            format!("{stem}-{}.{extension}", &digits[..length])
        };
        let mut candidates = std::iter::once(wanted.to_owned()).chain([4, 8, 16, 64].map(suffixed));
        // Its folder is called as a file is.
        let beside = wanted.rsplit_once('/').map(|(parents, name)| format!("{parents}_/{name}"));
        let free = |place: &String| match is_original && place == wanted {
            true => {
                let is_taken = self.exact.contains(place) || self.resting.exact.contains(&short(place));
                !is_taken && !self.is_folder(&place::fold_case(place))
            }
            false => {
                let folded = place::fold_case(place);
                !self.is_file(&folded) && !self.is_folder(&folded) && !self.is_below_a_file(&folded)
            }
        };
        let place = candidates.find(&free).or_else(|| beside.filter(&free)).unwrap_or_else(|| wanted.to_owned());
        self.folders_of(&place);
        self.folded.insert(place::fold_case(&place));
        self.exact.insert(place.clone());
        place
    }

    fn folders_of(&mut self, place: &str) {
        let folded = place::fold_case(place);
        self.folders.extend(folders_of(&folded));
    }

    fn is_file(&self, folded: &str) -> bool {
        self.folded.contains(folded) || self.resting.folded.contains(&short(folded))
    }

    fn is_folder(&self, folded: &str) -> bool {
        self.folders.contains(folded) || self.resting.folders.contains(folded)
    }

    fn is_below_a_file(&self, folded: &str) -> bool {
        folded.match_indices('/').any(|(end, _)| self.is_file(&folded[..end]))
    }
}
