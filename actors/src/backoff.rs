//! Delays that grow: the one module that knows the crate `backoff`.

use std::time::Duration;

use backoff::{ExponentialBackoff, ExponentialBackoffBuilder, backoff::Backoff as _};

/// Delays that double from `base` up to `max`, with some jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    /// The first delay.
    pub base: Duration,
    /// The longest delay.
    pub max: Duration,
}

/// Each delay is twice the one before.
pub const FACTOR: f64 = 2.0;
/// Each delay is moved by up to this share either way, so that what failed together is not tried again together.
pub const JITTER: f64 = 0.2;

/// A series of growing delays; [`Backoff::reset`] starts it again.
#[derive(Debug)]
pub struct Backoff {
    inner: ExponentialBackoff,
    max: Duration,
}

impl Backoff {
    /// Starts a series at `delays.base`.
    pub fn new(delays: Delays) -> Self {
        let inner = ExponentialBackoffBuilder::new()
            .with_initial_interval(delays.base)
            .with_max_interval(delays.max)
            .with_multiplier(FACTOR)
            .with_randomization_factor(JITTER)
            .with_max_elapsed_time(None)
            .build();
        Self { inner, max: delays.max }
    }

    /// The next delay, never above the maximum.
    pub fn next_delay(&mut self) -> Duration {
        self.inner.next_backoff().unwrap_or(self.max).min(self.max)
    }

    /// Starts the series again.
    pub fn reset(&mut self) {
        self.inner.reset();
    }
}

/// Returns the delay after attempt number `attempt`, counted from 1.
pub fn delay_after(attempt: u32, delays: Delays) -> Duration {
    let mut backoff = Backoff::new(delays);
    // Beyond 64 doublings every base has reached every maximum.
    for _ in 1..attempt.clamp(1, 64) {
        backoff.next_delay();
    }
    backoff.next_delay()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn delays_double_within_the_jitter_up_to_the_maximum(attempt in 1u32..40, base in 1u64..5_000) {
            let delays = Delays { base: Duration::from_millis(base), max: Duration::from_secs(300) };
            let expected = (base as f64 * FACTOR.powi(attempt as i32 - 1)).min(300_000.0);
            let delay = delay_after(attempt, delays).as_secs_f64() * 1000.0;
            prop_assert!(delay >= expected * (1.0 - JITTER) - 1.0, "{delay} < {expected}");
            prop_assert!(delay <= (expected * (1.0 + JITTER) + 1.0).min(300_000.0), "{delay} > {expected}");
        }
    }
}
