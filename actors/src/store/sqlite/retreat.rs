//! What a process does when the files of its database have lost their names: it keeps what it can, and touches no file
//! of another.
//!
//! - The database has gone, and its log is still there: the log is put aside. The next process would take it for that
//!   of the database that is there now, and destroy that one.
//! - The log has gone, and no other process has opened the database since: what is only in the log is copied into the
//!   database.
//! - Otherwise all that can still be read is copied into a database beside the other, also if the log was put aside:
//!   the file that it belongs to may have no name any more.
//! - No connection is opened any more, and none is closed: SQLite would remove the log by its name, also if that is the
//!   log of another database by now.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use tokio::time::MissedTickBehavior;

use super::{in_place::InPlace, liveness, occupancy::SharedLock};
use crate::store::{
    StoreError, location,
    sql::{Connection, Sql},
};

/// The time between two looks at the names.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// How long a reading may hold up the copying of a removed log.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Suffix of what is kept, followed by the time in seconds.
const ASIDE_SUFFIX: &str = ".left-";
/// Name of the file that is locked meanwhile, in the folder of the hosts' locks.
const LOCK_NAME: &str = "retreat";

/// The connections of a process to its database.
pub(super) struct OpenPools {
    pub(super) write: Connection,
    pub(super) read: Connection,
    pub(super) runtime: Connection,
}

impl OpenPools {
    /// Lets the pools open nothing more, and close nothing.
    fn freeze(&self, database: &Path) {
        for connection in [&self.write, &self.read, &self.runtime] {
            let nothing = SqliteConnectOptions::new().filename(database.join("not in place")).create_if_missing(false);
            connection.inner().get_sqlite_connection_pool().set_connect_options(nothing);
            keep_open(connection);
        }
    }
}

/// Looks at the files until they have lost their names; ends when it has done what then is to be done.
pub(super) async fn watch(files: InPlace, database: PathBuf, connections: OpenPools, occupied: Arc<SharedLock>) {
    let mut tick = tokio::time::interval(LOOK_INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut opened = None;
    loop {
        // Read before the files are looked at: a process that opens the database after they were lost is noticed.
        let last_opened = occupied.last_opened();
        if files.check().is_err() {
            break;
        }
        opened = last_opened;
        tick.tick().await;
    }
    connections.freeze(&database);
    if files.log().is_some() && files.lost().is_some_and(|lost| !lost.has_database) {
        match put_log_aside(&files, &database) {
            Ok(None) => {}
            Ok(Some(aside)) => tracing::error!(
                "the log of the database that was there before is kept as {}: beside that database, as its -wal, it \
                 holds what was saved last",
                aside.display()
            ),
            Err(error) => tracing::error!(
                %error, "the log of the database that was there before could not be put aside; remove it before \
                 another process opens the new one"
            ),
        }
    }
    let mut waited = Duration::ZERO;
    let is_ours = || files.lost().is_some_and(|lost| lost.has_database) && !files.has_other_logs();
    while is_ours() {
        let Some(_alone) = occupied.alone() else { break };
        // Another process may have written to the database, and be gone again: the log is older than that.
        if opened.is_none() || occupied.last_opened() != opened || !is_ours() {
            break;
        }
        match copy_log(&connections.write).await {
            Ok(()) => return tracing::error!("what was saved before the log was removed is now in the database"),
            // A long reading holds it up.
            Err(StoreError::Busy) if waited < BUSY_TIMEOUT => waited += LOOK_INTERVAL,
            Err(error) => {
                tracing::error!(%error, "the removed log cannot be copied into the database");
                break;
            }
        }
        tick.tick().await;
    }
    match keep_copy(&connections, &database).await {
        Ok(copy) => tracing::error!(
            "all that this process can still read of its database, with what was saved last, is kept as the database {}",
            copy.display()
        ),
        Err(error) => tracing::error!(
            %error, "what was saved last, and is in no file with a name any more, could not be kept, and ends with this process"
        ),
    }
}

/// Never closes the connections of the pool; they end with the process.
pub(super) fn keep_open(connection: &Connection) {
    std::mem::forget(connection.clone());
}

/// Renames the log, if it is still that of the open database. Returns its new name.
fn put_log_aside(files: &InPlace, database: &Path) -> io::Result<Option<PathBuf>> {
    let _locked = lock(database)?;
    let Some(log) = files.log() else { return Ok(None) };
    let aside = free_name(log)?;
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

/// Copies what the open connections read, which is the files that have lost their names. Returns the path of the copy.
async fn keep_copy(open: &OpenPools, database: &Path) -> Result<PathBuf, StoreError> {
    let failed = |error: io::Error| StoreError::Failed(error.to_string());
    let folder = database.parent().filter(|folder| folder.is_dir());
    let folder = folder.ok_or_else(|| StoreError::Failed("its folder has gone, too".to_owned()))?;
    // A copy that is not whole has another name. SQLite writes into an empty file that only this user may read.
    let part = tempfile::Builder::new().prefix(".left-").suffix(".part").tempfile_in(folder).map_err(failed)?;
    let part = part.into_temp_path();
    let name = part.to_str().ok_or_else(|| StoreError::Failed(format!("{} is no text", part.display())))?.to_owned();
    // A pool may have no connection open, and opens none any more; that for writing is always there.
    if open.read.run("VACUUM INTO $1", [name.as_str().into()]).await.is_err() {
        open.write.run("VACUUM INTO $1", [name.into()]).await?;
    }
    fs::File::open(&part).and_then(|file| file.sync_all()).map_err(failed)?;
    let _locked = lock(database).map_err(failed)?;
    let copy = free_name(database).map_err(failed)?;
    part.persist_noclobber(&copy).map_err(|refused| failed(refused.error))?;
    Ok(copy)
}

/// Processes that share the database find out together.
fn lock(database: &Path) -> io::Result<fs::File> {
    let lock = location::lock_file(&liveness::make_folder(database)?.join(LOCK_NAME))?;
    let _ = lock.lock();
    Ok(lock)
}

/// A name beside `path` that nothing has.
fn free_name(path: &Path) -> io::Result<PathBuf> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut names = (now..=u64::MAX).map(|number| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!("{ASIDE_SUFFIX}{number}"));
        PathBuf::from(name)
    });
    names.find(|name| name.symlink_metadata().is_err()).ok_or_else(|| io::ErrorKind::AlreadyExists.into())
}
