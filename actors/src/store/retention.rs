//! Removes expired records, in pages that take little time, so that no save waits for a clean-up.
//!
//! Finding expired records does not block writers; only the removal is a write, and each is followed by a pause of the
//! same length.

mod kinds;
mod pace;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use serde::Serialize;

use self::{
    kinds::{RecordKind, RemovalLock, ScanStart},
    pace::Pace,
};
use super::{
    Database, Engine, StoreError, Transaction, events, locks, models,
    sql::{self, FromRow, Sql, Value},
};
use crate::settings::Retention;

/// How long a create may be repeated with its idempotency key.
const KEPT_IDEMPOTENCY_KEYS: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long vectors are kept that searches do not use any more: a change back finds them.
const KEPT_RETIRED_VECTORS: Duration = Duration::from_secs(24 * 3600);
/// Longer than the period of any limit.
const KEPT_PROVIDER_CALLS: Duration = Duration::from_secs(600);

/// What a clean-up removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct CleanupReport {
    /// Finished tasks.
    pub tasks: u64,
    /// Entries of the audit trail.
    pub events: u64,
    /// Minute rows.
    pub metrics: u64,
    /// Entries of ended bulk runs, one for each article.
    pub bulk_items: u64,
    /// Bulk runs that have ended.
    pub bulk_runs: u64,
    /// Revisions of deleted articles.
    pub deleted_articles: u64,
    /// Past revisions of existing articles.
    pub versions: u64,
    /// Rows of hosts.
    pub hosts: u64,
    /// Vector sets of retired models.
    pub retired_vectors: u64,
}

/// Removes everything that `retention` allows.
///
/// # Errors
/// [`StoreError`]; what was removed before stays removed.
pub async fn clean(database: &Database, retention: &Retention) -> Result<CleanupReport, StoreError> {
    let mut cleaner = Cleaner { database, pace: Pace::default() };
    let removed = CleanupReport {
        tasks: cleaner.sweep(&kinds::FINISHED_TASKS, retention.tasks).await?,
        events: cleaner.sweep(&kinds::EVENTS, retention.events).await?,
        metrics: cleaner.sweep(&kinds::METRICS, retention.metrics).await?,
        bulk_items: cleaner.sweep(&kinds::BULK_ITEMS, retention.bulk_runs).await?,
        bulk_runs: cleaner.sweep(&kinds::BULK_RUNS, retention.bulk_runs).await?,
        deleted_articles: cleaner.sweep(&kinds::DELETED_ARTICLES, retention.deleted_articles).await?,
        versions: cleaner.sweep(&kinds::versions(retention.versions_kept), retention.versions).await?,
        hosts: cleaner.sweep(&kinds::HOSTS, retention.hosts).await?,
        retired_vectors: cleaner.sweep(&kinds::RETIRED_VECTORS, KEPT_RETIRED_VECTORS).await?,
    };
    cleaner.sweep(&kinds::IDEMPOTENCY_KEYS, KEPT_IDEMPOTENCY_KEYS).await?;
    cleaner.sweep(&kinds::PROVIDER_CALLS, KEPT_PROVIDER_CALLS).await?;
    if database.engine() == Engine::Sqlite {
        cleaner.sweep(&kinds::VECTOR_CHANGES, WHATEVER_AGE).await?;
    }
    Ok(removed)
}

/// Removes finished tasks older than `age` now, whatever the settings say. Returns how many.
///
/// # Errors
/// [`StoreError`]
pub async fn clean_tasks(database: &Database, age: Duration) -> Result<u64, StoreError> {
    let mut cleaner = Cleaner { database, pace: Pace::default() };
    let removed = cleaner.sweep(&kinds::FINISHED_TASKS, age.max(WHATEVER_AGE)).await?;
    database
        .write_behind::<_, StoreError, _>(async move |transaction| {
            let detail = format!("{removed} finished tasks removed");
            events::record_act(transaction, "queue cleaned", &detail).await
        })
        .await?;
    Ok(removed)
}

/// Any age: zero would mean that nothing expires.
const WHATEVER_AGE: Duration = Duration::from_millis(1);

async fn lock_subjects(
    transaction: &Transaction,
    lock: RemovalLock,
    subjects: &BTreeSet<i64>,
) -> Result<(), StoreError> {
    for subject in subjects {
        match lock {
            RemovalLock::Nothing => return Ok(()),
            RemovalLock::DeletedArticles => locks::hold_deleted(transaction, *subject).await?,
            RemovalLock::Model => models::lock_state(transaction, *subject).await.map(drop)?,
        }
    }
    Ok(())
}

struct Cleaner<'a> {
    database: &'a Database,
    pace: Pace,
}

/// A record that was looked at.
#[derive(FromRow)]
struct CandidateRow {
    /// With `id`: its position in the order of the look.
    at: i64,
    id: i64,
    /// The rest of its key, if it has one.
    name: Option<String>,
    /// Whether it is to be removed.
    doomed: bool,
}

impl Cleaner<'_> {
    /// Removes what is older than `age`; nothing if that is zero.
    async fn sweep(&mut self, kind: &RecordKind, age: Duration) -> Result<u64, StoreError> {
        if age.is_zero() {
            return Ok(0);
        }
        let age = sql::millis(age);
        let (mut removed, mut place) = (0, (-1, -1));
        loop {
            let page = self.pace.page();
            let seen = self.look(kind, age, page, place).await?;
            let doomed: Vec<_> = seen.iter().filter(|row| row.doomed).map(|row| (row.at, row.id, &row.name)).collect();
            let gone = if doomed.is_empty() { 0 } else { self.remove(kind, &doomed).await? };
            removed += gone;
            let Some(last) = seen.last() else { return Ok(removed) };
            let is_short = i64::try_from(seen.len()).unwrap_or(i64::MAX) < page;
            let is_last = match kind.start {
                // Each look starts at the front: records that could not be removed would be found again without end.
                ScanStart::Front => gone == 0,
                ScanStart::Id => doomed.is_empty() || is_short,
                ScanStart::AtAndId => is_short,
            };
            if is_last {
                return Ok(removed);
            }
            place = (last.at, last.id);
        }
    }

    async fn look(
        &self,
        kind: &RecordKind,
        age: i64,
        page: i64,
        (at, id): (i64, i64),
    ) -> Result<Vec<CandidateRow>, StoreError> {
        let mut values: Vec<Value> = vec![age.into(), page.into()];
        match kind.start {
            ScanStart::Front => {}
            ScanStart::Id => values.push(id.into()),
            ScanStart::AtAndId => values.extend([at.into(), id.into()]),
        }
        self.database.reader().rows::<CandidateRow>(&kind.look, values).await
    }

    /// Removes a page, and pauses as long as that kept others from writing.
    async fn remove(&mut self, kind: &RecordKind, doomed: &[(i64, i64, &Option<String>)]) -> Result<u64, StoreError> {
        let (keys, remove, lock) = (sql::json(doomed)?, kind.remove, kind.lock);
        let subjects: BTreeSet<_> = doomed.iter().map(|(at, ..)| *at).collect();
        let (gone, took) = self
            .database
            .write_behind::<_, StoreError, _>(async move |transaction| {
                lock_subjects(transaction, lock, &subjects).await?;
                let began = Instant::now();
                let gone = transaction.run(remove, [keys]).await?;
                afterword_faults::point!("cleanup.removed", StoreError::Failed);
                Ok((gone, began.elapsed()))
            })
            .await?;
        afterword_faults::point!("cleanup.committed", StoreError::Failed);
        self.pace.took(took, i64::try_from(doomed.len()).unwrap_or(i64::MAX));
        tokio::time::sleep(took).await;
        Ok(gone)
    }
}
