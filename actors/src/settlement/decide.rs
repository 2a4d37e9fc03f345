//! What an outcome means for its task. Pure: no database, no clock.

use std::time::Duration;

use crate::{
    backoff,
    circuit::MAX_RETRY_AFTER,
    embedder::{EmbedError, ErrorKind, Fault},
    outcome::Outcome,
    settings::Delays,
    store::{StoreError, settle::Next},
    task::{ClaimedTask, EmbeddedSet, Failure, Operation},
};

/// An attempt with a decided consequence that is not committed yet.
#[derive(Debug)]
pub(crate) struct DecidedAttempt {
    pub(crate) task: ClaimedTask,
    pub(crate) elapsed: Duration,
    pub(crate) write: Write,
    pub(crate) next: Next,
    pub(crate) cause: &'static str,
    pub(crate) error: Option<(ErrorKind, String)>,
}

/// What is written besides the task's state.
#[derive(Debug)]
pub(crate) enum Write {
    /// These vectors.
    Store(EmbeddedSet),
    /// That the stored vectors are valid for this revision too.
    Confirm(i64),
    /// The removal of the vectors, if the article is to have none.
    Remove,
    /// Nothing.
    Nothing,
}

/// What to do with an ended attempt.
#[derive(Debug)]
pub(crate) enum Decision {
    /// Commit this.
    Commit(DecidedAttempt),
    /// First find out whether the document or the provider is to blame.
    Ask(ClaimedTask, Duration, Failure),
}

/// Decides; a document that fails is delayed by `retry`.
pub(crate) fn decide(task: ClaimedTask, elapsed: Duration, outcome: Outcome, retry: Delays) -> Decision {
    let commit = |task: ClaimedTask, write, next, cause| {
        Decision::Commit(DecidedAttempt { task, elapsed, write, next, cause, error: None })
    };
    match outcome {
        Outcome::Embedded(set) => commit(task, Write::Store(set), Next::Completed, "completed"),
        Outcome::Unchanged { revision } => commit(task, Write::Confirm(revision), Next::Completed, "completed"),
        Outcome::Discard { cause } if task.operation == Operation::Delete => {
            commit(task, Write::Remove, Next::Completed, cause)
        }
        Outcome::Discard { cause } => commit(task, Write::Nothing, Next::Cancelled, cause),
        Outcome::Failed(failure) => match failure.fault {
            Fault::Document => Decision::Commit(blamed(task, elapsed, failure, retry)),
            Fault::Provider | Fault::Unclear => Decision::Ask(task, elapsed, failure),
        },
        Outcome::Unread(error) => Decision::Commit(unread(task, elapsed, error, retry)),
    }
}

/// The document pays: its attempt counts.
pub(crate) fn blamed(task: ClaimedTask, elapsed: Duration, failure: Failure, retry: Delays) -> DecidedAttempt {
    let next = match failure.kind {
        // The same text would fail the same way.
        ErrorKind::Data => Next::Failed,
        ErrorKind::Transient | ErrorKind::Config | ErrorKind::Resource | ErrorKind::Crashed => {
            let requested = failure.retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
            Next::Retry { delay: backoff::delay_after(task.attempt, retry).max(requested) }
        }
    };
    let error = Some((failure.kind, failure.message));
    DecidedAttempt { task, elapsed, write: Write::Nothing, next, cause: "retry scheduled", error }
}

/// The provider pays: the attempt does not count, and the circuit decides when claiming continues.
pub(crate) fn refunded(task: ClaimedTask, elapsed: Duration, failure: Failure) -> DecidedAttempt {
    let next = Next::Refund { delay: Duration::ZERO };
    let error = Some((failure.kind, failure.message));
    DecidedAttempt { task, elapsed, write: Write::Nothing, next, cause: "provider failed", error }
}

/// The failure of an attempt with vectors of another length than those of its set, if a probe shows that other vectors
/// have not. A first attempt may have shared its request; a later one was alone.
pub(crate) fn odd_length(task: &ClaimedTask, answered: u32, stored: u32) -> Failure {
    let message = format!(
        "the provider answers vectors of {answered} numbers for this text, and of {stored} for others; change the \
         text, or ask the operator of the provider"
    );
    let kind = if task.attempt > 1 { ErrorKind::Data } else { ErrorKind::Transient };
    Failure { kind, fault: Fault::Unclear, message, retry_after: None }
}

/// Neither pays yet: a part of the document is done and kept, and the next attempt continues after it.
pub(crate) fn continued(task: ClaimedTask, elapsed: Duration, failure: Failure, retry: Delays) -> DecidedAttempt {
    let next = Next::Refund { delay: backoff::delay_after(task.attempt, retry) };
    let error = Some((failure.kind, failure.message));
    DecidedAttempt { task, elapsed, write: Write::Nothing, next, cause: "partly embedded", error }
}

/// Neither pays: the task reached no worker, or its worker was taken away.
pub(crate) fn returned(task: ClaimedTask) -> DecidedAttempt {
    let next = Next::Refund { delay: Duration::ZERO };
    DecidedAttempt { task, elapsed: Duration::ZERO, write: Write::Nothing, next, cause: "released", error: None }
}

/// The database pays if it fails as a whole; a row that cannot be read fails after its attempts.
fn unread(task: ClaimedTask, elapsed: Duration, error: StoreError, retry: Delays) -> DecidedAttempt {
    let message = format!("the article cannot be read: {error}");
    if error.is_of_the_database() {
        let next = Next::Refund { delay: backoff::delay_after(task.attempt, retry) };
        let error = Some((ErrorKind::Transient, message));
        return DecidedAttempt { task, elapsed, write: Write::Nothing, next, cause: "database failed", error };
    }
    blamed(task, elapsed, EmbedError::resource(message).into(), retry)
}

/// The database refuses only what this attempt would write: its document pays.
pub(crate) fn unwritable(decided: &DecidedAttempt, error: &StoreError, retry: Delays) -> DecidedAttempt {
    let failure = EmbedError::resource(format!("the vectors cannot be stored: {error}"));
    blamed(decided.task.clone(), decided.elapsed, failure.into(), retry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::tests::claimed_at;

    const RETRY: Delays = Delays { base: Duration::from_secs(1), max: Duration::from_secs(300) };

    #[test]
    fn no_wish_makes_a_task_wait_longer_than_an_hour() {
        let failure = EmbedError::transient("503").retry_after(Some(Duration::MAX));
        let decided = blamed(claimed_at(1), Duration::ZERO, failure.into(), RETRY);
        assert_eq!(decided.next, Next::Retry { delay: MAX_RETRY_AFTER });
    }

    #[test]
    fn a_database_that_is_away_costs_no_attempt_and_a_row_that_is_broken_does() {
        let next = |error| unread(claimed_at(1), Duration::ZERO, error, RETRY).next;
        assert!(matches!(next(StoreError::Busy), Next::Refund { .. }));
        assert!(matches!(next(StoreError::Failed("not UTF-8".into())), Next::Retry { .. }));
    }
}
