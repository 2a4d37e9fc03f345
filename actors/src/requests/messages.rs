//! What attempts and the desk say to each other.

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc;

use crate::embedder::{EmbedError, Vector};

/// A text to be embedded as a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// What the model is given.
    pub(crate) input: String,
    /// Of `input`. Equal texts that are under way together are sent once.
    pub(crate) hash: String,
    /// Length of `input` in the model's tokens.
    pub(crate) tokens: u32,
}

/// How an attempt stands among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Standing {
    /// Lower goes first: `embedding_tasks.queue_key`.
    pub(crate) queue_key: i64,
    /// Its texts share no request with those of others, nor a text that is under way: it has failed before, and none is to
    /// pay for another.
    pub(crate) alone: bool,
}

/// A request that failed.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) error: EmbedError,
    /// How long the request took.
    pub(crate) took: Duration,
}

/// What became of one text, given by its place among those that an attempt asked for.
pub(super) type Answer = (usize, Result<Vector, Refusal>);

pub(super) enum Message {
    /// An attempt may bring texts soon.
    Entered(u64),
    /// It has brought them.
    Asked(Ask),
    /// What has not been sent for it is not to be sent any more.
    NoMore(u64),
    /// It is gone.
    Left(u64),
    /// What has been answered is not to be used again.
    Forget,
}

pub(super) struct Ask {
    pub(super) id: u64,
    pub(super) standing: Standing,
    pub(super) texts: Vec<Arc<Text>>,
    pub(super) reply: mpsc::UnboundedSender<Answer>,
}
