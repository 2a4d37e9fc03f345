//! Who has the database open: every process holds a lock as long as it does, and what must be alone takes it whole.
//!
//! The lock is a file beside the database, and the system drops it when a process dies. Processes of earlier versions do
//! not hold it; SQLite's own lock shows them.

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
/// Between tries.
const AGAIN: Duration = Duration::from_millis(20);

/// This process has the database open, as long as the value lives.
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
                // The file system knows no locks.
                Err(TryLockError::Error(_)) => return Ok(Self { _lock: None }),
                Err(TryLockError::WouldBlock) if tokio::time::Instant::now() < ends => tokio::time::sleep(AGAIN).await,
                Err(TryLockError::WouldBlock) => return Err(OpenError::BeingReplaced(database.to_path_buf())),
            }
        }
    }
}

/// No other process has the database open, or can open it, as long as the value lives.
pub struct Alone {
    path: PathBuf,
    _lock: Option<File>,
}

impl Alone {
    /// Takes the SQLite database of `options` for this process alone. Returns `None` if another process has it open.
    ///
    /// A database that is not there, or damaged, can be taken, too.
    ///
    /// # Errors
    /// [`OpenError`] if no file is named, or its folder cannot be made.
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

    /// Where the database is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the database `new`, a file in the same folder, in the place of this one. Returns where that has gone, if there
    /// was one. If the process dies meanwhile, the next one that opens the database ends what was begun.
    ///
    /// # Errors
    /// What the system says of the files.
    pub fn replace(&self, new: &Path) -> std::io::Result<Option<PathBuf>> {
        replacement::put(&self.path, new)
    }
}

/// Whether SQLite gets the whole file; if so, its log has gone into it.
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
