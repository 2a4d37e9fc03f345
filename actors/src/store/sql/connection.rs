//! Where statements run: on a pool of connections, or in a transaction.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::BoxFuture;
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, TransactionTrait};

use super::{
    deferred::DeferredStatements,
    driver::{self, Driver},
    sealed::Sealed,
};
use crate::store::{Engine, StoreError, outages::Outages};

/// A pool of connections. Cheap to clone; clones share it.
#[derive(Debug, Clone)]
pub struct Connection {
    pool: DatabaseConnection,
    /// What became of the last statements.
    outages: Outages,
    /// Who knows why no connection came free; `None` where the pool's own word is all there is.
    server: Option<Arc<dyn Refusals>>,
}

/// Finds out why there was no connection.
pub(in crate::store) trait Refusals: fmt::Debug + Send + Sync {
    /// Returns the reason; `waited`, which is what the pool says, if there is no other.
    fn why_no_connection(&self, waited: StoreError) -> BoxFuture<'_, StoreError>;
}

impl Connection {
    /// Opens a connection to a database that is not the program's own, to read from it or to look after it. One's own
    /// is opened by [`crate::store::Database::open`], which checks and prepares it.
    ///
    /// # Errors
    /// [`StoreError`] if the address is not understood or the database does not answer.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let mut options = ConnectOptions::new(url);
        // One, so that what it is told once holds for all that follows.
        options.max_connections(1).min_connections(1).sqlx_logging(false);
        sea_orm::Database::connect(options).await.map(Self::of).map_err(StoreError::of)
    }

    pub(in crate::store) fn of(pool: DatabaseConnection) -> Self {
        Self { pool, outages: Outages::default(), server: None }
    }

    /// The same, of a server that is asked why it gives no connection.
    pub(in crate::store) fn to(self, server: Arc<dyn Refusals>) -> Self {
        Self { server: Some(server), ..self }
    }

    pub(crate) fn inner(&self) -> &DatabaseConnection {
        &self.pool
    }

    /// What has kept it from its work lately.
    pub(in crate::store) fn outages(&self) -> &Outages {
        &self.outages
    }

    /// Records how a piece of work on it has ended, and explains why there was no connection.
    pub(in crate::store) async fn noted<T>(&self, ended: Result<T, StoreError>) -> Result<T, StoreError> {
        let ended = match (ended, &self.server) {
            (Err(error @ StoreError::NoConnection(_)), Some(server)) => Err(server.why_no_connection(error).await),
            (ended, _) => ended,
        };
        self.outages.note(ended.as_ref().err());
        ended
    }

    /// Begins a transaction on one of the connections; dropping it rolls it back. For queries that belong together:
    /// what is saved goes through [`crate::store::Database::write`].
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        self.noted(self.pool.begin().await.map(Transaction::of).map_err(StoreError::of)).await
    }

    /// Runs statements without parameters, separated by `;`. Nothing in braces is replaced, and no time limit is set.
    ///
    /// # Errors
    /// [`StoreError`]; the statements before the one that failed have been run.
    pub async fn script(&self, sql: &str) -> Result<(), StoreError> {
        self.pool.execute_unprepared(sql).await.map(drop).map_err(StoreError::of)
    }

    /// Closes all connections of the pool, for its clones too.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn close(self) -> Result<(), StoreError> {
        self.pool.close().await.map_err(StoreError::of)
    }
}

impl Sealed for Connection {}

impl Driver for Connection {
    type Inner = DatabaseConnection;

    fn inner(&self) -> &DatabaseConnection {
        &self.pool
    }

    fn waiting(&self) -> Option<MutexGuard<'_, DeferredStatements>> {
        None
    }

    async fn noted<T: Send>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        Self::noted(self, answer).await
    }
}

/// An open transaction.
#[derive(Debug)]
pub struct Transaction {
    inner: DatabaseTransaction,
    later: Mutex<DeferredStatements>,
}

impl Transaction {
    pub(in crate::store) fn of(inner: DatabaseTransaction) -> Self {
        Self { inner, later: Mutex::default() }
    }

    /// Makes what was written in it permanent.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn commit(self) -> Result<(), StoreError> {
        self.settle().await?;
        self.inner.commit().await.map_err(StoreError::of)
    }

    /// Undoes what was written in it.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn rollback(self) -> Result<(), StoreError> {
        self.inner.rollback().await.map_err(StoreError::of)
    }

    /// Sends what was to be written later.
    ///
    /// # Errors
    /// [`StoreError`], also if something that was sent before has failed.
    pub(in crate::store) async fn settle(&self) -> Result<(), StoreError> {
        if self.has_later() {
            driver::send_waiting(self).await?;
        }
        self.failed()
    }

    /// Whether something that was to be written later has failed: nothing of what it belongs to can be kept.
    pub(in crate::store) fn failed(&self) -> Result<(), StoreError> {
        self.lock().failed()
    }

    /// Begins or ends savepoints, together with the next statement.
    pub(in crate::store) fn control_later(&self, sql: &str) {
        self.lock().add_control(sql);
    }

    /// Begins or ends savepoints now, and writes what waits before.
    pub(in crate::store) async fn control(&self, sql: &str) -> Result<(), StoreError> {
        self.control_later(sql);
        driver::send_waiting(self).await
    }

    /// Forgets what was to be written later: it belongs to what is undone.
    pub(in crate::store) fn forget_later(&self) {
        self.lock().forget();
    }

    /// Whether statements wait to be sent.
    pub(in crate::store) fn has_later(&self) -> bool {
        self.lock().writes()
    }

    /// How often something was sent.
    pub(in crate::store) fn journeys(&self) -> u64 {
        self.lock().journeys()
    }

    fn lock(&self) -> MutexGuard<'_, DeferredStatements> {
        self.later.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sealed for Transaction {}

impl Driver for Transaction {
    type Inner = DatabaseTransaction;

    fn inner(&self) -> &DatabaseTransaction {
        &self.inner
    }

    fn waiting(&self) -> Option<MutexGuard<'_, DeferredStatements>> {
        // A statement for PostgreSQL goes alone: its protocol has no other way.
        (driver::engine(self) == Engine::Sqlite).then(|| self.lock())
    }

    /// How it ends is recorded as a whole.
    async fn noted<T: Send>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        answer
    }
}

/// What runs in the transaction of a write: any `async` closure whose future may be sent to another thread.
///
/// A bound by `AsyncFnOnce` cannot say the latter, and one by this trait alone leaves the type of the argument open.
pub trait WriteBody<'c, T, E>: FnOnce(&'c Transaction) -> Self::Future + Send + 'static {
    /// What the closure returns.
    type Future: Future<Output = Result<T, E>> + Send + 'c;
}

impl<'c, T, E, F, R> WriteBody<'c, T, E> for F
where
    F: FnOnce(&'c Transaction) -> R + Send + 'static,
    R: Future<Output = Result<T, E>> + Send + 'c,
{
    type Future = R;
}
