//! What came of an attempt. A provider's failure is a value here, never a broken actor.

use std::time::Duration;

use crate::{
    store::StoreError,
    task::{ClaimedTask, EmbeddedSet, Failure, Slot, Vectors},
};

/// An attempt that has ended.
#[derive(Debug)]
pub struct Finished {
    /// What was tried.
    pub task: ClaimedTask,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took.
    pub elapsed: Duration,
    /// The vectors it made, and those it was given of an earlier attempt. Empty after an attempt that succeeded.
    pub made: Vectors,
    /// Whether it made any that it was not given.
    pub gained: bool,
}

impl Finished {
    /// The slot that is free again.
    pub fn slot(&self) -> Slot {
        self.task.slot
    }
}

/// What came of an attempt.
#[derive(Debug)]
pub enum Outcome {
    /// The article is embedded, by this set of chunks.
    Embedded(EmbeddedSet),
    /// The stored vectors are those of the present content already.
    Unchanged {
        /// The revision they hold for.
        revision: i64,
    },
    /// The vectors have been asked to go, or the article needs none.
    Discard {
        /// For the audit trail.
        cause: &'static str,
    },
    /// It failed.
    Failed(Failure),
    /// The article could not be read.
    Unread(StoreError),
}
