//! The result of an attempt. A provider's failure is a value here, never a broken actor.

use std::time::Duration;

use crate::{
    store::StoreError,
    task::{ClaimedTask, EmbeddedSet, Failure, Slot, Vectors},
};

/// An attempt that has ended.
#[derive(Debug)]
pub struct FinishedAttempt {
    /// The task that was tried.
    pub task: ClaimedTask,
    /// Its result.
    pub outcome: Outcome,
    /// How long it took.
    pub elapsed: Duration,
    /// The vectors it made, and those it was given by an earlier attempt. Empty after an attempt that succeeded.
    pub made: Vectors,
    /// Whether it made any vector that it was not given.
    pub gained: bool,
}

impl FinishedAttempt {
    /// Returns the slot that is free again.
    pub fn slot(&self) -> Slot {
        self.task.slot
    }
}

/// The result of an attempt.
#[derive(Debug)]
pub enum Outcome {
    /// The article is embedded, by this set of chunks.
    Embedded(EmbeddedSet),
    /// The stored vectors are already those of the present content.
    Unchanged {
        /// The article's revision, for which they are valid too.
        revision: i64,
    },
    /// The vectors are to be removed, or the article needs none.
    Discard {
        /// The reason, for the audit trail.
        cause: &'static str,
    },
    /// It failed.
    Failed(Failure),
    /// The article could not be read.
    Unread(StoreError),
}
