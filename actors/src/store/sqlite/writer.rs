//! The single writer of an SQLite database: whoever waits is committed together.
//!
//! Jobs that arrive while a transaction runs share the next one, each in a savepoint of its own, so that one refused
//! save never takes its neighbours along. `BEGIN IMMEDIATE` always: a transaction that reads first and then writes
//! fails under load. A job that was accepted runs to its end even if its caller has gone.
//!
//! Two lanes: what somebody waits for goes first and is committed without the rest, which takes every other turn.

use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use tokio::sync::{mpsc, oneshot};

use super::StoreError;

/// Most jobs in one transaction: bounds how long the first of them waits for the last.
const MAX_JOBS: usize = 64;

/// The queue in front of the one write connection.
#[derive(Clone)]
pub(in crate::store) struct Writer {
    first: Lane,
    behind: Lane,
}

type Lane = mpsc::UnboundedSender<Box<dyn Job>>;
type Inbox = mpsc::UnboundedReceiver<Box<dyn Job>>;

impl Writer {
    /// Starts the writer on `connection`; it ends when the last clone is dropped.
    pub(super) fn start(connection: DatabaseConnection) -> Self {
        let (first, first_inbox) = mpsc::unbounded_channel();
        let (behind, behind_inbox) = mpsc::unbounded_channel();
        tokio::spawn(serve(connection, first_inbox, behind_inbox));
        Self { first, behind }
    }

    /// Runs `body` inside a transaction and answers after the commit.
    pub(in crate::store) async fn write<T, E, F>(&self, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'c> FnOnce(&'c DatabaseTransaction) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        answer(&self.first, body).await
    }

    /// Like [`Writer::write`], for work that nobody waits for.
    pub(in crate::store) async fn write_behind<T, E, F>(&self, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'c> FnOnce(&'c DatabaseTransaction) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        answer(&self.behind, body).await
    }
}

async fn answer<T, E, F>(lane: &Lane, body: F) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: for<'c> FnOnce(&'c DatabaseTransaction) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let gone = || E::from(StoreError::Unreachable("the writer has stopped".to_owned()));
    lane.send(Box::new(TypedJob { body, reply })).map_err(|_| gone())?;
    answer.await.unwrap_or_else(|_| Err(gone()))
}

/// What became of a job's body; the caller hears of it when the transaction has ended.
enum Verdict {
    Keep(Announce),
    Undo(Announce),
}

type Announce = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

trait Job: Send {
    fn run<'c>(self: Box<Self>, transaction: &'c DatabaseTransaction) -> BoxFuture<'c, Verdict>;
    fn refuse(self: Box<Self>, error: StoreError);
}

struct TypedJob<T, E, F> {
    body: F,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for TypedJob<T, E, F>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: for<'c> FnOnce(&'c DatabaseTransaction) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
{
    fn run<'c>(self: Box<Self>, transaction: &'c DatabaseTransaction) -> BoxFuture<'c, Verdict> {
        let Self { body, reply } = *self;
        let work = body(transaction);
        Box::pin(async move {
            let result = work.await;
            let keep = result.is_ok();
            // A caller that has gone needs no answer.
            let announce: Announce = Box::new(move |committed| {
                let _ = reply.send(committed.map_err(E::from).and(result));
            });
            if keep { Verdict::Keep(announce) } else { Verdict::Undo(announce) }
        })
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        let _ = self.reply.send(Err(error.into()));
    }
}

async fn serve(connection: DatabaseConnection, mut first: Inbox, mut behind: Inbox) {
    loop {
        tokio::select! {
            biased;
            Some(job) = first.recv() => {
                commit(&connection, with_those_waiting(job, &mut first)).await;
                // However many saves there are: the rest takes every other turn.
                if let Ok(job) = behind.try_recv() {
                    commit(&connection, with_those_waiting(job, &mut behind)).await;
                }
            }
            Some(job) = behind.recv() => commit(&connection, with_those_waiting(job, &mut behind)).await,
            else => return,
        }
    }
}

fn with_those_waiting(job: Box<dyn Job>, lane: &mut Inbox) -> Vec<Box<dyn Job>> {
    let others = std::iter::from_fn(|| lane.try_recv().ok()).take(MAX_JOBS - 1);
    std::iter::once(job).chain(others).collect()
}

async fn commit(connection: &DatabaseConnection, jobs: Vec<Box<dyn Job>>) {
    let options =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    let transaction = match connection.begin_with_options(options).await {
        Ok(transaction) => transaction,
        Err(error) => {
            let error = StoreError::from(error);
            return jobs.into_iter().for_each(|job| job.refuse(error.clone()));
        }
    };
    let mut waiting = Vec::with_capacity(jobs.len());
    let alone = jobs.len() == 1;
    for job in jobs {
        let kept = if alone { run_alone(job, &transaction).await } else { run_beside(job, &transaction).await };
        waiting.extend(kept);
    }
    // An empty transaction is rolled back: nothing was kept in it.
    let ended = if waiting.is_empty() { transaction.rollback().await } else { transaction.commit().await };
    let ended = ended.map_err(StoreError::from);
    waiting.into_iter().for_each(|announce| announce(ended.clone()));
}

/// The only job of a transaction needs no savepoint: if it fails, the whole transaction is rolled back.
async fn run_alone(job: Box<dyn Job>, transaction: &DatabaseTransaction) -> Option<Announce> {
    match caught(job.run(transaction)).await? {
        Verdict::Keep(announce) => Some(announce),
        Verdict::Undo(announce) => {
            announce(Ok(()));
            None
        }
    }
}

async fn run_beside(job: Box<dyn Job>, transaction: &DatabaseTransaction) -> Option<Announce> {
    let savepoint = match transaction.begin().await {
        Ok(savepoint) => savepoint,
        Err(error) => {
            job.refuse(error.into());
            return None;
        }
    };
    match caught(job.run(&savepoint)).await {
        Some(Verdict::Keep(announce)) => match savepoint.commit().await {
            Ok(()) => Some(announce),
            Err(error) => {
                announce(Err(error.into()));
                None
            }
        },
        Some(Verdict::Undo(announce)) => {
            announce(savepoint.rollback().await.map_err(StoreError::from));
            None
        }
        None => {
            let _ = savepoint.rollback().await;
            None
        }
    }
}

/// A panic in one job must not end the writer; its caller hears that the writer has gone.
async fn caught(work: BoxFuture<'_, Verdict>) -> Option<Verdict> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(verdict) => Some(verdict),
        Err(_) => {
            tracing::error!("a write panicked; it was rolled back");
            None
        }
    }
}
