//! Why an attempt failed.

use std::time::Duration;

use crate::embedder::{EmbedError, ErrorKind, Fault};

/// A failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The sort of failure.
    pub kind: ErrorKind,
    /// What is to blame.
    pub fault: Fault,
    /// For people.
    pub message: String,
    /// How long the provider asks to be left alone.
    pub retry_after: Option<Duration>,
}

impl From<EmbedError> for Failure {
    fn from(error: EmbedError) -> Self {
        let EmbedError { kind, fault, message, retry_after, .. } = error;
        Self { kind, fault, message, retry_after }
    }
}
