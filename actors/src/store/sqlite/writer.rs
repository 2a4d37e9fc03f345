//! The single writer of an SQLite database: waiting writes are committed together.
//!
//! Jobs that arrive while a transaction runs share the next one, each in a savepoint of its own, so that one refused
//! save never takes its neighbours along. Always `BEGIN IMMEDIATE`: a transaction that reads first and then writes
//! fails under load. An accepted job runs to its end even if its caller is gone.
//!
//! Two lanes: jobs that a caller waits for go first and are committed without the others, which take every other turn.

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use super::{
    StoreError, batch,
    commit_gate::CommitGate,
    in_place::InPlace,
    job::{Job, TypedJob},
    log::Log,
};
use crate::store::sql::{Connection, Transaction};

/// Most jobs in one transaction: bounds how long the first of them waits for the last.
const MAX_JOBS: usize = 64;

/// The queue in front of the one write connection.
#[derive(Clone)]
pub(in crate::store) struct Writer {
    first: Lane,
    behind: Lane,
    /// The jobs that are not answered yet.
    accepted: TaskTracker,
}

type Lane = mpsc::UnboundedSender<Box<dyn Job>>;
type Inbox = mpsc::UnboundedReceiver<Box<dyn Job>>;

impl Writer {
    /// Starts the writer on `connection`, which `gate` watches; it ends when the last clone is dropped.
    pub(super) fn start(connection: Connection, gate: CommitGate, log: Log, files: InPlace) -> Self {
        let (first, first_inbox) = mpsc::unbounded_channel();
        let (behind, behind_inbox) = mpsc::unbounded_channel();
        tokio::spawn(serve(WriteTarget { connection, gate, files }, log, first_inbox, behind_inbox));
        Self { first, behind, accepted: TaskTracker::new() }
    }

    /// Runs `body` inside a transaction and returns after the commit.
    pub(in crate::store) async fn write<T, E, F>(&self, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'c> FnOnce(&'c Transaction) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        self.answer(&self.first, body).await
    }

    /// Like [`Writer::write`], for work that no caller waits for.
    pub(in crate::store) async fn write_behind<T, E, F>(&self, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'c> FnOnce(&'c Transaction) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        self.answer(&self.behind, body).await
    }

    /// Accepts no further jobs, and waits until all accepted ones are answered.
    pub(super) async fn drain(&self) {
        self.accepted.close();
        self.accepted.wait().await;
    }

    async fn answer<T, E, F>(&self, lane: &Lane, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'c> FnOnce(&'c Transaction) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let gone = || E::from(StoreError::Unreachable("the writer has stopped".to_owned()));
        if self.accepted.is_closed() {
            return Err(gone());
        }
        let job = TypedJob { body, reply, accepted: self.accepted.token() };
        lane.send(Box::new(job)).map_err(|_| gone())?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}

/// Where the writer writes.
struct WriteTarget {
    connection: Connection,
    gate: CommitGate,
    files: InPlace,
}

impl WriteTarget {
    /// Returns whether the disk was full.
    async fn write(&self, jobs: Vec<Box<dyn Job>>) -> bool {
        batch::write(&self.connection, &self.gate, &self.files, jobs).await == Err(StoreError::DiskFull)
    }
}

async fn serve(place: WriteTarget, mut log: Log, mut first: Inbox, mut behind: Inbox) {
    loop {
        let disk_was_full = tokio::select! {
            biased;
            Some(job) = first.recv() => {
                let was_full = place.write(with_those_waiting(job, &mut first)).await;
                // However many saves there are, the other lane takes every other turn.
                match behind.try_recv() {
                    Ok(job) => place.write(with_those_waiting(job, &mut behind)).await || was_full,
                    Err(_) => was_full,
                }
            }
            Some(job) = behind.recv() => place.write(with_those_waiting(job, &mut behind)).await,
            else => return,
        };
        // They were looked at before the commit. Another look may come when the connections are closed already, and find
        // missing what SQLite removes with the last of them.
        if place.files.lost().is_none() {
            log.keep_short(&place.connection, disk_was_full).await;
        }
    }
}

fn with_those_waiting(job: Box<dyn Job>, lane: &mut Inbox) -> Vec<Box<dyn Job>> {
    let others = std::iter::from_fn(|| lane.try_recv().ok()).take(MAX_JOBS - 1);
    std::iter::once(job).chain(others).collect()
}
