//! The last hour by minutes: for rates, and for the rows that outlive the process.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use afterword_entities::embedding_metric;

use super::{observation::Observation, tally::Tally};
use crate::task::{Slot, TaskStatus};

const MINUTE_MS: i64 = 60_000;
/// Minutes that are kept in memory: the longest rate looks back this far.
const MINUTES_KEPT: i64 = 60;

/// Tallies by minute and slot.
#[derive(Debug, Default)]
pub(super) struct Minutes {
    unwritten: BTreeMap<(i64, Slot), Tally>,
    /// Attempts that ended in each minute: (completed, all).
    ended: BTreeMap<i64, (u64, u64)>,
}

impl Minutes {
    pub(super) fn record(&mut self, observation: &Observation) {
        let minute = this_minute();
        self.unwritten.entry((minute, observation.slot)).or_default().record(observation);
        let (completed, all) = self.ended.entry(minute).or_default();
        *completed += u64::from(observation.status == TaskStatus::Completed);
        *all += 1;
        self.ended = self.ended.split_off(&(minute - MINUTES_KEPT * MINUTE_MS));
    }

    /// Tasks completed per second over the last `minutes`, or since the start if that is shorter.
    pub(super) fn rate(&self, minutes: i64, uptime: Duration) -> f64 {
        let from = this_minute() - (minutes - 1) * MINUTE_MS;
        let completed: u64 = self.ended.range(from..).map(|(_, (completed, _))| completed).sum();
        let into_this_minute = Duration::from_millis(u64::try_from(now_ms() - this_minute()).unwrap_or_default());
        let span = Duration::from_secs(60) * u32::try_from(minutes - 1).unwrap_or(0) + into_this_minute;
        completed as f64 / span.min(uptime).as_secs_f64().max(1.0)
    }

    /// Returns this minute, and the rows up to now.
    pub(super) fn rows(&self, incarnation: &str) -> (i64, Vec<embedding_metric::Model>) {
        let row = |(&(minute, slot), tally)| row(minute, slot, incarnation, tally);
        (this_minute(), self.unwritten.iter().map(row).collect())
    }

    /// Forgets the minutes before this one, which were complete when they were written; later ones are written again,
    /// whole.
    pub(super) fn forget_before(&mut self, minute: i64) {
        self.unwritten = self.unwritten.split_off(&(minute, 0));
    }
}

fn row(minute: i64, slot: Slot, incarnation: &str, tally: &Tally) -> embedding_metric::Model {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let at = |histogram: &hdrhistogram::Histogram<u64>, share| number(histogram.value_at_quantile(share));
    embedding_metric::Model {
        minute,
        incarnation: incarnation.to_owned(),
        slot: i32::try_from(slot).unwrap_or(i32::MAX),
        completed: number(tally.completed),
        failed: number(tally.failed),
        retried: number(tally.retried),
        processing_p50_us: at(&tally.processing, 0.50),
        processing_p95_us: at(&tally.processing, 0.95),
        processing_p99_us: at(&tally.processing, 0.99),
        processing_sum_us: i64::try_from(tally.processing_sum.as_micros()).unwrap_or(i64::MAX),
        wait_p50_us: at(&tally.waited, 0.50),
        wait_p95_us: at(&tally.waited, 0.95),
        wait_p99_us: at(&tally.waited, 0.99),
    }
}

fn this_minute() -> i64 {
    now_ms() / MINUTE_MS * MINUTE_MS
}

/// The host's clock, in milliseconds since 1970, is good enough for rates: no decision depends on them.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
