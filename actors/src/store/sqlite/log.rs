//! Keeps the write-ahead log short.
//!
//! SQLite restarts the log when a commit finds that no reader uses it. Where searches overlap there is always one, and
//! the log grows without end. So the writer, when the log is long, lets SQLite wait a moment for the present readers;
//! later ones read the file itself. It does so between two batches, and rarely if it was in vain.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::Instant;

use crate::store::{
    StoreError,
    sql::{Connection, Sql},
};

/// Above this length the log is worth a wait. *Units:* bytes.
const LONG_LOG_BYTES: u64 = 16 << 20;
/// The longest time that saves may have to wait for readers. *Units:* milliseconds.
const BUSY_TIMEOUT_MS: u64 = 200;
/// The pause after a first try in vain; it doubles with each further one.
const MIN_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause between two tries.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// The log of a database.
pub(super) struct Log {
    path: PathBuf,
    busy_timeout: Duration,
    pause: Duration,
    next: Instant,
}

impl Log {
    /// `busy_timeout` is the connection's time-out at other times.
    pub(super) fn of(database: &Path, busy_timeout: Duration) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push("-wal");
        Self { path: path.into(), busy_timeout, pause: MIN_PAUSE, next: Instant::now() }
    }

    /// Copies the log into the database and truncates it, if it is long, or if the disk was full at the last write: the
    /// room that it takes may be all that is missing.
    pub(super) async fn keep_short(&mut self, connection: &Connection, disk_was_full: bool) {
        let length = std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        let is_worth_it = length >= LONG_LOG_BYTES || (disk_was_full && length > 0);
        if !is_worth_it || Instant::now() < self.next {
            return;
        }
        match self.cut(connection).await {
            Ok(true) => self.pause = MIN_PAUSE,
            Ok(false) | Err(_) => {
                tracing::debug!(length, "the write-ahead log is long, because readers still use it");
                self.next = Instant::now() + self.pause;
                self.pause = (self.pause * 2).min(MAX_PAUSE);
            }
        }
    }

    /// Returns false if readers prevented it.
    async fn cut(&self, connection: &Connection) -> Result<bool, StoreError> {
        connection.run(&format!("PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}"), []).await?;
        // Its first column: whether it was prevented.
        let is_busy = connection.row::<i64>("PRAGMA wal_checkpoint(TRUNCATE)", []).await;
        connection.run(&format!("PRAGMA busy_timeout = {}", self.busy_timeout.as_millis()), []).await?;
        Ok(is_busy? == Some(0))
    }
}
