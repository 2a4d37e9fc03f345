//! The settings of a runtime.

use std::time::Duration;

pub use crate::backoff::Delays;

/// Settings of one runtime. [`Default`] is what `config.toml` documents.
#[derive(Debug, Clone)]
pub struct RuntimeSettings {
    /// Worker slots; with 1, tasks are worked on strictly one at a time.
    pub slots: u32,
    /// Most tasks claimed in one transaction.
    pub claim_batch: u32,
    /// How often to look for tasks that were not announced.
    pub poll_interval: Duration,
    /// All attempts at a task, the first included.
    pub max_attempts: u32,
    /// Delays between the attempts at one task.
    pub retry: Delays,
    /// Delays between the probes of a provider that fails.
    pub circuit: Delays,
    /// How long a claim is valid unless it is renewed.
    pub lease: Duration,
    /// The longest time for one attempt; then the worker gives up. Waiting for memory, or for a turn at the provider,
    /// does not count.
    pub max_processing_time: Duration,
    /// How often leases are renewed and the host's rows written; at most a third of `lease`.
    pub heartbeat_interval: Duration,
    /// How often the minute row is written.
    pub metrics_interval: Duration,
    /// How often articles are compared with their stored vectors.
    pub sweep_interval: Duration,
    /// Most tasks of low priority (sweeps, bulk runs, new models) that wait for one set at a time.
    pub sweep_batch: u32,
    /// How often expired records are removed.
    pub cleanup_interval: Duration,
    /// How long things are kept.
    pub retention: Retention,
    /// When a child that keeps failing is given up.
    pub restart: RestartSettings,
}

/// How often a child may be restarted before its supervisor escalates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartSettings {
    /// Most restarts of one child within `window`.
    pub intensity: u32,
    /// See `intensity`.
    pub window: Duration,
    /// Delays before a restart.
    pub delays: Delays,
}

/// How long things are kept; zero means without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Finished tasks. An article's newest task is kept while it says that the article failed.
    pub tasks: Duration,
    /// The audit trail.
    pub events: Duration,
    /// Minute rows of the metrics.
    pub metrics: Duration,
    /// Bulk runs that have ended, with their result for each article.
    pub bulk_runs: Duration,
    /// The last revisions of deleted articles.
    pub deleted_articles: Duration,
    /// Past revisions of existing articles, counted from the moment when they were replaced.
    pub versions: Duration,
    /// The newest past revisions of an existing article, which are kept whatever their age.
    pub versions_kept: u32,
    /// Rows of hosts that have ended.
    pub hosts: Duration,
}

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Default for RuntimeSettings {
    fn default() -> Self {
        Self {
            slots: 1,
            claim_batch: 64,
            poll_interval: Duration::from_secs(1),
            max_attempts: 3,
            retry: Delays { base: Duration::from_secs(1), max: Duration::from_secs(300) },
            circuit: Delays { base: Duration::from_secs(1), max: Duration::from_secs(60) },
            lease: Duration::from_secs(30),
            max_processing_time: Duration::from_secs(1800),
            heartbeat_interval: Duration::from_secs(5),
            metrics_interval: Duration::from_secs(60),
            sweep_interval: Duration::from_secs(300),
            sweep_batch: 500,
            cleanup_interval: Duration::from_secs(3600),
            retention: Retention {
                tasks: 7 * DAY,
                events: 30 * DAY,
                metrics: 30 * DAY,
                bulk_runs: 30 * DAY,
                deleted_articles: 30 * DAY,
                versions: Duration::ZERO,
                versions_kept: 20,
                hosts: DAY,
            },
            restart: RestartSettings {
                intensity: 10,
                window: Duration::from_secs(60),
                delays: Delays { base: Duration::from_millis(20), max: Duration::from_secs(5) },
            },
        }
    }
}
