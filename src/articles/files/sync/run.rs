//! Carrying a plan out.

use std::sync::Arc;

use afterword_actors::store::StoreError;

use super::{
    super::{
        report::FileProblem,
        root::Root,
        source::{self, Known},
    },
    look::Looked,
    plan::Plan,
    report::{Sync, SyncReport},
};
use crate::articles::Articles;

/// One round.
pub(super) struct Run<'a> {
    pub(super) articles: &'a Articles,
    pub(super) asked: &'a Sync,
    pub(super) root: &'a Arc<Root>,
    pub(super) looked: &'a Looked,
}

impl Run<'_> {
    /// Does what is planned, or says it. Answers whether anything came of it.
    pub(super) async fn carry_out(&self, plan: Plan, report: &mut SyncReport) -> Result<bool, StoreError> {
        let Plan { incoming, merges, deletions, removals, ended, forgotten, outgoing, refused: _ } = plan;
        let mut did = self.bring_in(incoming, report).await?;
        for (file, known) in &merges {
            did |= self.bring_together(file, known, report).await?;
        }
        for known in &deletions {
            did |= self.delete_article(known, report).await?;
        }
        for known in &removals {
            did |= self.remove_file(known, report).await?;
        }
        if !self.asked.dry_run {
            did |= !ended.is_empty() || !forgotten.is_empty();
            for known in ended {
                self.record(awaited(&known)).await?;
            }
            for known in &forgotten {
                self.forget(known).await?;
            }
        }
        did |= self.write_out(&outgoing, report).await?;
        Ok(did)
    }

    /// Notes what is known of a file.
    pub(super) async fn record(&self, row: Known) -> Result<(), StoreError> {
        self.record_all(vec![row]).await
    }

    /// The same of several.
    pub(super) async fn record_all(&self, rows: Vec<Known>) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        self.articles
            .database
            .write(move |transaction| {
                Box::pin(async move {
                    for row in &rows {
                        source::record(transaction, row, true).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    pub(super) async fn forget(&self, known: &Known) -> Result<(), StoreError> {
        let (source, path) = (known.source_id, known.path.clone());
        let database = &self.articles.database;
        database
            .write(move |transaction| Box::pin(async move { source::forget(transaction, source, &path).await }))
            .await
    }
}

/// The same file, of which it is not known what it holds. If its article comes back, it is written at this place.
pub(super) fn awaited(known: &Known) -> Known {
    Known { file_hash: String::new(), ..known.clone() }
}

/// What went wrong with a file.
pub(super) fn problem(file: &str, what: &str, error: &dyn std::fmt::Display) -> FileProblem {
    FileProblem::new(file, format!("{what}: {error}"))
}
