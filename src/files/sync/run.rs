//! Carrying a plan out.

use std::sync::Arc;

use afterword_actors::store::StoreError;

use super::{
    super::{
        report::FileProblem,
        root::Root,
        source::{self, FileRecord},
    },
    dry_run::{DryRun, Text},
    plan::Plan,
    report::{SyncReport, SyncRequest},
    snapshot::SyncSnapshot,
};
use crate::articles::{Article, Articles, row};

/// One round.
pub(super) struct SyncRun<'a> {
    pub(super) articles: &'a Articles,
    pub(super) request: &'a SyncRequest,
    pub(super) root: &'a Arc<Root>,
    pub(super) looked: &'a SyncSnapshot,
    /// Set in a dry run, which does nothing and notes here what would be.
    pub(super) foreseen: Option<&'a DryRun>,
}

impl SyncRun<'_> {
    /// Does what is planned, or says it. Answers whether anything came of it.
    pub(super) async fn carry_out(&self, plan: Plan, report: &mut SyncReport) -> Result<bool, StoreError> {
        let Plan { incoming, merges, deletions, removals, ended, forgotten, outgoing, refused: _ } = plan;
        let mut did = self.bring_in(incoming, report).await?;
        for (file, record) in &merges {
            did |= self.bring_together(file, record, report).await?;
        }
        for record in &deletions {
            did |= self.delete_article(record, report).await?;
        }
        for record in &removals {
            did |= self.remove_file(record, report).await?;
        }
        did |= !ended.is_empty() || !forgotten.is_empty();
        self.record_all(ended.iter().map(awaited_record).collect()).await?;
        for record in &forgotten {
            self.forget(record).await?;
        }
        did |= self.write_out(&outgoing, report).await?;
        Ok(did)
    }

    /// An article as it is, or would be.
    pub(super) async fn article(&self, id: i64) -> Result<Option<Article>, StoreError> {
        let present = match self.looked.texts.get(&id) {
            Some(Text::Whole(article)) => return Ok(Some(article.as_ref().clone())),
            Some(Text::Head(_)) | None => row::by_id(self.articles.database.reader(), id).await?.map(Article::from),
        };
        Ok(present.map(|article| match self.looked.texts.get(&id) {
            Some(Text::Head(head)) => Article { front_matter: head.clone(), ..article },
            Some(Text::Whole(_)) | None => article,
        }))
    }

    /// Notes what is known of a file.
    pub(super) async fn record(&self, row: FileRecord) -> Result<(), StoreError> {
        self.record_all(vec![row]).await
    }

    /// The same of several.
    pub(super) async fn record_all(&self, rows: Vec<FileRecord>) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        if let Some(foreseen) = self.foreseen {
            foreseen.rows(rows);
            return Ok(());
        }
        self.articles
            .database
            .write(async move |transaction| {
                for row in &rows {
                    source::record(transaction, row).await?;
                }
                Ok(())
            })
            .await
    }

    pub(super) async fn forget(&self, record: &FileRecord) -> Result<(), StoreError> {
        if let Some(foreseen) = self.foreseen {
            foreseen.no_row(&record.path);
            return Ok(());
        }
        let (source, path) = (record.source_id, record.path.clone());
        let database = &self.articles.database;
        database.write(async move |transaction| source::forget(transaction, source, &path).await).await
    }
}

/// The same file, of which it is not known what it holds. If its article comes back, it is written at this place.
pub(super) fn awaited_record(record: &FileRecord) -> FileRecord {
    FileRecord { file_hash: String::new(), ..record.clone() }
}

/// What went wrong with a file.
pub(super) fn problem(file: &str, what: &str, error: &dyn std::fmt::Display) -> FileProblem {
    FileProblem::new(file, format!("{what}: {error}"))
}
