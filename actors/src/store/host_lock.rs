//! How a host shows the others that it is alive, and how it is notified by them.
//!
//! A lease says when a host may be presumed dead; presence says at once that it is. With SQLite it is a file lock, with
//! PostgreSQL a lock of a session; the system drops both when the process dies.

use afterword_entities::embedding_host;

use super::{
    Database, StoreError,
    database::EngineConnections,
    hosts,
    postgres::Session,
    sqlite::{Liveness, LivenessError},
};

/// The presence of this host, until it is dropped.
pub(crate) enum HostLock {
    File { _lock: Liveness },
    Session { _session: Session },
}

/// Why a host could not show that it is alive.
#[derive(Debug, thiserror::Error)]
pub enum HostLockError {
    /// The lock file could not be locked.
    #[error(transparent)]
    File(#[from] LivenessError),
    /// The session with PostgreSQL could not be opened.
    #[error("cannot open the connection that listens for tasks: {0}")]
    Session(#[from] StoreError),
}

impl HostLock {
    /// Shows that `incarnation` is alive; calls `on_notify` whenever another process announces that there may be work.
    ///
    /// # Errors
    /// [`HostLockError`]
    pub(crate) async fn acquire(
        database: &Database,
        incarnation: &str,
        on_notify: impl Fn() + Send + 'static,
    ) -> Result<Self, HostLockError> {
        match database.parts() {
            EngineConnections::Sqlite(sqlite) => Ok(Self::File { _lock: Liveness::take(&sqlite.path, incarnation)? }),
            EngineConnections::Postgres(postgres) => {
                Ok(Self::Session { _session: postgres.enter(incarnation, on_notify).await? })
            }
        }
    }
}

impl Database {
    /// Returns those of `hosts` (incarnations) that are known to have ended.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn dead_among(&self, hosts: &[String]) -> Result<Vec<String>, StoreError> {
        match self.parts() {
            EngineConnections::Sqlite(sqlite) => {
                Ok(hosts.iter().filter(|host| Liveness::has_died(&sqlite.path, host)).cloned().collect())
            }
            EngineConnections::Postgres(postgres) => postgres.dead_among(hosts).await,
        }
    }

    /// Returns hosts (incarnations) that are alive and that this database does not know, although they locked the name
    /// of its file: they have another file open, which had that name before. None on PostgreSQL.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn hosts_of_another_file(&self) -> Result<Vec<String>, StoreError> {
        let EngineConnections::Sqlite(sqlite) = self.parts() else { return Ok(Vec::new()) };
        let mut hosts = Liveness::long_held(&sqlite.path);
        let open = hosts::open(self.reader(), u32::MAX).await?;
        hosts.retain(|host| open.iter().all(|row| row.incarnation != *host));
        Ok(hosts)
    }

    /// Returns hosts that are running or draining; at most `limit`, the last started first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn living(&self, limit: u32) -> Result<Vec<embedding_host::Model>, StoreError> {
        let mut hosts = hosts::open(self.reader(), limit).await?;
        let names: Vec<_> = hosts.iter().map(|host| host.incarnation.clone()).collect();
        let dead = self.dead_among(&names).await?;
        hosts.retain(|host| !dead.contains(&host.incarnation));
        Ok(hosts)
    }
}
