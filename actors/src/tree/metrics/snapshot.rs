//! The numbers as a host may show them.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use serde::Serialize;

use super::{minute::Minutes, tally::Tally};
use crate::task::Slot;

/// What the workers of this host have done since it started.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricsSnapshot {
    /// How long the MetricsActor has run. *Units:* seconds.
    pub uptime_seconds: f64,
    /// All workers together.
    pub total: WorkerMetrics,
    /// Tasks completed per second over the last minute.
    pub throughput_1m: f64,
    /// Tasks completed per second over the last 5 minutes.
    pub throughput_5m: f64,
    /// Tasks completed per second over the last 60 minutes.
    pub throughput_60m: f64,
    /// Each worker, by its slot.
    pub workers: BTreeMap<Slot, WorkerMetrics>,
}

/// What one worker, or all together, have done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkerMetrics {
    /// Tasks completed.
    pub completed: u64,
    /// Tasks given up.
    pub failed: u64,
    /// Attempts that are followed by another one.
    pub retried: u64,
    /// Tasks that turned out not to be needed.
    pub cancelled: u64,
    /// Completed / (completed + failed); `None` before the first.
    pub success_rate: Option<f64>,
    /// From the claim to the end of the attempt.
    pub processing: Distribution,
    /// From becoming due to the claim.
    pub wait: Distribution,
}

/// A distribution of durations. *Units:* milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Distribution {
    /// Half are at most this long.
    pub p50_ms: f64,
    /// 95 % are at most this long.
    pub p95_ms: f64,
    /// 99 % are at most this long.
    pub p99_ms: f64,
    /// The mean.
    pub mean_ms: f64,
}

impl MetricsSnapshot {
    pub(super) fn of(workers: &BTreeMap<Slot, Tally>, minutes: &Minutes, uptime: Duration) -> Self {
        let mut total = Tally::default();
        workers.values().for_each(|tally| total.add(tally));
        Self {
            uptime_seconds: uptime.as_secs_f64(),
            total: WorkerMetrics::of(&total),
            throughput_1m: minutes.rate(1, uptime),
            throughput_5m: minutes.rate(5, uptime),
            throughput_60m: minutes.rate(60, uptime),
            workers: workers.iter().map(|(&slot, tally)| (slot, WorkerMetrics::of(tally))).collect(),
        }
    }
}

impl WorkerMetrics {
    fn of(tally: &Tally) -> Self {
        let ended = tally.completed + tally.failed;
        Self {
            completed: tally.completed,
            failed: tally.failed,
            retried: tally.retried,
            cancelled: tally.cancelled,
            success_rate: (ended > 0).then(|| tally.completed as f64 / ended as f64),
            processing: Distribution::of(&tally.processing),
            wait: Distribution::of(&tally.waited),
        }
    }
}

impl Distribution {
    fn of(histogram: &Histogram<u64>) -> Self {
        let at = |share| histogram.value_at_quantile(share) as f64 / 1000.0;
        let mean_ms = if histogram.is_empty() { 0.0 } else { histogram.mean() / 1000.0 };
        Self { p50_ms: at(0.50), p95_ms: at(0.95), p99_ms: at(0.99), mean_ms }
    }
}
