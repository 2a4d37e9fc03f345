//! When readiness turns to degraded.

use std::time::Duration;

use crate::config::{
    rules::Rules,
    section::{
        section,
        times::{MINUTE, SECOND},
    },
};

section! {
    /// When the server calls itself degraded.
    Health {
        /// How often it checks itself.
        #[serde(with = "humantime_serde")]
        interval: Duration = 5 * SECOND,
        /// Longest time a task may have been due.
        #[serde(with = "humantime_serde")]
        oldest_due: Duration = 10 * MINUTE,
        /// Most restarts of actors within an hour.
        restarts: u64 = 10,
    }
}

impl Health {
    pub(in crate::config) fn check(&self, rules: &mut Rules) {
        rules.longer_than_zero(&[("health.interval", self.interval)]);
    }
}
