//! Bulk runs: embedding many articles at once, with progress and a summary. Every door calls this.

mod view;

use std::sync::Arc;

use afterword_actors::{
    RuntimeHandle,
    store::{
        Database, StoreError,
        backlog::{self, Backlog},
        bulk,
        folder::within,
        models,
        sql::{self, Sql},
    },
};

pub use crate::api::{BulkRun, BulkRunSummary, FailedArticle};

use crate::{api::Permission, articles::folder::Folder, health};
use view::Outcome;

/// Starts, shows and cancels bulk runs. Cheap to clone.
#[derive(Clone)]
pub struct Bulk {
    database: Database,
    max_attempts: u32,
    runtime: Option<RuntimeHandle>,
    scope: Permission,
}

/// A refused request. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BulkError {
    /// There is no run with this number.
    #[error("there is no bulk run {0}; list the runs to see all")]
    NotFound(i64),
    /// There has been no run.
    #[error("there has been no bulk run yet; start one")]
    NoneYet,
    /// A run over nothing, most often because of a misspelt name.
    #[error("there is no article in folder \"{0}\" or below it; list the folders to see all")]
    NoFolder(Folder),
    /// An error of the database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a run would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Articles it would queue.
    pub articles: i64,
    /// Articles that are excluded from embedding.
    pub skipped: i64,
}

impl Bulk {
    /// Makes the service for `database`.
    pub fn new(database: Database, max_attempts: u32) -> Self {
        Self { database, max_attempts, runtime: None, scope: Permission::Admin }
    }

    /// The same, with runs started at once by the runtime of this process.
    pub(crate) fn waking(self, runtime: RuntimeHandle) -> Self {
        Self { runtime: Some(runtime), ..self }
    }

    /// The same, as it is shown to callers of this scope: names of deleted articles are for those who may restore them.
    pub(crate) fn seen_by(&self, scope: Permission) -> Self {
        Self { scope, ..self.clone() }
    }

    /// Counts the articles that a run would queue.
    ///
    /// # Errors
    /// [`BulkError::NoFolder`]
    pub async fn count(&self, scope: Backlog, folder: &Folder) -> Result<Count, BulkError> {
        self.check_folder(folder).await?;
        let model_id = self.model_id().await?;
        let (articles, skipped) = backlog::count(self.database.reader(), model_id, scope, folder.as_ref()).await?;
        Ok(Count { articles, skipped })
    }

    /// Opens a run, which the running hosts carry out; returns its number.
    ///
    /// # Errors
    /// [`BulkError::NoFolder`]
    pub async fn start(&self, scope: Backlog, folder: &Folder) -> Result<i64, BulkError> {
        self.check_folder(folder).await?;
        let folder = folder.to_string();
        if let Some(runtime) = &self.runtime {
            return Ok(runtime.start_bulk(scope, folder).await?);
        }
        let reader = self.database.reader();
        let (articles, _) = backlog::count(reader, self.model_id().await?, scope, &folder).await?;
        let opened =
            self.database.write(async move |transaction| bulk::open(transaction, scope, &folder, articles).await);
        Ok(opened.await?)
    }

    /// Queues the first articles of a run now, before any worker begins, so that waiting tasks become part of the run.
    /// The running hosts then advance it.
    ///
    /// # Errors
    /// [`BulkError::NotFound`]
    pub async fn begin(&self, id: i64, ahead: u32) -> Result<(), BulkError> {
        let max_attempts = self.max_attempts;
        let run = bulk::find(self.database.reader(), id).await?.ok_or(BulkError::NotFound(id))?;
        let run = Arc::new(run);
        loop {
            let page_of = Arc::clone(&run);
            let page = self
                .database
                .write(async move |transaction| bulk::advance(transaction, &page_of, max_attempts, ahead).await);
            if page.await? != bulk::Page::Queued {
                return Ok(());
            }
        }
    }

    /// Returns the progress of a run, or its result.
    ///
    /// # Errors
    /// [`BulkError::NotFound`]
    pub async fn run(&self, id: i64) -> Result<BulkRun, BulkError> {
        let reader = self.database.reader();
        let row = bulk::find(reader, id).await?.ok_or(BulkError::NotFound(id))?;
        let outcome = Outcome::read(reader, &row).await?;
        let total = bulk::total(reader, id).await?;
        let mut run = BulkRun::of(row, outcome, total, sql::now(reader).await?);
        if self.scope < Permission::Write {
            view::without_deleted(reader, &mut run.failures).await?;
        }
        if run.has_ended() {
            return Ok(run);
        }
        let waits_because = health::why_tasks_wait(&self.database).await?;
        let shares_with = view::sharing(&run.summary, &bulk::unfinished(reader).await?);
        Ok(BulkRun { waits_because, shares_with, ..run })
    }

    /// Returns the run that was started last.
    ///
    /// # Errors
    /// [`BulkError::NoneYet`]
    pub async fn last(&self) -> Result<BulkRun, BulkError> {
        let last = bulk::list(self.database.reader(), 1).await?.pop().ok_or(BulkError::NoneYet)?;
        self.run(last.id).await
    }

    /// Returns runs, the last started first.
    ///
    /// # Errors
    /// [`BulkError::Store`]
    pub async fn list(&self, limit: u32) -> Result<Vec<BulkRunSummary>, BulkError> {
        let rows = bulk::list(self.database.reader(), limit).await?;
        Ok(rows.into_iter().map(BulkRunSummary::from).collect())
    }

    /// Counts the runs: they are removed some time after their end.
    ///
    /// # Errors
    /// [`BulkError::Store`]
    pub async fn total(&self) -> Result<i64, BulkError> {
        Ok(bulk::count(self.database.reader()).await?)
    }

    /// Cancels a run and its waiting tasks. Returns whether the run was open.
    ///
    /// # Errors
    /// [`BulkError::NotFound`]
    pub async fn cancel(&self, id: i64) -> Result<bool, BulkError> {
        if bulk::find(self.database.reader(), id).await?.is_none() {
            return Err(BulkError::NotFound(id));
        }
        let cancelled = self.database.write(async move |transaction| bulk::cancel(transaction, id).await);
        Ok(cancelled.await?)
    }

    async fn check_folder(&self, folder: &Folder) -> Result<(), BulkError> {
        if folder.as_ref().is_empty() {
            return Ok(());
        }
        let sql = format!("SELECT a.id FROM articles a WHERE {} LIMIT 1", within("a.folder", "$1"));
        let found: Option<i64> = self.database.reader().row(&sql, [folder.to_string().into()]).await?;
        found.map(drop).ok_or_else(|| BulkError::NoFolder(folder.clone()))
    }

    /// A run is for the set that searches use. Before the first set nothing has been embedded: number 0 stands for
    /// that.
    async fn model_id(&self) -> Result<i64, StoreError> {
        Ok(models::wanted(self.database.reader()).await?.active.map_or(0, |set| set.id))
    }
}
