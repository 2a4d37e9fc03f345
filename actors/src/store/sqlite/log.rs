//! Keeps the write-ahead log short.
//!
//! SQLite begins the log anew when a commit finds that no reader uses it. Where searches overlap there is always one, and
//! the log grows without end. So the writer, when the log is long, lets SQLite wait a moment for the readers of that
//! moment; those that come later read the file itself. It does so between two batches, and seldom if it was in vain.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::{DatabaseConnection, FromQueryResult};
use tokio::time::Instant;

use crate::store::{StoreError, sql::Sql};

/// Above this the log is worth a wait. *Units:* bytes.
const LONG: u64 = 16 << 20;
/// How long saves may have to wait for readers, at most. *Units:* milliseconds.
const WAIT_MS: u64 = 200;
/// After a try that was in vain, the next one waits at least so long, then twice as long.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The log of a database.
pub(super) struct Log {
    path: PathBuf,
    busy_timeout: Duration,
    pause: Duration,
    next: Instant,
}

impl Log {
    /// `busy_timeout` is the patience of the connection at other times.
    pub(super) fn of(database: &Path, busy_timeout: Duration) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push("-wal");
        Self { path: path.into(), busy_timeout, pause: PAUSE, next: Instant::now() }
    }

    /// Puts the log into the database and cuts it off, if it is long.
    pub(super) async fn keep_short(&mut self, connection: &DatabaseConnection) {
        let length = std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        if length < LONG || Instant::now() < self.next {
            return;
        }
        match self.cut(connection).await {
            Ok(true) => self.pause = PAUSE,
            Ok(false) | Err(_) => {
                tracing::debug!(length, "the write-ahead log is long, and readers hold it");
                self.next = Instant::now() + self.pause;
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            }
        }
    }

    /// Answers false if readers were in the way.
    async fn cut(&self, connection: &DatabaseConnection) -> Result<bool, StoreError> {
        #[derive(FromQueryResult)]
        struct Outcome {
            busy: i32,
        }
        connection.run(&format!("PRAGMA busy_timeout = {WAIT_MS}"), []).await?;
        let outcome = connection.row::<Outcome>("PRAGMA wal_checkpoint(TRUNCATE)", []).await;
        connection.run(&format!("PRAGMA busy_timeout = {}", self.busy_timeout.as_millis()), []).await?;
        Ok(outcome?.is_some_and(|outcome| outcome.busy == 0))
    }
}
