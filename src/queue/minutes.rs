//! The last hour minute by minute, of all workers together.

use std::collections::BTreeMap;

use afterword_actors::store::{
    StoreError, metrics,
    sql::{self, Sql},
};

use crate::time::Timestamp;

/// *Units:* milliseconds.
const HOUR: i64 = 3_600_000;

/// One minute. Quantiles of workers cannot be added: those of the slowest worker are returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minute {
    /// Its beginning.
    pub at: Timestamp,
    /// Tasks completed.
    pub completed: i64,
    /// Tasks given up.
    pub failed: i64,
    /// Half of the attempts ended at most this long after becoming due. *Units:* microseconds.
    pub p50_us: i64,
    /// 95 % of the attempts ended at most this long after becoming due. *Units:* microseconds.
    pub p95_us: i64,
}

pub(super) async fn of_the_last_hour(reader: &impl Sql) -> Result<Vec<Minute>, StoreError> {
    let rows = metrics::since(reader, sql::now(reader).await? - HOUR).await?;
    let mut minutes: BTreeMap<i64, Minute> = BTreeMap::new();
    for row in rows {
        let minute = minutes.entry(row.minute).or_insert(Minute {
            at: Timestamp(row.minute),
            completed: 0,
            failed: 0,
            p50_us: 0,
            p95_us: 0,
        });
        minute.completed += row.completed;
        minute.failed += row.failed;
        minute.p50_us = minute.p50_us.max(row.wait_p50_us + row.processing_p50_us);
        minute.p95_us = minute.p95_us.max(row.wait_p95_us + row.processing_p95_us);
    }
    Ok(minutes.into_values().collect())
}
