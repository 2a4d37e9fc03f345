//! What keeps a runtime from its work, as data: programs match variants and never read text. `Display` says it to
//! people in one sentence.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::embedder::ErrorKind;

/// One reason why tasks wait. All times are durations up to the moment of the report, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trouble {
    /// The embedding provider as a whole fails: nothing is claimed.
    Provider {
        /// What sort of failure it is.
        kind: ErrorKind,
        /// What failed and what to do about it.
        message: String,
        /// How long it has failed. *Units:* milliseconds.
        open_ms: u64,
        /// Until it is probed again. *Units:* milliseconds.
        next_probe_ms: u64,
    },
    /// The provider of the set in use fails, which is not that of this host's own model: what belongs to that set
    /// waits.
    ProviderInUse {
        /// The model of that set.
        model: String,
        /// What sort of failure it is.
        kind: ErrorKind,
        /// What failed and what to do about it.
        message: String,
        /// How long it has failed. *Units:* milliseconds.
        open_ms: u64,
        /// Until it is tried again. *Units:* milliseconds.
        next_try_ms: u64,
    },
    /// The database does not carry out commits.
    Database {
        /// Its error.
        message: String,
        /// How long it has failed. *Units:* milliseconds.
        for_ms: u64,
    },
    /// The model is being fetched or loaded: tasks wait for it, and nothing is wrong.
    Loading {
        /// The progress.
        message: String,
    },
    /// The model cannot be used.
    Model {
        /// The reason.
        message: String,
    },
    /// The model of this host makes none of the sets of vectors that are wanted: nothing is claimed.
    Unwanted {
        /// Which ones are wanted, and what to do.
        message: String,
    },
    /// This host works for the set in use, which was made with other settings than its own: no task waits.
    NotInEffect {
        /// Which model is in use, and what to do.
        message: String,
    },
    /// Fewer workers are known to the queue than there are slots.
    Slots {
        /// Slots that have a worker.
        filled: u32,
        /// Slots there should be.
        wanted: u32,
        /// How long it has been so. *Units:* milliseconds.
        for_ms: u64,
    },
}

impl Trouble {
    /// Whether this is no fault: a stage of a normal start, or something that should be known and keeps no task
    /// waiting.
    pub fn is_no_fault(&self) -> bool {
        matches!(self, Self::Loading { .. } | Self::NotInEffect { .. })
    }

    /// Whether tasks wait because of this: with some slots left, or for a model of other settings, a host goes on.
    pub fn keeps_waiting(&self) -> bool {
        !matches!(self, Self::NotInEffect { .. } | Self::Slots { filled: 1.., .. })
    }

    /// Whether this is the same trouble as `other`, whatever their durations.
    pub fn is_still(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Provider { kind, message, .. }, Self::Provider { kind: other, message: said, .. }) => {
                kind == other && message == said
            }
            (Self::ProviderInUse { kind, message, .. }, Self::ProviderInUse { kind: other, message: said, .. }) => {
                kind == other && message == said
            }
            (Self::Database { message, .. }, Self::Database { message: said, .. }) => message == said,
            (Self::Loading { .. }, Self::Loading { .. }) => true,
            (same, other) => same == other,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider { kind, message, next_probe_ms, .. } => {
                let seconds = next_probe_ms.div_ceil(1000);
                write!(f, "the embedding provider fails ({kind}): {message}; next probe in {seconds} s")
            }
            Self::ProviderInUse { model, kind, message, next_try_ms, .. } => {
                let seconds = next_try_ms.div_ceil(1000);
                write!(
                    f,
                    "the provider of {model}, whose vectors are in use, fails ({kind}): {message}; what is saved waits \
                     for it, next try in {seconds} s"
                )
            }
            Self::Database { message, .. }
            | Self::Model { message }
            | Self::Unwanted { message }
            | Self::NotInEffect { message } => f.write_str(message),
            Self::Loading { message } => write!(f, "loading the model: {message}"),
            Self::Slots { filled: 0, wanted, .. } => write!(
                f,
                "0 of {wanted} worker slots have a worker, so nothing is embedded; if this lasts, restart this host"
            ),
            Self::Slots { filled, wanted, .. } => write!(f, "{filled} of {wanted} worker slots have a worker"),
        }
    }
}
