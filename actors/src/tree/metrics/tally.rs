//! Counters and histograms of one worker.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::observation::Observation;
use crate::task::TaskStatus;

/// Of a measured duration. Two mean an error below 1 %, and a few KiB for each histogram.
const SIGNIFICANT_DIGITS: u8 = 2;

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
    Histogram::new(SIGNIFICANT_DIGITS).expect("two digits are allowed")
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
        // Histograms grow by themselves, so that recording cannot fail.
        let _ = self.processing.record(micros(observation.processing));
        let _ = self.waited.record(micros(observation.waited));
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_durations(micros in prop::collection::vec(1u64..100_000_000, 1..200)) {
            let mut tally = Tally::default();
            for &micros in &micros {
                let processing = Duration::from_micros(micros);
                let waited = Duration::from_millis(micros);
                tally.record(&Observation { slot: 0, status: TaskStatus::Completed, processing, waited });
            }
            let mut sorted = micros.clone();
            sorted.sort_unstable();
            let exact = sorted[(sorted.len() * 95).div_ceil(100) - 1] as f64;
            for (found, exact) in [
                (tally.processing.value_at_quantile(0.95), exact),
                (tally.waited.value_at_quantile(0.95), exact * 1000.0),
            ] {
                prop_assert!((found as f64 - exact).abs() <= exact * 0.01 + 1.0, "{found} instead of {exact}");
            }
        }
    }
}
