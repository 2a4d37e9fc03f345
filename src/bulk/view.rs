//! Bulk runs as callers see them.

use std::collections::HashSet;

use afterword_actors::store::{
    StoreError,
    bulk::{self, FailedItem, Progress, Summary},
    sql::{self, Sql},
};
use afterword_entities::bulk_operation;

use crate::api::{BulkRun, BulkRunSummary, FailedArticle, Timestamp};

/// Failures that are listed one by one; their total is exact.
const LISTED_FAILURES: u32 = 50;

/// What has become of a run's articles.
pub(super) struct Outcome {
    /// What was noted when it ended.
    told: Option<Summary>,
    progress: Progress,
    failures: Vec<FailedItem>,
}

impl Outcome {
    /// Reads it. Of a run that was not cancelled, the summary says all once it has ended: to count its articles takes
    /// as long as there are many.
    pub(super) async fn read(connection: &impl Sql, row: &bulk_operation::Model) -> Result<Self, StoreError> {
        let told: Option<Summary> = row.summary.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let progress = match &told {
            Some(Summary { succeeded, failed, cancelled, .. }) if row.state == "completed" => Progress {
                queued: succeeded + failed + cancelled,
                open: 0,
                succeeded: *succeeded,
                failed: *failed,
                cancelled: *cancelled,
            },
            Some(_) | None => bulk::progress(connection, row.id).await?,
        };
        let failures = match &told {
            Some(told) => told.failures.clone(),
            None => bulk::failures(connection, row.id, LISTED_FAILURES).await?,
        };
        Ok(Self { told, progress, failures })
    }
}

impl BulkRun {
    /// Whether it has ended for good.
    pub fn has_ended(&self) -> bool {
        self.summary.finished_at.is_some()
    }

    /// Counts articles that have not ended yet, queued or not.
    pub fn left(&self) -> i64 {
        let ended = self.queued - self.open;
        // Some of the counted articles may need nothing any more when their turn comes.
        let to_come = if self.summary.state == "queuing" { self.total.unwrap_or(0) - ended } else { 0 };
        to_come.max(self.open)
    }

    pub(super) fn of(
        row: bulk_operation::Model,
        Outcome { told, progress, failures }: Outcome,
        total: Option<i64>,
        now: i64,
    ) -> Self {
        let duration_ms = row.finished_at.unwrap_or(now) - row.requested_at;
        let ended = progress.queued - progress.open;
        let per_second = (ended > 0 && duration_ms > 0).then(|| ended as f64 * 1000.0 / duration_ms as f64);
        let is_open = row.finished_at.is_none();
        // The summary of an ended run outlives its tasks.
        let (succeeded, failed, cancelled) = match &told {
            Some(told) if row.state == "completed" => (told.succeeded, told.failed, told.cancelled),
            // Tasks that were being processed when the run was cancelled ended after it.
            Some(told) => {
                let (succeeded, failed) = (progress.succeeded.max(told.succeeded), progress.failed.max(told.failed));
                (succeeded, failed, (progress.queued - progress.open - succeeded - failed).max(0))
            }
            None => (progress.succeeded, progress.failed, progress.cancelled),
        };
        let run = Self {
            summary: BulkRunSummary::from(row),
            duration_ms,
            total,
            queued: progress.queued.max(succeeded + failed + cancelled),
            open: progress.open,
            succeeded,
            failed,
            cancelled,
            skipped: told.as_ref().map(|told| told.skipped),
            per_second,
            remaining_ms: None,
            waits_because: None,
            shares_with: Vec::new(),
            failures: failures.into_iter().map(FailedArticle::from).collect(),
        };
        let remaining_ms = per_second.filter(|_| is_open).map(|rate| (run.left() as f64 / rate * 1000.0) as i64);
        Self { remaining_ms, ..run }
    }
}

/// The numbers of the other runs in `open` that may be about some of the articles of `run`.
pub(super) fn sharing(run: &BulkRunSummary, open: &[bulk_operation::Model]) -> Vec<i64> {
    let is_within = |inner: &str, outer: &str| {
        outer.is_empty() || inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let shares = |other: &&bulk_operation::Model| {
        other.id != run.id && (is_within(&other.folder, &run.folder) || is_within(&run.folder, &other.folder))
    };
    open.iter().filter(shares).map(|other| other.id).collect()
}

impl From<bulk_operation::Model> for BulkRunSummary {
    fn from(row: bulk_operation::Model) -> Self {
        Self {
            id: row.id,
            scope: row.scope,
            folder: row.folder,
            state: row.state,
            requested_at: Timestamp(row.requested_at),
            finished_at: row.finished_at.map(Timestamp),
        }
    }
}

impl From<FailedItem> for FailedArticle {
    fn from(item: FailedItem) -> Self {
        let FailedItem { slug, task_id, error_kind, error_message } = item;
        Self { slug, task_id, error_kind, error_message }
    }
}

/// Takes the names of deleted articles, and what was said of them, out of `failures`.
pub(super) async fn without_deleted(connection: &impl Sql, failures: &mut [FailedArticle]) -> Result<(), StoreError> {
    if failures.is_empty() {
        return Ok(());
    }
    // By the article and not by its name, which another may have by now.
    let tasks: Vec<_> = failures.iter().map(|failure| failure.task_id).collect();
    // Its tasks are cleaned up before the run is.
    let sql = "SELECT i.task_id AS n FROM {ids $1} j CROSS JOIN bulk_items i CROSS JOIN articles a
               WHERE i.task_id = j.id AND a.id = i.article_id";
    let present: Vec<i64> = connection.rows(sql, [sql::json(&tasks)?]).await?;
    let present: HashSet<_> = present.into_iter().collect();
    for failure in failures.iter_mut().filter(|failure| !present.contains(&failure.task_id)) {
        (failure.slug, failure.error_message) = ("(deleted)".to_owned(), None);
    }
    Ok(())
}
