//! What attempts and the dispatcher say to each other.

use std::{sync::Arc, time::Duration};

use tokio::sync::{Notify, mpsc};

use crate::embedder::{EmbedError, Vector};

/// A text to be embedded as a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// What the model is given.
    pub(crate) input: String,
    /// Hash of `input`. Equal texts that are under way together are sent once.
    pub(crate) hash: String,
    /// Length of `input` in the model's tokens.
    pub(crate) tokens: u32,
}

/// An attempt's rank among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RequestRank {
    /// Lower goes first: `embedding_tasks.queue_key`.
    pub(crate) queue_key: i64,
    /// It has failed before: its texts share no request with those of others and are not joined to equal ones under
    /// way, so that no article pays for another.
    pub(crate) alone: bool,
}

/// A request that failed.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) error: EmbedError,
    /// How long the request took, from the moment it was sent.
    pub(crate) took: Duration,
}

/// The result for one text, given by its index among those that an attempt asked for.
pub(super) type Answer = (usize, Result<Vector, Refusal>);

pub(super) enum Message {
    /// An attempt may bring texts soon.
    Entered(u64),
    /// The attempt hands in its texts.
    Asked(Ask),
    /// Send nothing more of what has not been sent for it.
    NoMore(u64),
    /// The attempt has ended.
    Left(u64),
    /// Forget recent answers.
    Forget,
}

pub(super) struct Ask {
    pub(super) id: u64,
    pub(super) rank: RequestRank,
    pub(super) texts: Vec<Arc<Text>>,
    pub(super) reply: mpsc::UnboundedSender<Answer>,
    /// Notified when the first of the texts has had its turn.
    pub(super) begun: Arc<Notify>,
}
