//! Which processes have the database open: each holds a shared lock meanwhile; exclusive work takes the whole lock.
//!
//! The lock is a file beside the database, and the system drops it when a process dies. Processes of earlier versions
//! do not take it; SQLite's own lock shows them.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::sqlx::{
    self, ConnectOptions, Connection,
    sqlite::{SqliteConnectOptions, SqliteLockingMode},
};

use super::{liveness, replacement};
use crate::store::{OpenError, OpenOptions, location};

/// The file that is locked, in the folder of the hosts' locks.
const FILE: &str = "database";
/// The delay between tries.
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// The shared lock of a process that has the database open.
pub(super) struct Occupied {
    _lock: Option<File>,
}

impl Occupied {
    /// Waits while another process replaces the database, up to `patience`.
    ///
    /// # Errors
    /// [`OpenError::BeingReplaced`]
    pub(super) async fn share(database: &Path, patience: Duration) -> Result<Self, OpenError> {
        // A folder that cannot be written has no locks, and nothing in it can be replaced.
        let Some(file) = file(database) else { return Ok(Self { _lock: None }) };
        let ends = tokio::time::Instant::now() + patience;
        loop {
            match file.try_lock_shared() {
                Ok(()) => return Ok(Self { _lock: Some(file) }),
                // The file system has no locks.
                Err(TryLockError::Error(_)) => return Ok(Self { _lock: None }),
                Err(TryLockError::WouldBlock) if tokio::time::Instant::now() < ends => {
                    tokio::time::sleep(RETRY_AFTER).await
                }
                Err(TryLockError::WouldBlock) => return Err(OpenError::BeingReplaced(database.to_path_buf())),
            }
        }
    }
}

/// Finishes the replacement of a process that died. Nobody else may have the database open: two processes that finish it
/// at the same time would move each other's logs.
///
/// # Errors
/// [`OpenError::BeingReplaced`] if another process has it open for longer than `patience`, [`OpenError::Unfinished`]
pub(super) async fn finish_replacement(database: &Path, patience: Duration) -> Result<(), OpenError> {
    let ends = tokio::time::Instant::now() + patience;
    while replacement::is_unfinished(database) {
        let lock = file(database);
        match lock.as_ref().map(File::try_lock) {
            Some(Err(TryLockError::WouldBlock)) if tokio::time::Instant::now() < ends => {
                tokio::time::sleep(RETRY_AFTER).await;
            }
            Some(Err(TryLockError::WouldBlock)) => return Err(OpenError::BeingReplaced(database.to_path_buf())),
            // Locked; or the file system has no locks, or the folder cannot be written.
            Some(Ok(()) | Err(TryLockError::Error(_))) | None => {
                let unfinished = |source| OpenError::Unfinished { path: database.to_path_buf(), source };
                return replacement::finish(database).map_err(unfinished);
            }
        }
    }
    Ok(())
}

/// The exclusive lock: no other process has the database open, or can open it, until this is dropped.
pub struct Alone {
    path: PathBuf,
    _lock: Option<File>,
}

impl Alone {
    /// Locks the SQLite database of `options` for this process alone. Returns `None` if another process has it open.
    ///
    /// It may also be missing or damaged.
    ///
    /// # Errors
    /// [`OpenError`] if no file is named, or its folder cannot be created.
    pub async fn take(options: &OpenOptions) -> Result<Option<Self>, OpenError> {
        let path = options.sqlite_file()?.ok_or(OpenError::NoFile)?;
        location::make_folder(&path)?;
        let lock = file(&path);
        if let Some(Err(TryLockError::WouldBlock)) = lock.as_ref().map(File::try_lock) {
            return Ok(None);
        }
        if path.exists() && !is_unused(&path).await {
            return Ok(None);
        }
        Ok(Some(Self { path, _lock: lock }))
    }

    /// Returns the path of the database.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces this database by `new`, a file in the same folder. Returns where the old one is now, if there was one.
    /// If the process dies meanwhile, the next one that opens the database finishes the replacement.
    ///
    /// # Errors
    /// The errors of the file system.
    pub fn replace(&self, new: &Path) -> std::io::Result<Option<PathBuf>> {
        replacement::put(&self.path, new)
    }
}

/// Whether SQLite can lock the whole file; if so, its log has been copied into it.
async fn is_unused(path: &Path) -> bool {
    let options = SqliteConnectOptions::new().filename(path).locking_mode(SqliteLockingMode::Exclusive);
    let Ok(mut connection) = options.busy_timeout(Duration::ZERO).disable_statement_logging().connect().await else {
        return true;
    };
    let taken =
        sqlx::raw_sql("BEGIN EXCLUSIVE; COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await;
    let _ = connection.close().await;
    !taken.is_err_and(|error| is_busy(&error))
}

fn is_busy(error: &sqlx::Error) -> bool {
    const BUSY: u32 = 5;
    let code = error.as_database_error().and_then(|refusal| refusal.code());
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == BUSY)
}

fn file(database: &Path) -> Option<File> {
    let folder = liveness::folder(database);
    location::private_folder(&folder).ok()?;
    location::private_file().create(true).truncate(false).open(folder.join(FILE)).ok()
}
