//! Why an attempt failed.

use std::time::Duration;

use crate::embedder::{EmbedError, ErrorKind, Fault};

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
