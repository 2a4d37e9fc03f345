//! What came of an attempt. A provider's failure is a value here, never a broken actor.

use std::{collections::HashMap, time::Duration};

use super::{ClaimedTask, Slot};
use crate::{
    embedder::{EmbedError, ErrorKind, Fault, Vector},
    store::StoreError,
};

/// Vectors by the hash of what was embedded.
pub type Vectors = HashMap<String, Vector>;

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

/// A failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What sort.
    pub kind: ErrorKind,
    /// Whose fault.
    pub fault: Fault,
    /// For people.
    pub message: String,
    /// The provider's wish when to come back.
    pub retry_after: Option<Duration>,
}

impl From<EmbedError> for Failure {
    fn from(error: EmbedError) -> Self {
        let EmbedError { kind, fault, message, retry_after } = error;
        Self { kind, fault, message, retry_after }
    }
}

/// All chunks of an article at one revision.
#[derive(Debug)]
pub struct EmbeddedSet {
    /// The revision the chunks were cut from.
    pub revision: i64,
    /// Of the content they were cut from.
    pub content_hash: String,
    /// In the order of the body.
    pub chunks: Vec<EmbeddedChunk>,
}

/// A chunk with its vector.
#[derive(Debug)]
pub struct EmbeddedChunk {
    /// Headings from the outermost to the innermost.
    pub heading_path: String,
    /// The piece of the body.
    pub text: String,
    /// Of the embedded input.
    pub hash: String,
    /// Length of the embedded input.
    pub tokens: u32,
    /// Unit length.
    pub vector: Vector,
}
