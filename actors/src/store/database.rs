//! The handle to a database: many readers, one writer.

use std::{path::Path, sync::Arc};

use futures_util::future::BoxFuture;
use sea_orm::{DatabaseConnection, DatabaseTransaction};

use super::{
    OpenError, OpenOptions, StoreError,
    open::{self, Parts},
};

/// An open transaction.
pub type Transaction = DatabaseTransaction;

/// What the body of a write returns.
pub type WriteFuture<'c, T, E> = BoxFuture<'c, Result<T, E>>;

/// A database shared by article saves, the runtime and searches. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    parts: Arc<Parts>,
}

impl Database {
    /// Opens the database, creating file and folder if needed. The schema is left as it is.
    ///
    /// # Errors
    /// [`OpenError`] if the address is not understood or the file cannot be used.
    pub async fn open(options: &OpenOptions) -> Result<Self, OpenError> {
        Ok(Self { parts: Arc::new(open::open(options).await?) })
    }

    /// For queries. Never write through it: writers queue up behind [`Database::write`].
    pub fn reader(&self) -> &DatabaseConnection {
        &self.parts.read
    }

    /// For what must not run inside a transaction: migrations and maintenance by the operator.
    pub fn write_connection(&self) -> &DatabaseConnection {
        &self.parts.write
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.parts.path
    }

    /// Runs `body` in a transaction and answers when it is committed; `Err` from `body` undoes what it did.
    ///
    /// Once accepted, the transaction runs to its end even if the caller is dropped. Neighbours that wait at the same
    /// moment share one commit, each in its own savepoint.
    ///
    /// # Errors
    /// What `body` answers, or the [`StoreError`] of the commit.
    pub async fn write<T, E, F>(&self, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'c> FnOnce(&'c Transaction) -> WriteFuture<'c, T, E> + Send + 'static,
    {
        self.parts.writer.write(body).await
    }

    /// Like [`Database::write`], for work that nobody waits for: saves go before it and do not share its commits, and
    /// it takes every other turn.
    ///
    /// # Errors
    /// What `body` answers, or the [`StoreError`] of the commit.
    pub async fn write_behind<T, E, F>(&self, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'c> FnOnce(&'c Transaction) -> WriteFuture<'c, T, E> + Send + 'static,
    {
        self.parts.writer.write_behind(body).await
    }

    /// Closes all connections; what was accepted is finished first.
    pub async fn close(self) {
        // The writer's own connection is closed last, when its queue is empty.
        let _: Result<(), StoreError> = self.write(|_| Box::pin(async { Ok(()) })).await;
        let _: Result<(), StoreError> = self.write_behind(|_| Box::pin(async { Ok(()) })).await;
        let _ = self.parts.read.clone().close().await;
        let _ = self.parts.write.clone().close().await;
    }
}
