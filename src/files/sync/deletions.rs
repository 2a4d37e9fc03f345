//! Files that are gone, and files of articles that are.

use std::sync::Arc;

use afterword_actors::store::StoreError;

use super::{
    super::{hash, plan::Action, source},
    disk::blocking,
    error::{KeptFolder, PendingDeletions, SyncError},
    plan::Plan,
    report::{SyncReport, SyncRequest},
    run::{Run, awaited, problem},
    snapshot::SyncSnapshot,
};
use crate::articles::{ArticleError, delete, row};
use crate::files::source::FileRecord;

/// So few deletions are never asked about.
const FEW: usize = 5;
/// More than one in so many is asked about.
const SHARE: usize = 10;

/// Refuses a plan that deletes much, unless that is meant.
pub(super) fn ask(
    plan: &Plan,
    looked: &SyncSnapshot,
    asked: &SyncRequest,
    before: &SyncReport,
) -> Result<(), SyncError> {
    if asked.many_deletions {
        return Ok(());
    }
    let has_ended = |known: &FileRecord| known.present.is_none() && looked.gone.contains(&known.path);
    let known = looked.facts.known.values().filter(|known| !known.file_hash.is_empty() && !has_ended(known)).count();
    let known = known + looked.rest.len();
    // A file that is merged first, and whose article has left the folder, is removed by the next round.
    let leaving = plan.merges.iter().map(|(_, known)| known);
    let leaving = leaving.filter(|known| !looked.listed.contains_key(&known.article_id));
    let paths = |rows: &mut dyn Iterator<Item = &FileRecord>| rows.map(|known| known.path.clone()).collect::<Vec<_>>();
    // Whether an article goes with its file or gets another one: the file is gone.
    let gone = paths(&mut plan.deletions.iter().chain(plan.written_again(&looked.gone)));
    let removed = paths(&mut plan.removals.iter().chain(leaving));
    let files = PendingDeletions::new(gone, emptied(plan), removed);
    let (gone, deleted, emptied) = (files.gone.len(), files.removed.len(), files.emptied.len());
    // A folder in which nothing is left is more likely a disk that is not there.
    let is_all = known > 1 && [gone, deleted, emptied].contains(&known);
    if is_all || gone + deleted + emptied > (known / SHARE).max(FEW) {
        return Err(SyncError::ManyDeletions {
            asked: KeptFolder::of(asked),
            gone,
            emptied,
            deleted,
            known,
            files: Box::new(files),
            before: Box::new(before.clone()),
        });
    }
    Ok(())
}

/// Files that hold nothing, and held something: a disk that was full, or a program that died while it wrote, leaves such.
fn emptied(plan: &Plan) -> Vec<String> {
    let nothing = hash(&[]);
    let known = |action: &Action| match action {
        Action::Update { known, .. } | Action::Merge { known } => Some(known.file_hash.clone()),
        _ => None,
    };
    let updated = plan.incoming.iter().map(|(file, action)| (file, known(action)));
    let merged = plan.merges.iter().map(|(file, known)| (file, Some(known.file_hash.clone())));
    let held_something = |hash: &String| !hash.is_empty() && *hash != nothing;
    updated
        .chain(merged)
        .filter(|(file, before)| file.hash == nothing && before.as_ref().is_some_and(held_something))
        .map(|(file, _)| file.file.clone())
        .collect()
}

impl Run<'_> {
    /// Deletes an article whose file is gone. One that was changed in between stays, and its file comes back.
    pub(super) async fn delete_article(&self, known: &FileRecord, report: &mut SyncReport) -> Result<bool, StoreError> {
        let slug = known.present_slug.clone().unwrap_or_else(|| known.slug.clone());
        if let Some(foreseen) = self.foreseen {
            foreseen.no_article(known.article_id);
            report.articles.deleted.push(slug);
            return self.record(awaited(known)).await.map(|()| true);
        }
        let (root, file) = (Arc::clone(self.root), known.path.clone());
        if !blocking(move || root.is_free(&file)).await? {
            return Ok(true);
        }
        let known = known.clone();
        let deleted = self.articles.database.write(async move |transaction| {
            let Some(present) = row::by_id(transaction, known.article_id).await? else { return Ok(None) };
            let deleted = delete::delete(transaction, &present.slug, known.present).await?;
            if deleted.id != known.article_id {
                // Its slug has changed hands since it was read.
                return Err(ArticleError::not_found(&present.slug));
            }
            source::record(transaction, &awaited(&known), true).await?;
            Ok::<_, ArticleError>(Some(deleted.slug))
        });
        match deleted.await {
            Ok(slug) => report.articles.deleted.extend(slug),
            Err(ArticleError::Conflict { .. } | ArticleError::NotFound { .. }) => {}
            Err(ArticleError::Store(error)) => return Err(error),
            Err(error) => report.failed.push(problem(&slug, "cannot be deleted", &error)),
        }
        Ok(true)
    }

    /// Removes a file whose article is gone, if it holds still what the article said.
    pub(super) async fn remove_file(&self, known: &FileRecord, report: &mut SyncReport) -> Result<bool, StoreError> {
        let removed = match self.foreseen {
            Some(foreseen) => {
                foreseen.no_file(&known.path);
                Ok(true)
            }
            None => {
                let (root, known) = (Arc::clone(self.root), known.clone());
                blocking(move || root.taken(&known.path, &known.file_hash)).await?
            }
        };
        match removed {
            Ok(false) => Ok(true),
            Ok(true) => {
                report.files.removed.push(known.path.clone());
                // Of one that was deleted, the place is kept for the case that it comes back.
                match known.present {
                    None => self.record(awaited(known)).await?,
                    Some(_) => self.forget(known).await?,
                }
                Ok(true)
            }
            Err(error) => {
                report.failed.push(problem(&known.path, "cannot be removed", &error));
                Ok(false)
            }
        }
    }
}
