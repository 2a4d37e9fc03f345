//! From an ended attempt to the rows: what its outcome means for its task, and the commit that records it.
//!
//! `pipeline → settlement → store`. Used by the QueueActor and by saves that embed inside the call; knows neither.

mod apply;
mod decide;

use std::sync::Arc;

pub(crate) use apply::{CommitResult, WrongLength, apply};
pub(crate) use decide::{
    DecidedAttempt, Decision, Write, blamed, continued, decide, odd_length, refunded, returned, unwritable,
};

/// A decided attempt, ready to be committed.
#[derive(Debug, Clone)]
pub(crate) struct CommitItem {
    pub(crate) decided: Arc<DecidedAttempt>,
    /// A commit that contained it has failed: it may be ended already.
    pub(crate) in_doubt: bool,
}

impl From<DecidedAttempt> for CommitItem {
    fn from(decided: DecidedAttempt) -> Self {
        Self { decided: Arc::new(decided), in_doubt: false }
    }
}
