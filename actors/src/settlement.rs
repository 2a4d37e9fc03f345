//! From an ended attempt to the rows: what its outcome means for its task, and the commit that records it.
//!
//! `pipeline → settlement → store`. Used by the QueueActor and by saves that embed inside the call; knows neither.

mod apply;
mod decide;

use std::sync::Arc;

pub(crate) use apply::{Applied, WrongLength, apply};
pub(crate) use decide::{
    Decided, Decision, Write, blamed, continued, decide, odd_length, refunded, returned, unwritable,
};

/// A decided attempt, ready to be committed.
#[derive(Debug, Clone)]
pub(crate) struct Gathered {
    pub(crate) decided: Arc<Decided>,
    /// A commit that contained it has failed: it may be ended already.
    pub(crate) in_doubt: bool,
}

impl From<Decided> for Gathered {
    fn from(decided: Decided) -> Self {
        Self { decided: Arc::new(decided), in_doubt: false }
    }
}
