//! The handle to a database, SQLite or PostgreSQL.

use std::{path::Path, sync::Arc};

use super::{
    Engine, OpenError, OpenOptions, StoreError, VectorFilePath,
    acting::{acting, carried},
    postgres::Postgres,
    sql::{Connection, Transaction, WriteBody},
    sqlite::Sqlite,
};

/// A database shared by article saves, the runtime and searches. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    parts: Arc<EngineConnections>,
}

/// One for each handle, so its size does not matter.
#[expect(clippy::large_enum_variant, reason = "there is one of them, behind a pointer")]
pub(super) enum EngineConnections {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Database {
    /// Opens the database; SQLite's file is created if needed. The schema is left as it is.
    ///
    /// # Errors
    /// [`OpenError`] if the address is not understood or the database cannot be used.
    pub async fn open(options: &OpenOptions) -> Result<Self, OpenError> {
        let (scheme, address) = options.url.split_once("://").unwrap_or((&options.url, ""));
        let parts = match scheme {
            "sqlite" => EngineConnections::Sqlite(Sqlite::open(address, options).await?),
            "postgres" | "postgresql" => EngineConnections::Postgres(Postgres::open(options).await?),
            other => return Err(OpenError::UnknownScheme(other.to_owned())),
        };
        Ok(Self { parts: Arc::new(parts) })
    }

    /// Returns which engine it is.
    pub fn engine(&self) -> Engine {
        match self.parts.as_ref() {
            EngineConnections::Sqlite(_) => Engine::Sqlite,
            EngineConnections::Postgres(_) => Engine::Postgres,
        }
    }

    /// The connections for queries. Never write through them: see [`Database::write`].
    pub fn reader(&self) -> &Connection {
        match self.parts.as_ref() {
            EngineConnections::Sqlite(sqlite) => &sqlite.read,
            EngineConnections::Postgres(postgres) => &postgres.read,
        }
    }

    /// The connections for the queries that keep a runtime's tasks safe: articles and searches do not share them.
    pub(crate) fn runtime_reader(&self) -> &Connection {
        match self.parts.as_ref() {
            EngineConnections::Sqlite(sqlite) => &sqlite.runtime,
            EngineConnections::Postgres(postgres) => &postgres.runtime,
        }
    }

    /// The connection for what must not run inside a transaction: migrations and maintenance by the operator.
    pub fn write_connection(&self) -> &Connection {
        match self.parts.as_ref() {
            EngineConnections::Sqlite(sqlite) => &sqlite.write,
            EngineConnections::Postgres(postgres) => &postgres.write,
        }
    }

    /// The path of the database file; `None` on PostgreSQL.
    pub fn file(&self) -> Option<&Path> {
        match self.parts.as_ref() {
            EngineConnections::Sqlite(sqlite) => Some(&sqlite.path),
            EngineConnections::Postgres(_) => None,
        }
    }

    /// The place of the vectors that are stored beside SQLite's file; `None` on PostgreSQL, and if that file is
    /// another's by now: see [`check_in_place`](Self::check_in_place).
    pub fn beside(&self) -> Option<VectorFilePath> {
        self.check_in_place().ok()?;
        self.file().map(VectorFilePath::new)
    }

    /// Checks that an SQLite database is still the file of its name, and its log too: if not, what is saved would not
    /// be found again, and this process writes nothing more.
    ///
    /// # Errors
    /// [`StoreError::NotInPlace`]
    pub fn check_in_place(&self) -> Result<(), StoreError> {
        match self.parts.as_ref() {
            EngineConnections::Sqlite(sqlite) => sqlite.check_in_place(),
            EngineConnections::Postgres(_) => Ok(()),
        }
    }

    /// How it fails now, by the last statements of this process: another process holds its lock, it cannot be reached,
    /// it allows no further connection. `None` if they were carried out.
    pub fn present_outage(&self) -> Option<StoreError> {
        let pools = match self.parts.as_ref() {
            EngineConnections::Sqlite(sqlite) => [&sqlite.write, &sqlite.read, &sqlite.runtime],
            EngineConnections::Postgres(postgres) => [&postgres.write, &postgres.read, &postgres.runtime],
        };
        pools.into_iter().find_map(|pool| pool.outages().present())
    }

    /// Where it is, for people: without a password.
    pub fn place(&self) -> String {
        match self.parts.as_ref() {
            EngineConnections::Sqlite(sqlite) => sqlite.path.display().to_string(),
            EngineConnections::Postgres(postgres) => postgres.place(),
        }
    }

    pub(super) fn parts(&self) -> &EngineConnections {
        &self.parts
    }

    /// Runs `body` in a transaction and returns when it is committed; `Err` from `body` rolls it back.
    ///
    /// Once accepted, the transaction runs to its end even if the caller is dropped. On SQLite, writes that wait at the
    /// same moment share one commit, each in its own savepoint; on PostgreSQL each has a transaction of its own.
    ///
    /// # Errors
    /// What `body` returns, or the [`StoreError`] of the commit.
    pub async fn write<T, E, F>(&self, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: AsyncFnOnce(&Transaction) -> Result<T, E> + for<'c> WriteBody<'c, T, E>,
    {
        let who = acting();
        match self.parts.as_ref() {
            EngineConnections::Sqlite(sqlite) => {
                sqlite.writer.write(move |transaction| carried(who, body(transaction))).await
            }
            EngineConnections::Postgres(postgres) => {
                postgres.write(move |transaction| carried(who, body(transaction))).await
            }
        }
    }

    /// Like [`Database::write`], for work that no caller waits for: on SQLite, saves go before it and do not share its
    /// commits, and it takes every other turn. On PostgreSQL writes do not wait for each other.
    ///
    /// # Errors
    /// What `body` returns, or the [`StoreError`] of the commit.
    pub async fn write_behind<T, E, F>(&self, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: AsyncFnOnce(&Transaction) -> Result<T, E> + for<'c> WriteBody<'c, T, E>,
    {
        match self.parts.as_ref() {
            EngineConnections::Sqlite(sqlite) => {
                sqlite.writer.write_behind(move |transaction| Box::pin(body(transaction))).await
            }
            EngineConnections::Postgres(postgres) => {
                postgres.write(move |transaction| Box::pin(body(transaction))).await
            }
        }
    }

    /// Tells other hosts on PostgreSQL that there may be work. A hint, sent beside the commit and not in it; between
    /// processes on one SQLite database there is none, and a poll finds the work.
    pub fn announce(&self) {
        match self.parts.as_ref() {
            EngineConnections::Sqlite(_) => {}
            EngineConnections::Postgres(postgres) => postgres.announce(),
        }
    }

    /// Closes all connections; accepted writes are finished first. A database that does not answer is waited for some
    /// seconds: what is not acknowledged by then may be undone.
    pub async fn close(self) {
        match self.parts.as_ref() {
            EngineConnections::Sqlite(sqlite) => sqlite.close().await,
            EngineConnections::Postgres(postgres) => postgres.close().await,
        }
    }
}
