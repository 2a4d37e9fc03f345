//! Files that are gone, and files of articles that are.

use std::sync::Arc;

use afterword_actors::store::StoreError;

use super::{
    super::source,
    disk::blocking,
    look::Looked,
    plan::Plan,
    report::{SyncError, SyncReport},
    run::{Run, awaited, problem},
};
use crate::articles::{ArticleError, delete, files::source::Known, row};

/// So few deletions are never asked about.
const FEW: usize = 5;
/// More than one in so many is asked about.
const SHARE: usize = 10;

/// Refuses a plan that deletes much.
pub(super) fn ask(plan: &Plan, looked: &Looked) -> Result<(), SyncError> {
    let has_ended = |known: &Known| known.present.is_none() && looked.gone.contains(&known.path);
    let known = looked.facts.known.values().filter(|known| !known.file_hash.is_empty() && !has_ended(known)).count();
    let (gone, deleted) = (plan.deletions.len(), plan.removals.len());
    // A folder in which nothing is left is more likely a disk that is not there.
    let is_all = known > 1 && (gone == known || deleted == known);
    if is_all || gone + deleted > (known / SHARE).max(FEW) {
        return Err(SyncError::ManyDeletions { gone, deleted, known });
    }
    Ok(())
}

impl Run<'_> {
    /// Deletes an article whose file is gone. One that was changed in between stays, and its file comes back.
    pub(super) async fn delete_article(&self, known: &Known, report: &mut SyncReport) -> Result<bool, StoreError> {
        let slug = known.present_slug.clone().unwrap_or_else(|| known.slug.clone());
        if self.asked.dry_run {
            report.articles.deleted.push(slug);
            return Ok(true);
        }
        let (root, file) = (Arc::clone(self.root), known.path.clone());
        if !blocking(move || root.is_free(&file)).await? {
            return Ok(true);
        }
        let known = known.clone();
        let deleted = self.articles.database.write(move |transaction| {
            Box::pin(async move {
                let Some(present) = row::by_id(transaction, known.article_id).await? else { return Ok(None) };
                let deleted = delete::delete(transaction, &present.slug, known.present).await?;
                source::record(transaction, &awaited(&known), true).await?;
                Ok::<_, ArticleError>(Some(deleted.slug))
            })
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
    pub(super) async fn remove_file(&self, known: &Known, report: &mut SyncReport) -> Result<bool, StoreError> {
        if self.asked.dry_run {
            report.files.removed.push(known.path.clone());
            return Ok(true);
        }
        let (root, known_then) = (Arc::clone(self.root), known.clone());
        let removed = blocking(move || root.taken(&known_then.path, &known_then.file_hash));
        match removed.await? {
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
