//! Which hosts on this SQLite database are alive, by file locks that the system drops when a process dies.
//!
//! A lease says when a host may be presumed dead; the lock says at once that it is. A reused process id cannot deceive
//! it, and `kill -9` frees it.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use uuid::Uuid;

use crate::store::location;

/// The longest time from taking a host's lock to its entry in the database.
const MAX_START_DURATION: Duration = Duration::from_secs(30);

/// This process's lock, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Liveness {
    path: PathBuf,
    _lock: File,
}

/// Why the lock could not be taken.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep the host's lock file {}: {source}", path.display())]
pub struct LivenessError {
    path: PathBuf,
    source: io::Error,
}

impl Liveness {
    /// Takes the lock of `incarnation` beside the database file.
    ///
    /// # Errors
    /// [`LivenessError`] if the folder cannot be written.
    pub(crate) fn take(database: &Path, incarnation: &str) -> Result<Self, LivenessError> {
        let path = folder(database).join(incarnation);
        let lock = lock(database, &path).map_err(|source| LivenessError { path: path.clone(), source })?;
        Ok(Self { path, _lock: lock })
    }

    /// Whether the process that took the lock of `incarnation` has ended.
    ///
    /// No file means that it ended cleanly, or that it never ran on this machine. A file that cannot be opened, for
    /// lack of descriptors or of a permission, says nothing: then only the lease decides.
    pub(crate) fn has_died(database: &Path, incarnation: &str) -> bool {
        let path = folder(database).join(incarnation);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) => return error.kind() == io::ErrorKind::NotFound,
        };
        match file.try_lock() {
            Ok(()) => {
                // The lock is free: the file is a leftover.
                let _ = fs::remove_file(&path);
                true
            }
            // Also when the file system has no locks: then only the lease decides.
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        }
    }

    /// Returns the hosts (incarnations) whose locks have been held for longer than a start takes, whatever database
    /// they work on.
    pub(crate) fn long_held(database: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder(database)).into_iter().flatten().filter_map(Result::ok);
        let is_old = |entry: &fs::DirEntry| {
            let modified = entry.metadata().and_then(|metadata| metadata.modified()).ok();
            modified.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > MAX_START_DURATION)
        };
        let names = entries.filter(is_old).filter_map(|entry| entry.file_name().into_string().ok());
        // The folder has the lock of the database itself, too.
        names.filter(|name| Uuid::try_parse(name).is_ok() && is_held(&folder(database).join(name))).collect()
    }
}

fn is_held(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

impl Drop for Liveness {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn lock(database: &Path, path: &Path) -> io::Result<File> {
    make_folder(database)?;
    let file = location::lock_file(path)?;
    match file.try_lock() {
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(io::Error::new(io::ErrorKind::AlreadyExists, "another process has locked it"))
        }
    }
}

/// Makes the folder of the locks, if it is missing.
pub(super) fn make_folder(database: &Path) -> io::Result<PathBuf> {
    let folder = folder(database);
    // Before its file is made, a database belongs to whom its folder belongs.
    match database.parent() {
        Some(above) if !database.exists() => location::private_folder_of(above, &folder)?,
        _ => location::private_folder_of(database, &folder)?,
    }
    Ok(folder)
}

/// The folder of the locks; `database` is its path without links.
pub(super) fn folder(database: &Path) -> PathBuf {
    let mut name = database.file_name().unwrap_or_default().to_os_string();
    name.push(".hosts");
    database.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_was_held_for_long_is_found_and_one_of_a_moment_ago_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("site.db");
        let (long, short, ended) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
        let [_long, _short, over] =
            [long, short, ended].map(|host| Liveness::take(&database, &host.to_string()).expect("a lock"));
        drop(over);
        let before = std::time::SystemTime::now() - 2 * MAX_START_DURATION;
        for host in [long, ended] {
            let file = File::options().append(true).create(true).open(super::folder(&database).join(host.to_string()));
            file.and_then(|file| file.set_modified(before)).expect("a time");
        }
        assert_eq!(Liveness::long_held(&database), [long.to_string()]);
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_that_cannot_be_looked_at_is_no_death() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("site.db");
        let held = Liveness::take(&database, "held").expect("a lock");
        assert!(!Liveness::has_died(&database, "held"));
        drop(held);
        assert!(Liveness::has_died(&database, "held"), "it ended cleanly");
        std::os::unix::fs::symlink("unreadable", super::folder(&database).join("unreadable")).expect("a link");
        assert!(!Liveness::has_died(&database, "unreadable"), "an error tells nothing about the process");
    }
}
