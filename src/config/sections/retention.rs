//! When finished and deleted rows are removed.

use std::time::Duration;

use crate::config::{
    rules::Rules,
    section::{
        section,
        times::{DAY, HOUR},
    },
};

section! {
    /// How long rows are kept; "0s": for ever.
    Retention {
        /// How often older rows are removed.
        #[serde(with = "humantime_serde")]
        cleanup_interval: Duration = HOUR,
        /// Finished tasks.
        #[serde(with = "humantime_serde")]
        tasks: Duration = 7 * DAY,
        /// The audit trail.
        #[serde(with = "humantime_serde")]
        events: Duration = 30 * DAY,
        /// Metrics, a row a minute.
        #[serde(with = "humantime_serde")]
        metrics: Duration = 30 * DAY,
        /// Bulk runs that have ended.
        #[serde(with = "humantime_serde")]
        bulk_runs: Duration = 30 * DAY,
        /// Deleted articles: how long a deletion can be undone.
        #[serde(with = "humantime_serde")]
        deleted_articles: Duration = 30 * DAY,
        /// Past revisions of articles that exist, from the moment at which a newer one replaced them.
        #[serde(with = "humantime_serde")]
        versions: Duration = Duration::ZERO,
        /// Newest past revisions of each article that are kept whatever their age.
        versions_kept: u32 = 20,
        /// Hosts that have ended.
        #[serde(with = "humantime_serde")]
        worker_rows: Duration = DAY,
    }
}

impl Retention {
    pub(in crate::config) fn check(&self, rules: &mut Rules) {
        rules.longer_than_zero(&[("retention.cleanup_interval", self.cleanup_interval)]);
    }
}
