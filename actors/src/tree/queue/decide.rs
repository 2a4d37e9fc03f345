//! What an outcome means for its task. Pure: no database, no clock but the circuit's.

use std::time::Duration;

use crate::{
    backoff,
    embedder::{EmbedError, ErrorKind, Fault},
    settings::Delays,
    store::settle::Next,
    task::{ClaimedTask, EmbeddedSet, Failure, Finished, Operation, Outcome},
};

/// An attempt whose consequence is known and not yet committed.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) task: ClaimedTask,
    pub(crate) elapsed: Duration,
    pub(crate) write: Write,
    pub(crate) next: Next,
    pub(crate) cause: &'static str,
    pub(crate) error: Option<(ErrorKind, String)>,
}

/// What is written beside the task's state.
#[derive(Debug)]
pub(crate) enum Write {
    /// These vectors.
    Store(EmbeddedSet),
    /// That the stored vectors hold for this revision too.
    Confirm(i64),
    /// No vectors any more, if the article wants none.
    Remove,
    /// Nothing.
    Nothing,
}

/// What to do with an ended attempt.
#[derive(Debug)]
pub(crate) enum Decision {
    /// Commit this.
    Commit(Decided),
    /// The provider as a whole failed: commit this, and open the circuit.
    Trip(Decided, EmbedError),
    /// Ask the provider first whether it or the document is to blame.
    Probe(Finished, Failure),
}

/// Decides, giving documents their delays from `retry`.
pub(crate) fn decide(finished: Finished, retry: Delays) -> Decision {
    let Finished { task, outcome, elapsed } = finished;
    let commit = |task: ClaimedTask, write, next, cause| {
        Decision::Commit(Decided { task, elapsed, write, next, cause, error: None })
    };
    match outcome {
        Outcome::Embedded(set) => commit(task, Write::Store(set), Next::Completed, "completed"),
        Outcome::Unchanged { revision } => commit(task, Write::Confirm(revision), Next::Completed, "completed"),
        Outcome::Discard { cause } if task.operation == Operation::Delete => {
            commit(task, Write::Remove, Next::Completed, cause)
        }
        Outcome::Discard { cause } => commit(task, Write::Nothing, Next::Cancelled, cause),
        Outcome::Failed(failure) => match failure.fault {
            Fault::Provider => {
                let error = as_error(&failure);
                Decision::Trip(refunded(task, elapsed, failure), error)
            }
            Fault::Document => Decision::Commit(blamed(task, elapsed, failure, retry)),
            Fault::Unclear => {
                let outcome = Outcome::Failed(failure.clone());
                Decision::Probe(Finished { task, outcome, elapsed }, failure)
            }
        },
    }
}

/// The document pays: its attempt is spent.
pub(crate) fn blamed(task: ClaimedTask, elapsed: Duration, failure: Failure, retry: Delays) -> Decided {
    let next = match failure.kind {
        // The same text would fail the same way.
        ErrorKind::Data | ErrorKind::Config => Next::Failed,
        ErrorKind::Transient | ErrorKind::Resource | ErrorKind::Crashed => {
            let delay = backoff::delay_after(task.attempt, retry);
            Next::Retry { delay: delay.max(failure.retry_after.unwrap_or_default()) }
        }
    };
    let error = Some((failure.kind, failure.message));
    Decided { task, elapsed, write: Write::Nothing, next, cause: "retry scheduled", error }
}

/// The provider pays: the attempt is given back, and the circuit decides when claiming goes on.
pub(crate) fn refunded(task: ClaimedTask, elapsed: Duration, failure: Failure) -> Decided {
    let next = Next::Refund { delay: Duration::ZERO };
    let error = Some((failure.kind, failure.message));
    Decided { task, elapsed, write: Write::Nothing, next, cause: "provider failed", error }
}

/// Nobody pays: the task reached no worker.
pub(crate) fn returned(task: ClaimedTask) -> Decided {
    let next = Next::Refund { delay: Duration::ZERO };
    Decided { task, elapsed: Duration::ZERO, write: Write::Nothing, next, cause: "released", error: None }
}

fn as_error(failure: &Failure) -> EmbedError {
    let Failure { kind, fault, message, retry_after } = failure.clone();
    EmbedError { kind, fault, message, retry_after }
}
