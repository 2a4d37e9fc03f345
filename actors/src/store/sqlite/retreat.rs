//! What a process does when the files of its database have lost their names: it keeps what it can, and touches no file of
//! another.
//!
//! - The database has gone, and its log is still there: the log is put aside. The next process would take it for that of the
//!   database that is there now, and destroy that one.
//! - The log has gone, and no other is there: what is only in it is copied into the database.
//! - No connection is opened any more, and none is closed: SQLite would remove the log by its name, whosever it is now.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use tokio::time::MissedTickBehavior;

use super::{in_place::InPlace, liveness};
use crate::store::{
    StoreError, location,
    sql::{Connection, Sql},
};

/// The time between two looks.
const INTERVAL: Duration = Duration::from_millis(500);
/// Suffix of a log that was put aside, followed by the time in seconds.
const ASIDE: &str = ".left-";
/// The file that is locked meanwhile, in the folder of the hosts' locks.
const LOCK: &str = "retreat";

/// Looks at the files until they have lost their names; ends when it has done what then is to be done.
pub(super) async fn watch(files: InPlace, database: PathBuf, write: Connection, all: Vec<Connection>) {
    let mut tick = tokio::time::interval(INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while files.check().is_ok() {
        tick.tick().await;
    }
    for connection in &all {
        freeze(connection, &database);
    }
    let has_database = files.lost().is_some_and(|lost| lost.has_database);
    if !has_database {
        match put_log_aside(&files, &database) {
            Ok(None) => {}
            Ok(Some(aside)) => tracing::error!(
                "the log of the database that was there before is kept as {}: beside that database, as its -wal, it holds what was \
                 saved last",
                aside.display()
            ),
            Err(error) => tracing::error!(
                %error, "the log of the database that was there before could not be put aside; remove it before another process \
                 opens the new one"
            ),
        }
        return;
    }
    // A long reading holds it up.
    while !files.has_other_logs() {
        match copy_log(&write).await {
            Ok(()) => return tracing::error!("what was saved before the log was removed is now in the database"),
            Err(error) => tracing::error!(%error, "the removed log could not be copied into the database yet"),
        }
        tick.tick().await;
    }
}

/// Lets the pool open nothing more, and close nothing.
fn freeze(connection: &Connection, database: &Path) {
    let nothing = SqliteConnectOptions::new().filename(database.join("not in place")).create_if_missing(false);
    connection.inner().get_sqlite_connection_pool().set_connect_options(nothing);
    keep_open(connection);
}

/// Never closes the connections of the pool; they end with the process.
pub(super) fn keep_open(connection: &Connection) {
    std::mem::forget(connection.clone());
}

/// Renames the log, if it is still that of the open database. Returns its new name.
fn put_log_aside(files: &InPlace, database: &Path) -> io::Result<Option<PathBuf>> {
    // The folder itself may be gone, and must not come back.
    if files.log().is_none() {
        return Ok(None);
    }
    // Processes that share the database find out together.
    let lock = location::lock_file(&liveness::make_folder(database)?.join(LOCK))?;
    let _ = lock.lock();
    let Some(log) = files.log() else { return Ok(None) };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut names = (now..=u64::MAX).map(|number| beside(log, &format!("{ASIDE}{number}")));
    let Some(aside) = names.find(|path| path.symlink_metadata().is_err()) else { return Ok(None) };
    fs::rename(log, &aside)?;
    // Made anew from the log wherever that is used.
    let _ = files.index().map(fs::remove_file);
    Ok(Some(aside))
}

async fn copy_log(write: &Connection) -> Result<(), StoreError> {
    // Its first column: whether readers prevented it.
    match write.row::<i64>("PRAGMA wal_checkpoint(FULL)", []).await? {
        Some(0) => Ok(()),
        _ => Err(StoreError::Busy),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
