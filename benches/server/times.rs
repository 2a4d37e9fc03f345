//! Measured times, and their summary.

use std::time::Duration;

/// Repeated times of the same operation.
#[derive(Default)]
pub(crate) struct Times(pub(crate) Vec<Duration>);

impl Times {
    /// In milliseconds.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort();
        let at = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
        sorted.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1_000.0)
    }

    pub(crate) fn say(&self, what: &str) {
        let Self(times) = self;
        println!(
            "{what}: p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms ({} times)",
            self.quantile(0.5),
            self.quantile(0.95),
            self.quantile(0.99),
            times.len()
        );
    }
}
