//! How much is embedded, for callers that ask every few seconds: as counted a short while ago. A count compares every
//! article with its stored vectors, which is too expensive for callers that only watch.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use afterword_actors::store::{
    Database, Engine, StoreError, models,
    sql::{FromRow, Row, Sql},
    stats,
};

use super::Coverage;

/// A count older than this is renewed, for later callers.
const FRESH_FOR: Duration = Duration::from_secs(30);
/// What takes no longer than this is counted for each caller.
const CHEAP_BELOW: Duration = Duration::from_millis(20);

/// The articles of one folder and of all folders below it, by the state of their vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderCoverage {
    /// A folder at the top; empty for articles in no folder.
    pub folder: String,
    /// Their states.
    pub coverage: Coverage,
}

/// A count, when it was made, and how long it took.
#[derive(Clone)]
struct CoverageCount {
    at: Instant,
    took: Duration,
    coverage: Arc<[FolderCoverage]>,
}

/// The last count. Cheap to clone; clones share it.
#[derive(Clone, Default)]
pub(super) struct Recent {
    counted: Arc<Mutex<Option<CoverageCount>>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Recent {
    /// Returns the last count, if counting takes long; else, and at the first time, counts.
    pub(super) async fn of(&self, database: &Database) -> Result<Coverage, StoreError> {
        Ok(sum(&self.by_folder(database).await?))
    }

    /// The same, for each folder at the top, the one with the most to embed first.
    pub(super) async fn by_folder(&self, database: &Database) -> Result<Arc<[FolderCoverage]>, StoreError> {
        let before = self.last().map(|last| last.at);
        if let Some(last) = self.last().filter(|last| last.took > CHEAP_BELOW) {
            if last.at.elapsed() >= FRESH_FOR {
                self.count_behind(database);
            }
            return Ok(last.coverage);
        }
        let _turn = self.turn.lock().await;
        // Another caller may have counted while this one waited for its turn.
        match self.last().filter(|last| Some(last.at) != before) {
            Some(last) => Ok(last.coverage),
            None => self.count(database).await,
        }
    }

    fn last(&self) -> Option<CoverageCount> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts in the background, unless a count is running already.
    fn count_behind(&self, database: &Database) {
        let Ok(turn) = Arc::clone(&self.turn).try_lock_owned() else { return };
        let (recent, database) = (self.clone(), database.clone());
        tokio::spawn(async move {
            let _turn = turn;
            if let Err(error) = recent.count(&database).await {
                tracing::debug!(%error, "what is embedded is counted again later");
            }
        });
    }

    async fn count(&self, database: &Database) -> Result<Arc<[FolderCoverage]>, StoreError> {
        let begun = Instant::now();
        let coverage: Arc<[_]> = by_folder_now(database).await?.into();
        let counted = CoverageCount { at: Instant::now(), took: begun.elapsed(), coverage: Arc::clone(&coverage) };
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner) = Some(counted);
        Ok(coverage)
    }
}

/// Counts now, for the set that searches use. Before the first set nothing has been embedded: number 0 stands for that.
pub(super) async fn now(database: &Database) -> Result<Coverage, StoreError> {
    let model_id = models::wanted(database.reader()).await?.active.map_or(0, |set| set.id);
    Ok(stats::coverage(database.reader(), model_id).await?.into())
}

impl FromRow for FolderCoverage {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self { folder: row.get("top")?, coverage: stats::Coverage::from_row(row)?.into() })
    }
}

async fn by_folder_now(database: &Database) -> Result<Vec<FolderCoverage>, StoreError> {
    let model_id = models::wanted(database.reader()).await?.active.map_or(0, |set| set.id);
    let top = match database.engine() {
        Engine::Sqlite => "substr(a.folder, 1, instr(a.folder || '/', '/') - 1)",
        Engine::Postgres => "split_part(a.folder, '/', 1)",
    };
    let (columns, tables) = (stats::Coverage::COLUMNS, stats::Coverage::TABLES);
    let sql = format!("SELECT {top} AS top, {columns} FROM {tables} GROUP BY 1");
    let mut folders: Vec<FolderCoverage> = database.reader().rows(&sql, [model_id.into()]).await?;
    folders.sort_by(|a, b| {
        let open = |of: &FolderCoverage| of.coverage.stale + of.coverage.missing;
        open(b).cmp(&open(a)).then(b.coverage.articles.cmp(&a.coverage.articles)).then_with(|| a.folder.cmp(&b.folder))
    });
    Ok(folders)
}

fn sum(folders: &[FolderCoverage]) -> Coverage {
    let none = Coverage { articles: 0, skipped: 0, embedded: 0, stale: 0, missing: 0 };
    folders.iter().fold(none, |all, FolderCoverage { coverage, .. }| Coverage {
        articles: all.articles + coverage.articles,
        skipped: all.skipped + coverage.skipped,
        embedded: all.embedded + coverage.embedded,
        stale: all.stale + coverage.stale,
        missing: all.missing + coverage.missing,
    })
}
