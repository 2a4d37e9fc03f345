//! The connection by which a host is notified of work, and by which the others see that it is alive.
//!
//! Its advisory lock belongs to the session: PostgreSQL drops it when the connection ends. A lost connection is made
//! again; it listens first, and then tells the queue to look: that look sees what was announced in between.

use std::time::Duration;

use sea_orm::sqlx::{
    self, PgPool,
    postgres::{PgListener, PgPoolOptions},
};
use sha2::{Digest, Sha256};
use tokio_util::task::AbortOnDropHandle;

use super::{Postgres, notifier::CHANNEL};
use crate::{
    backoff::{Backoff, Delays},
    store::{
        StoreError, advisory_locks,
        sql::{self, Sql},
    },
};

/// A connection that was silent for this long is tested.
const MAX_SILENCE: Duration = Duration::from_secs(20);
/// How long it may take to answer that test, or to be opened.
const SESSION_TIMEOUT: Duration = Duration::from_secs(10);
/// Delays between attempts to connect again.
const RETRY_AFTER: Delays = Delays { base: Duration::from_millis(100), max: Duration::from_secs(5) };

/// Listens, and holds the host's lock, until it is dropped.
pub(crate) struct Session {
    _work: AbortOnDropHandle<()>,
}

impl Postgres {
    /// Shows that `incarnation` is alive; calls `hear` when there may be work.
    pub(in crate::store) async fn enter(
        &self,
        incarnation: &str,
        hear: impl Fn() + Send + 'static,
    ) -> Result<Session, StoreError> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .connect_lazy_with(self.address.clone());
        let key = lock_key(incarnation);
        let listener = listen(&pool, key).await.map_err(unreachable)?;
        Ok(Session { _work: AbortOnDropHandle::new(tokio::spawn(keep(pool, key, listener, hear))) })
    }

    /// Returns those of `hosts` that hold no lock.
    pub(in crate::store) async fn dead_among(&self, hosts: &[String]) -> Result<Vec<String>, StoreError> {
        let keys: Vec<_> = hosts.iter().map(|host| (lock_key(host), host)).collect();
        self.runtime
            .rows(
                "SELECT h.incarnation FROM {rows $1: key BIGINT, incarnation TEXT} h
                 WHERE NOT EXISTS (
                     SELECT 1 FROM pg_locks l
                     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
                       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                       AND (CAST(l.classid AS BIGINT) << 32) | CAST(l.objid AS BIGINT) = h.key)",
                [sql::json(&keys)?],
            )
            .await
    }
}

fn lock_key(incarnation: &str) -> i64 {
    let digest = Sha256::digest(incarnation.as_bytes());
    let mut key = [0; 8];
    key.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(key)
}

fn unreachable(error: sqlx::Error) -> StoreError {
    StoreError::Unreachable(error.to_string())
}

async fn listen(pool: &PgPool, key: i64) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    sqlx::query(advisory_locks::SHOW_LIFE).bind(key).execute(&mut listener).await?;
    Ok(listener)
}

async fn keep(pool: PgPool, key: i64, mut listener: PgListener, hear: impl Fn() + Send) {
    let mut delays = Backoff::new(RETRY_AFTER);
    loop {
        if is_heard(&mut listener).await {
            hear();
            continue;
        }
        tracing::warn!(
            "the connection that listens for tasks is lost; it is opened again, and the queue polls meanwhile"
        );
        drop(listener);
        listener = loop {
            match tokio::time::timeout(SESSION_TIMEOUT, listen(&pool, key)).await {
                Ok(Ok(listener)) => break listener,
                Ok(Err(_)) | Err(_) => tokio::time::sleep(delays.next_delay()).await,
            }
        };
        delays.reset();
        hear();
    }
}

/// Waits for a notification; returns false when the connection is lost.
async fn is_heard(listener: &mut PgListener) -> bool {
    loop {
        match tokio::time::timeout(MAX_SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(_))) => return true,
            Ok(Ok(None) | Err(_)) => return false,
            Err(_) => {
                let answer =
                    tokio::time::timeout(SESSION_TIMEOUT, sqlx::query("SELECT 1").execute(&mut *listener)).await;
                if !matches!(answer, Ok(Ok(_))) {
                    return false;
                }
            }
        }
    }
}
