//! One transaction for the writes that wait: each in a savepoint, one commit, then the answers.
//!
//! A batch is committed, or it is refused: once a savepoint cannot be made, released or rolled back, or SQLite has
//! ended the transaction by itself, every write that ran in it gets the reason as its answer, the connection is
//! replaced, and the writes that had not begun run in a new transaction on the new connection.

use std::{collections::VecDeque, panic::AssertUnwindSafe};

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{SqliteTransactionMode, TransactionOptions, TransactionTrait};

use super::{
    commit_gate::CommitGate,
    in_place::InPlace,
    job::{Announce, Job, JobOutcome},
    savepoints::{SavepointOutcome, Savepoints},
};
use crate::store::{
    StoreError, failure,
    sql::{Connection, Transaction},
};

/// Writes all of `jobs`, in their order, in one transaction unless that is lost.
///
/// # Errors
/// The last failure by which a transaction was lost; the callers of its jobs have got it.
pub(super) async fn write(
    connection: &Connection,
    gate: &CommitGate,
    files: &InPlace,
    jobs: Vec<Box<dyn Job>>,
) -> Result<(), StoreError> {
    let mut jobs = VecDeque::from(jobs);
    let mut ended = Ok(());
    // Each round ends at least one of them.
    while !jobs.is_empty() {
        let batch = AssertUnwindSafe(batch(connection, gate, files, &mut jobs)).catch_unwind().await;
        if let Ok(ended) = &batch {
            connection.outages().note(ended.as_ref().err());
        }
        match batch {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                // Files that are not in place were reported when that was found, and another connection does not help.
                if !matches!(error, StoreError::NotInPlace(_)) {
                    tracing::warn!(%error, "writes were refused; the connection for writing is opened again");
                }
                ended = Err(error);
            }
            // Their callers notice that no answer comes; the writer continues.
            Err(_) => {
                tracing::error!("a batch of writes panicked; it was rolled back");
                gate.distrust();
            }
        }
    }
    ended
}

/// Runs jobs until all have ended or the transaction is lost.
async fn batch(
    connection: &Connection,
    gate: &CommitGate,
    files: &InPlace,
    jobs: &mut VecDeque<Box<dyn Job>>,
) -> Result<(), StoreError> {
    let transaction = match begin(connection, gate, files).await {
        Ok(transaction) => transaction,
        Err(error) => {
            jobs.drain(..).for_each(|job| job.refuse(error.clone()));
            return Err(error);
        }
    };
    let mut announcements = Vec::with_capacity(jobs.len());
    let ran = run_all(&transaction, gate, jobs, &mut announcements).await;
    let ended = match ran {
        Ok(()) => end(transaction, gate, files, announcements.is_empty()).await,
        Err(error) => {
            gate.distrust();
            drop(transaction);
            Err(error)
        }
    };
    announcements.into_iter().for_each(|announce| announce(ended.clone()));
    ended
}

/// Begins a transaction. `BEGIN IMMEDIATE` fails if SQLite has one open already, so its success shows that there was
/// none.
async fn begin(connection: &Connection, gate: &CommitGate, files: &InPlace) -> Result<Transaction, StoreError> {
    files.check()?;
    let options =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    let waiting = connection.outages().waits();
    let begun = connection.inner().begin_with_options(options).await.map(Transaction::of).map_err(StoreError::of);
    drop(waiting);
    match begun {
        Ok(transaction) => {
            gate.shut();
            Ok(transaction)
        }
        Err(error) => {
            // Having to wait for another process does not discredit the connection.
            if error != StoreError::Busy {
                gate.distrust();
            }
            Err(error)
        }
    }
}

async fn run_all(
    transaction: &Transaction,
    gate: &CommitGate,
    jobs: &mut VecDeque<Box<dyn Job>>,
    announcements: &mut Vec<Announce>,
) -> Result<(), StoreError> {
    afterword_faults::point!("save.begun", StoreError::Failed);
    if jobs.len() == 1 {
        if let Some(job) = jobs.pop_front() {
            announcements.extend(run_alone(job, transaction, gate).await?);
        }
    } else {
        run_each(transaction, gate, jobs, announcements).await?;
    }
    afterword_faults::point!("save.ran", StoreError::Failed);
    Ok(())
}

async fn end(transaction: Transaction, gate: &CommitGate, files: &InPlace, is_empty: bool) -> Result<(), StoreError> {
    if !gate.open() {
        gate.distrust();
        return Err(undone());
    }
    let in_place = files.check();
    // An empty transaction is rolled back: there is nothing to keep.
    let ended = if is_empty || in_place.is_err() { transaction.rollback().await } else { transaction.commit().await };
    ended.inspect_err(|_| gate.distrust())?;
    in_place?;
    afterword_faults::point!("save.committed", StoreError::Failed);
    Ok(())
}

/// Runs the only job of a transaction, without a savepoint: if it fails, the whole transaction is rolled back.
async fn run_alone(
    job: Box<dyn Job>,
    transaction: &Transaction,
    gate: &CommitGate,
) -> Result<Option<Announce>, StoreError> {
    let Ran { outcome, cause } = run(job, transaction).await;
    match outcome {
        Some(JobOutcome::Keep(announce) | JobOutcome::Undo(announce)) if gate.is_lost() => Err(lost(announce, cause)),
        Some(JobOutcome::Keep(announce)) => match transaction.settle().await {
            Ok(()) => Ok(Some(announce)),
            Err(error) if gate.is_lost() => Err(lost(announce, Some(error))),
            Err(error) => {
                announce(Err(error));
                Ok(None)
            }
        },
        Some(JobOutcome::Undo(announce)) => {
            announce(Ok(()));
            Ok(None)
        }
        None => Ok(None),
    }
}

/// Runs each job in a savepoint of its own; the commit ends the last.
async fn run_each(
    transaction: &Transaction,
    gate: &CommitGate,
    jobs: &mut VecDeque<Box<dyn Job>>,
    announcements: &mut Vec<Announce>,
) -> Result<(), StoreError> {
    let mut savepoints = Savepoints::begin(transaction);
    while let Some(job) = jobs.pop_front() {
        let Ran { outcome, cause } = run(job, transaction).await;
        match outcome {
            Some(JobOutcome::Keep(announce) | JobOutcome::Undo(announce)) if gate.is_lost() => {
                return Err(lost(announce, cause));
            }
            Some(JobOutcome::Keep(announce)) => match savepoints.keep().await {
                Ok(SavepointOutcome::Whole) => announcements.push(announce),
                Ok(SavepointOutcome::Undone(error)) => announce(Err(error)),
                Err(error) => return Err(lost(announce, Some(error))),
            },
            Some(JobOutcome::Undo(announce)) => match savepoints.undo().await {
                Ok(()) => announce(Ok(())),
                Err(error) => return Err(lost(announce, cause.filter(StoreError::is_outage).or(Some(error)))),
            },
            None => savepoints.undo().await.map_err(|error| cause.unwrap_or(error))?,
        }
    }
    Ok(())
}

fn lost(announce: Announce, cause: Option<StoreError>) -> StoreError {
    let error = cause.filter(StoreError::is_outage).unwrap_or_else(undone);
    announce(Err(error.clone()));
    error
}

fn undone() -> StoreError {
    StoreError::Failed("SQLite has undone the transaction by itself; nothing was saved, try again".to_owned())
}

/// How a job's body ended; `None` if it panicked: its caller then notices that no answer comes.
struct Ran {
    outcome: Option<JobOutcome>,
    /// How the database failed inside it: the reason, if the transaction is lost.
    cause: Option<StoreError>,
}

/// Runs one job; its panic does not end the writer.
async fn run(job: Box<dyn Job>, transaction: &Transaction) -> Ran {
    let (outcome, cause) = failure::observed(caught(job.run(transaction))).await;
    Ran { outcome, cause }
}

async fn caught(work: BoxFuture<'_, JobOutcome>) -> Option<JobOutcome> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(outcome) => Some(outcome),
        Err(_) => {
            tracing::error!("a write panicked; it was rolled back");
            None
        }
    }
}
