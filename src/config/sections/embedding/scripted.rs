//! The back end of tests.

use std::time::Duration;

use crate::config::{rules::Rules, section::section};

section! {
    /// Invented vectors, for tests.
    Scripted {
        /// Length of a vector.
        dimension: u32 = 64,
        /// How long a call takes.
        #[serde(with = "humantime_serde")]
        latency: Duration = Duration::ZERO,
        /// Calls with a text that contains this fail; empty: none.
        fail_containing: String = String::new(),
        /// How many times they fail; 0: always.
        fail_times: u32 = 0,
    }
}

impl Scripted {
    /// Invented vectors take no time, unless a test wants it so.
    pub(in crate::config) fn slots(&self) -> usize {
        1
    }

    pub(in crate::config) fn check(&self, rules: &mut Rules) {
        rules.at_least_one(self.dimension.into(), "embedding.scripted.dimension");
    }
}
