//! Which processes have the database open: each holds a shared lock meanwhile; exclusive work takes the whole lock.
//!
//! The lock is a file beside the database, and the system drops it when a process dies. Processes of earlier versions
//! do not take it; SQLite's own lock shows them.

use std::{
    fs::{File, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use sea_orm::sqlx::{
    self, ConnectOptions, Connection,
    sqlite::{SqliteConnectOptions, SqliteLockingMode},
};

use super::{liveness, replacement};
use crate::store::{OpenError, OpenOptions, location};

/// Name of the file that is locked, in the folder of the hosts' locks.
const LOCK_NAME: &str = "database";
/// The delay between tries.
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// The shared lock of a process that has the database open. The time of its file tells when a process opened it last.
pub(super) struct SharedLock {
    lock: Option<File>,
}

impl SharedLock {
    /// Waits while another process replaces the database, up to `patience`.
    ///
    /// # Errors
    /// [`OpenError::BeingReplaced`], [`OpenError::Lock`]
    pub(super) async fn share(database: &Path, patience: Duration) -> Result<Self, OpenError> {
        let Some(file) = file(database)? else { return Ok(Self { lock: None }) };
        let ends = tokio::time::Instant::now() + patience;
        loop {
            match file.try_lock_shared() {
                Ok(()) => {
                    // Behind the lock: who has it alone sees who was there before.
                    let _ = file.set_modified(SystemTime::now());
                    return Ok(Self { lock: Some(file) });
                }
                // The file system has no locks.
                Err(TryLockError::Error(_)) => return Ok(Self { lock: None }),
                Err(TryLockError::WouldBlock) if tokio::time::Instant::now() < ends => {
                    tokio::time::sleep(RETRY_AFTER).await
                }
                Err(TryLockError::WouldBlock) => return Err(OpenError::BeingReplaced(database.to_path_buf())),
            }
        }
    }

    /// When a process opened the database last; `None` if that cannot be found out.
    pub(super) fn last_opened(&self) -> Option<SystemTime> {
        self.lock.as_ref()?.metadata().and_then(|metadata| metadata.modified()).ok()
    }

    /// Keeps all others from opening the database until the guard is dropped; `None` if one has it open, or if that
    /// cannot be found out.
    pub(super) fn alone(&self) -> Option<Exclusive<'_>> {
        let lock = self.lock.as_ref()?;
        match lock.try_lock() {
            Ok(()) => Some(Exclusive(lock)),
            Err(_) => {
                // The system may have dropped the shared lock for it.
                let _ = lock.try_lock_shared();
                None
            }
        }
    }
}

/// The whole lock, of a process that has the database open.
pub(super) struct Exclusive<'a>(&'a File);

impl Drop for Exclusive<'_> {
    fn drop(&mut self) {
        let _ = self.0.try_lock_shared();
    }
}

/// Finishes the replacement of a process that died. No other process may have the database open: two that finish
/// it at the same time would move each other's logs.
///
/// # Errors
/// [`OpenError::BeingReplaced`] if another process has it open for longer than `patience`, [`OpenError::Unfinished`],
/// [`OpenError::Lock`]
pub(super) async fn finish_replacement(database: &Path, patience: Duration) -> Result<(), OpenError> {
    let ends = tokio::time::Instant::now() + patience;
    while replacement::is_unfinished(database) {
        let lock = file(database)?;
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

/// Whether there is an SQLite database at `path`, or a complete one that a process died before moving there: the next
/// opening moves it. Opening where there is none makes one.
pub fn is_there(path: &Path) -> bool {
    path.exists() || replacement::is_unfinished(path)
}

/// The exclusive lock: no other process has the database open, or can open it, until this is dropped.
pub struct ExclusiveLock {
    path: PathBuf,
    _lock: Option<File>,
}

impl ExclusiveLock {
    /// Locks the SQLite database of `options` for this process alone. Returns `None` if another process has it open.
    ///
    /// It may also be missing or damaged.
    ///
    /// # Errors
    /// [`OpenError`] if no file is named, its folder cannot be created, or if it cannot be found out whether another
    /// process has it open.
    pub async fn take(options: &OpenOptions) -> Result<Option<Self>, OpenError> {
        let path = options.sqlite_file()?.ok_or(OpenError::NoFile)?;
        location::make_folder(&path)?;
        let lock = file(&path)?;
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

/// The look of a process that copies a database's files without opening it: no process of this program has it open, or
/// can open it, until this is dropped.
pub struct UnopenedLock {
    _lock: Option<File>,
}

impl UnopenedLock {
    /// Looks at the SQLite database at `path`, and makes no file. Returns `None` if a process has it open.
    ///
    /// # Errors
    /// The errors of the file system.
    pub fn see(path: &Path) -> io::Result<Option<Self>> {
        let lock = match File::open(liveness::folder(path).join(LOCK_NAME)) {
            Ok(file) => Some(file),
            // It has not been opened on this machine, or this user may not open it.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => None,
            Err(error) => return Err(error),
        };
        match lock.as_ref().map(File::try_lock) {
            Some(Err(TryLockError::WouldBlock)) => Ok(None),
            _ => Ok(Some(Self { _lock: lock })),
        }
    }
}

/// The file that is locked; `None` if there can be none. Without locks, a process does not notice that the database is
/// replaced under it, so any error that may pass refuses to open it.
fn file(database: &Path) -> Result<Option<File>, OpenError> {
    let opened = liveness::make_folder(database).and_then(|folder| location::lock_file(&folder.join(LOCK_NAME)));
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(error) if has_no_locks(error.kind()) => Ok(None),
        Err(source) => Err(OpenError::Lock { path: liveness::folder(database), source }),
    }
}

/// Whether files cannot be made there at all: then nothing there can be replaced, either.
fn has_no_locks(error: ErrorKind) -> bool {
    use ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error, PermissionDenied | ReadOnlyFilesystem | StorageFull | QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lock_that_fails_is_not_taken_for_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("site.db");
        // A file in the place of the folder: an error that says nothing about who has the database open.
        std::fs::write(liveness::folder(&database), "no folder").expect("a file");
        let patience = Duration::ZERO;
        assert!(matches!(SharedLock::share(&database, patience).await, Err(OpenError::Lock { .. })));
        let options = OpenOptions::new(format!("sqlite://{}", database.display()));
        assert!(matches!(ExclusiveLock::take(&options).await, Err(OpenError::Lock { .. })));
    }

    #[test]
    fn a_database_that_a_restore_has_yet_to_put_in_its_place_is_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("site.db");
        assert!(!is_there(&database));
        std::fs::write(folder.path().join("site.db.restored"), "a backup").expect("a file");
        assert!(is_there(&database));
    }

    #[tokio::test]
    async fn what_is_open_is_seen_to_be_and_nothing_is_made() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("site.db");
        assert!(UnopenedLock::see(&database).expect("a look").is_some());
        assert!(!liveness::folder(&database).exists());
        let open = SharedLock::share(&database, Duration::ZERO).await.expect("a lock");
        assert!(UnopenedLock::see(&database).expect("a look").is_none());
        drop(open);
        let seen = UnopenedLock::see(&database).expect("a look").expect("nobody has it open");
        assert!(matches!(SharedLock::share(&database, Duration::ZERO).await, Err(OpenError::BeingReplaced(_))));
        drop(seen);
    }
}
