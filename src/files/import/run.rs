//! One import: what is known when it plans, and carrying the plan out.

use std::{collections::HashMap, sync::Arc};

use afterword_actors::store::{StoreError, sql::Sql};
use futures_util::{StreamExt, stream};
use tokio::sync::Semaphore;

use super::{
    super::{
        layouts::Reading,
        place,
        plan::{Action, ImportFacts},
        report::{FileProblem, ImportReport, ImportedFile},
        resolve::{self, CopyOf, ResolvedFolder},
        root::Root,
        scan::ScannedFile,
        source::{self, FileRecord},
    },
    error::FileError,
    request::Import,
};
use crate::articles::{Articles, names, names::NUMBERED, slug::Slug};

/// Files saved at the same time: they share commits.
const AT_ONCE: usize = 64;
/// Of all files that are saved at the same time. *Units:* KiB.
const MAX_KIB_IN_FLIGHT: u32 = 256 << 10;

/// When an article was changed that follows its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::files) enum Times {
    /// When the file says; now if it says nothing.
    OfFiles,
    /// When the file was changed, unless it says something new.
    OfChanges,
}

/// One import.
pub(in crate::files) struct ImportRun<'a> {
    pub(in crate::files) articles: &'a Articles,
    pub(in crate::files) import: &'a Import,
    pub(in crate::files) root: Arc<Root>,
    /// Where new files belong.
    pub(in crate::files) source: i64,
    /// Where the folder lies in that source.
    pub(in crate::files) prefix: String,
    /// How its files are read.
    pub(in crate::files) reading: Arc<Reading>,
    pub(in crate::files) times: Times,
}

impl ImportRun<'_> {
    /// The source of new files, made if there is none.
    pub(in crate::files) async fn settle_source(&self, resolved: &ResolvedFolder) -> Result<i64, StoreError> {
        let database = &self.articles.database;
        let machine = resolve::machine(database.reader());
        let root = self.root.place().to_string_lossy().into_owned();
        let (name, folder) = (self.import.source.clone(), self.import.folder.to_string());
        let (number, moved) = (resolved.source, resolved.was_moved || self.import.source.is_some());
        let copy_of = resolved.copy_of.clone();
        if let (Some(id), false) = (number, moved) {
            return Ok(id);
        }
        database
            .write(async move |transaction| {
                if let Some(id) = number {
                    return source::move_source(transaction, id, &machine, &root).await.map(|()| id);
                }
                let id = source::add(transaction, name.as_deref(), &machine, &root, &folder).await?;
                if let Some(CopyOf { kept, files }) = copy_of {
                    source::copy(transaction, kept, id, &files).await?;
                }
                Ok(id)
            })
            .await
    }

    /// Takes the files of folders inside over. Answers whether there were any.
    pub(super) async fn has_taken_over(&self, resolved: &ResolvedFolder) -> Result<bool, StoreError> {
        // Where the folder lies in its source, and where the other lies in the folder.
        let place = |offset: &String| place::join(&resolved.prefix, offset);
        let inside: Vec<_> = resolved.inside.iter().map(|(id, offset)| (*id, place(offset))).collect();
        let source = self.source;
        if inside.is_empty() {
            return Ok(false);
        }
        self.articles
            .database
            .write(async move |transaction| {
                let mut taken = 0;
                for (id, offset) in &inside {
                    taken += source::take_over(transaction, *id, offset, source).await?;
                }
                Ok(taken > 0)
            })
            .await
    }

    pub(in crate::files) async fn learn(
        &self,
        facts: &mut ImportFacts,
        resolved: ResolvedFolder,
        files: &[ScannedFile],
    ) -> Result<(), StoreError> {
        let reader = self.articles.database.reader();
        (facts.records, facts.is_copy) = (resolved.records, resolved.is_copy);
        let at = |record: &FileRecord| (record.article_id, record.revision);
        let later =
            facts.records.values().filter(|record| record.present.is_some_and(|present| present != record.revision));
        let later: Vec<_> = later.map(at).collect();
        facts.unedited = if later.is_empty() { Vec::new() } else { source::unedited_articles(reader, &later).await? }
            .into_iter()
            .collect();
        facts.past = past(reader, facts, files).await?;
        let slugs = facts.slugs_to_look_up(files);
        let occupants = if slugs.is_empty() { Vec::new() } else { source::occupants(reader, &slugs).await? };
        facts.occupants = occupants.into_iter().map(|occupant| (occupant.name.clone(), occupant)).collect();
        Ok(())
    }

    /// Does what is planned, or, in a dry run, says it. Answers the files whose plan no longer held.
    pub(in crate::files) async fn carry_out(
        &self,
        files: Vec<ScannedFile>,
        actions: Vec<Action>,
        report: &mut ImportReport,
        progress: &mut (dyn FnMut(usize) + Send),
    ) -> Vec<ScannedFile> {
        let room = Semaphore::new(MAX_KIB_IN_FLIGHT as usize);
        let work = stream::iter(files.into_iter().zip(actions)).map(|(file, action)| {
            let room = &room;
            async move {
                let size = u32::try_from(file.size >> 10).unwrap_or(MAX_KIB_IN_FLIGHT).clamp(1, MAX_KIB_IN_FLIGHT);
                let held = room.acquire_many(size).await;
                let done = if self.import.dry_run { Ok(()) } else { self.carry_out_one(&file, &action).await };
                drop(held);
                (file, action, done)
            }
        });
        let mut work = std::pin::pin!(work.buffered(AT_ONCE));
        let (mut overtaken, mut count) = (Vec::new(), 0);
        while let Some((file, action, done)) = work.next().await {
            match done {
                Ok(()) => {
                    report.warnings.extend(unused_slug(&file, &action));
                    tell(report, &file.file, action);
                }
                Err(FileError::Overtaken) => {
                    overtaken.push(file);
                    continue;
                }
                Err(error) => report.failed.push(FileProblem::new(&file.file, error)),
            }
            count += 1;
            progress(count);
        }
        overtaken
    }
}

/// Slugs for articles of known files that were deleted and may come back.
async fn past(
    reader: &impl Sql,
    facts: &ImportFacts,
    files: &[ScannedFile],
) -> Result<HashMap<i64, Vec<Slug>>, StoreError> {
    let changed =
        files.iter().filter_map(|file| facts.records.get(&file.file).filter(|record| record.file_hash != file.hash));
    let ended: Vec<i64> = changed.filter(|record| record.present.is_none()).map(|record| record.article_id).collect();
    if ended.is_empty() {
        return Ok(HashMap::new());
    }
    let deleted = source::deleted_slugs(reader, &ended).await?.into_iter();
    Ok(deleted.map(|(id, slug)| (id, slugs_for(id, &slug))).collect())
}

/// What an article may be called when it comes back: what it was called, else the same with a suffix.
fn slugs_for(id: i64, slug: &str) -> Vec<Slug> {
    let Ok(slug) = Slug::parse(slug) else { return Vec::new() };
    let others: Vec<Slug> = names::distinguished(&slug, &format!("{NUMBERED}{id}")).collect();
    std::iter::once(slug).chain(others).collect()
}

/// A warning about a slug in front matter that the article does not have: it keeps the one it got first, or another
/// article has it.
fn unused_slug(file: &ScannedFile, action: &Action) -> Option<FileProblem> {
    let wanted = file.wish.is_named.then_some(&file.wish.slug)?;
    let (slug, why) = match action {
        Action::Create { slug, .. } => (slug.as_ref(), "another article has it"),
        Action::Update { record, .. } => (record.present_slug.as_deref()?, "an article keeps its name"),
        _ => return None,
    };
    (wanted.as_ref() != slug).then(|| {
        let rename = format!("`afterword article rename {slug} {wanted}`");
        FileProblem::new(
            &file.file,
            format!("slug: \"{wanted}\" is not used, because {why}; it is \"{slug}\": {rename} renames it"),
        )
    })
}

/// Counts what was done.
fn tell(report: &mut ImportReport, file: &str, action: Action) {
    let (slug, result) = match action {
        Action::Create { slug, .. } | Action::Restore { slug, .. } => (slug.to_string(), "created"),
        Action::Update { record, has_moved: _ } => (record.present_slug.unwrap_or(record.slug), "updated"),
        Action::Replace { occupant } => (occupant.slug, "updated"),
        Action::Follow { record } => (record.present_slug.unwrap_or(record.slug), "unchanged"),
        Action::Adopt { occupant } => (occupant.slug, "unchanged"),
        Action::Merge { record } => (record.present_slug.unwrap_or(record.slug), "unchanged"),
        Action::Unchanged { slug } => (slug, "unchanged"),
        Action::Skip { slug } => (slug, "skipped"),
        Action::Deleted { slug } => (slug, "deleted"),
        Action::Refuse(refusal) => return report.failed.push(FileProblem::new(file, refusal)),
    };
    let count = match result {
        "created" => &mut report.created,
        "updated" => &mut report.updated,
        "unchanged" => &mut report.unchanged,
        "skipped" => &mut report.skipped,
        _ => &mut report.deleted,
    };
    *count += 1;
    report.files.push(ImportedFile { file: file.to_owned(), slug, result });
}
