//! The queue and bulk runs.

use afterword_actors::task::TaskStatus;
use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};

use crate::cli::offers::slugs;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum BulkCommand {
    /// Embed all articles that need it: missing, stale and failed ones
    Start {
        #[command(flatten)]
        scope: ScopeArguments,
        /// Only this folder and below
        #[arg(long, default_value = "")]
        folder: String,
        /// Print how many articles it would be, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// Return at once; a running host does the work
        #[arg(long)]
        detach: bool,
    },
    /// Show the state of a run [default: the last one]
    Status {
        /// Its number
        id: Option<i64>,
    },
    /// List runs
    List,
    /// Stop a run and cancel its waiting tasks
    Cancel {
        /// Its number
        id: i64,
    },
}

#[derive(Debug, Args)]
#[group(multiple = false)]
pub(in crate::cli) struct ScopeArguments {
    /// Only articles without vectors
    #[arg(long)]
    pub(in crate::cli) missing: bool,
    /// Only articles whose last task failed
    #[arg(long)]
    pub(in crate::cli) failed: bool,
    /// Only articles whose vectors are of an older content
    #[arg(long)]
    pub(in crate::cli) stale: bool,
    /// Every article; unchanged ones are confirmed, not embedded again
    #[arg(long)]
    pub(in crate::cli) all: bool,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum QueueCommand {
    /// Show exact numbers, throughput and times
    Stats,
    /// List tasks, the newest first
    List {
        /// Only tasks of this status
        #[arg(long, value_parser = statuses())]
        status: Option<TaskStatus>,
        /// Only tasks of this article
        #[arg(long, value_name = "SLUG", add = slugs())]
        article: Option<String>,
        /// Only tasks older than this one
        #[arg(long, value_name = "ID")]
        before: Option<i64>,
        /// At most this many rows
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Show a task with its audit trail, and why it waits
    Show {
        /// The task
        id: i64,
    },
    /// Put a failed or cancelled task back into the queue, with fresh attempts; a pending one becomes due at once
    Retry {
        /// The task
        id: i64,
    },
    /// Put the newest failed task of each article back into the queue, behind saves
    RetryFailed,
    /// Cancel a waiting task
    Cancel {
        /// The task
        id: i64,
    },
    /// Pause the queue: hosts finish their tasks and claim no more
    Pause,
    /// End the pause: hosts claim tasks again
    Resume,
    /// Remove finished tasks
    Cleanup {
        /// Only those that finished longer ago than this, e.g. 12h or 7d [default: retention.tasks; needed if that is "0s"]
        #[arg(long, value_name = "AGE")]
        older_than: Option<String>,
    },
    /// Put the tasks of dead hosts back into the queue
    Rescue,
    /// Show the audit trail
    Events {
        /// Only entries of this task
        #[arg(long, value_name = "ID")]
        task: Option<i64>,
        /// At most this many rows
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Follow the audit trail as it grows
    Watch,
}

fn statuses() -> impl TypedValueParser<Value = TaskStatus> {
    PossibleValuesParser::new(["pending", "processing", "completed", "failed", "cancelled"])
        .try_map(|name| name.parse::<TaskStatus>().map_err(|error| error.to_string()))
}
