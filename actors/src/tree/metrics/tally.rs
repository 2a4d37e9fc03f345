//! Counters and histograms of one worker.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::Observation;
use crate::task::TaskStatus;

/// Two significant digits: an error below 1 %, and a few KiB a histogram.
const DIGITS: u8 = 2;

/// What one worker has done.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) completed: u64,
    pub(super) failed: u64,
    pub(super) retried: u64,
    pub(super) cancelled: u64,
    /// *Units:* microseconds.
    pub(super) processing: Histogram<u64>,
    /// *Units:* microseconds.
    pub(super) waited: Histogram<u64>,
    pub(super) processing_sum: Duration,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            completed: 0,
            failed: 0,
            retried: 0,
            cancelled: 0,
            processing: histogram(),
            waited: histogram(),
            processing_sum: Duration::ZERO,
        }
    }
}

#[expect(clippy::expect_used, reason = "the number of digits is a constant within the allowed range")]
fn histogram() -> Histogram<u64> {
    Histogram::new(DIGITS).expect("two digits are allowed")
}

impl Tally {
    pub(super) fn record(&mut self, observation: &Observation) {
        match observation.status {
            TaskStatus::Completed => self.completed += 1,
            TaskStatus::Failed => self.failed += 1,
            TaskStatus::Cancelled => self.cancelled += 1,
            TaskStatus::Pending | TaskStatus::Processing => self.retried += 1,
        }
        self.processing_sum += observation.processing;
        self.processing.saturating_record(micros(observation.processing));
        self.waited.saturating_record(micros(observation.waited));
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.completed += other.completed;
        self.failed += other.failed;
        self.retried += other.retried;
        self.cancelled += other.cancelled;
        self.processing_sum += other.processing_sum;
        // Both grow by themselves, so that adding cannot fail.
        let _ = self.processing.add(&other.processing);
        let _ = self.waited.add(&other.waited);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
