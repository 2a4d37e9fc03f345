//! Where statements run: on a pool of connections, or in a transaction.

use futures_util::future::BoxFuture;
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, TransactionTrait};

use super::{driver::Driver, sealed::Sealed};
use crate::store::StoreError;

/// A pool of connections. Cheap to clone; clones share it.
#[derive(Debug, Clone)]
pub struct Connection(DatabaseConnection);

impl Connection {
    /// Opens a connection to a database that is not the program's own, to read from it or to look after it. One's own is
    /// opened by [`crate::store::Database::open`], which checks and prepares it.
    ///
    /// # Errors
    /// [`StoreError`] if the address is not understood or the database does not answer.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let mut options = ConnectOptions::new(url);
        // One, so that what it is told once holds for all that follows.
        options.max_connections(1).min_connections(1).sqlx_logging(false);
        sea_orm::Database::connect(options).await.map(Self).map_err(StoreError::of)
    }

    pub(in crate::store) fn of(inner: DatabaseConnection) -> Self {
        Self(inner)
    }

    pub(crate) fn inner(&self) -> &DatabaseConnection {
        &self.0
    }

    /// Begins a transaction on one of the connections; dropping it rolls it back. For queries that belong together:
    /// what is saved goes through [`crate::store::Database::write`].
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        self.0.begin().await.map(Transaction).map_err(StoreError::of)
    }

    /// Runs statements without parameters, separated by `;`. Nothing in braces is replaced, and no time limit is set.
    ///
    /// # Errors
    /// [`StoreError`]; the statements before the one that failed have been run.
    pub async fn script(&self, sql: &str) -> Result<(), StoreError> {
        self.0.execute_unprepared(sql).await.map(drop).map_err(StoreError::of)
    }

    /// Closes all connections of the pool, for its clones too.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn close(self) -> Result<(), StoreError> {
        self.0.close().await.map_err(StoreError::of)
    }
}

impl Sealed for Connection {}

impl Driver for Connection {
    type Inner = DatabaseConnection;

    fn inner(&self) -> &DatabaseConnection {
        &self.0
    }
}

/// An open transaction.
#[derive(Debug)]
pub struct Transaction(DatabaseTransaction);

impl Transaction {
    pub(in crate::store) fn of(inner: DatabaseTransaction) -> Self {
        Self(inner)
    }

    /// Runs statements on savepoints, separated by `;`. They are ended by the commit at the latest.
    pub(in crate::store) async fn control(&self, sql: &'static str) -> Result<(), StoreError> {
        self.0.execute_unprepared(sql).await.map(drop).map_err(StoreError::of)
    }

    /// Makes what was written in it permanent.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn commit(self) -> Result<(), StoreError> {
        self.0.commit().await.map_err(StoreError::of)
    }

    /// Undoes what was written in it.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn rollback(self) -> Result<(), StoreError> {
        self.0.rollback().await.map_err(StoreError::of)
    }
}

impl Sealed for Transaction {}

impl Driver for Transaction {
    type Inner = DatabaseTransaction;

    fn inner(&self) -> &DatabaseTransaction {
        &self.0
    }
}

/// What the body of a write returns.
pub type WriteFuture<'c, T, E> = BoxFuture<'c, Result<T, E>>;
