//! Files that are gone, and files of articles that are.

use std::sync::Arc;

use afterword_actors::store::StoreError;

use super::{
    super::{hash, plan::Action, source},
    disk::blocking,
    error::{KeptFolder, PendingDeletions, SyncError},
    plan::Plan,
    report::{SyncReport, SyncRequest},
    run::{SyncRun, awaited_record, problem},
    snapshot::SyncSnapshot,
};
use crate::articles::{ArticleError, delete, row};
use crate::files::source::FileRecord;

/// So few deletions are never asked about.
const MAX_UNASKED_DELETIONS: usize = 5;
/// More than one in so many is asked about.
const ASKED_ABOVE_ONE_IN: usize = 10;

/// Refuses a plan that deletes much, unless that is meant.
pub(super) fn ask(
    plan: &Plan,
    looked: &SyncSnapshot,
    request: &SyncRequest,
    before: &SyncReport,
) -> Result<(), SyncError> {
    if request.many_deletions {
        return Ok(());
    }
    let has_ended = |record: &FileRecord| record.present.is_none() && looked.gone.contains(&record.path);
    let known =
        looked.facts.records.values().filter(|record| !record.file_hash.is_empty() && !has_ended(record)).count();
    let known = known + looked.rest.len();
    // A file that is merged first, and whose article has left the folder, is removed by the next round.
    let leaving = plan.merges.iter().map(|(_, record)| record);
    let leaving = leaving.filter(|record| !looked.listed.contains_key(&record.article_id));
    let paths =
        |rows: &mut dyn Iterator<Item = &FileRecord>| rows.map(|record| record.path.clone()).collect::<Vec<_>>();
    // Whether an article goes with its file or gets another one: the file is gone.
    let gone = paths(&mut plan.deletions.iter().chain(plan.written_again(&looked.gone)));
    let removed = paths(&mut plan.removals.iter().chain(leaving));
    let files = PendingDeletions::new(gone, emptied(plan), removed);
    let (gone, deleted, emptied) = (files.gone.len(), files.removed.len(), files.emptied.len());
    // A folder in which nothing is left is more likely a disk that is not there.
    let is_all = known > 1 && [gone, deleted, emptied].contains(&known);
    if is_all || gone + deleted + emptied > (known / ASKED_ABOVE_ONE_IN).max(MAX_UNASKED_DELETIONS) {
        return Err(SyncError::ManyDeletions {
            kept: KeptFolder::of(request),
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

/// Files that hold nothing or blanks alone, and held something: a disk that was full, or a program that died while it wrote, leaves
/// such.
fn emptied(plan: &Plan) -> Vec<String> {
    let nothing = hash(&[]);
    let hash_before = |action: &Action| match action {
        Action::Update { record, .. } | Action::Merge { record } => Some(record.file_hash.clone()),
        _ => None,
    };
    let updated = plan.incoming.iter().map(|(file, action)| (file, hash_before(action)));
    let merged = plan.merges.iter().map(|(file, record)| (file, Some(record.file_hash.clone())));
    let held_something = |hash: &String| !hash.is_empty() && *hash != nothing;
    updated
        .chain(merged)
        .filter(|(file, before)| file.is_blank && before.as_ref().is_some_and(held_something))
        .map(|(file, _)| file.file.clone())
        .collect()
}

impl SyncRun<'_> {
    /// Deletes an article whose file is gone. One that was changed in between stays, and its file comes back.
    pub(super) async fn delete_article(
        &self,
        record: &FileRecord,
        report: &mut SyncReport,
    ) -> Result<bool, StoreError> {
        let slug = record.present_slug.clone().unwrap_or_else(|| record.slug.clone());
        if let Some(foreseen) = self.foreseen {
            foreseen.no_article(record.article_id);
            report.articles.deleted.push(slug);
            return self.record(awaited_record(record)).await.map(|()| true);
        }
        let (root, file) = (Arc::clone(self.root), record.path.clone());
        if !blocking(move || root.is_free(&file)).await? {
            return Ok(true);
        }
        let record = record.clone();
        let deleted = self.articles.database.write(async move |transaction| {
            let Some(present) = row::by_id(transaction, record.article_id).await? else { return Ok(None) };
            let deleted = delete::delete(transaction, &present.slug, record.present).await?;
            if deleted.id != record.article_id {
                // Its slug has changed hands since it was read.
                return Err(ArticleError::not_found(&present.slug));
            }
            source::record(transaction, &awaited_record(&record)).await?;
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
    pub(super) async fn remove_file(&self, record: &FileRecord, report: &mut SyncReport) -> Result<bool, StoreError> {
        let removed = match self.foreseen {
            Some(foreseen) => {
                foreseen.no_file(&record.path);
                Ok(true)
            }
            None => {
                let (root, record) = (Arc::clone(self.root), record.clone());
                blocking(move || root.take_away(&record.path, &record.file_hash)).await?
            }
        };
        match removed {
            Ok(false) => Ok(true),
            Ok(true) => {
                report.files.removed.push(record.path.clone());
                // Of one that was deleted, the place is kept for the case that it comes back.
                match record.present {
                    None => self.record(awaited_record(record)).await?,
                    Some(_) => self.forget(record).await?,
                }
                Ok(true)
            }
            Err(error) => {
                report.failed.push(problem(&record.path, "cannot be removed", &error));
                Ok(false)
            }
        }
    }
}
