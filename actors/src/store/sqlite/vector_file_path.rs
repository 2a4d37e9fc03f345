//! A file beside an SQLite database that is derived from its rows: a process that finds it missing, broken or out of
//! date makes it anew.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use super::liveness;
use crate::store::location;

/// Appended to the database's name.
const SUFFIX: &str = ".vectors";
/// Suffix of a file that is still being written.
const PART_SUFFIX: &str = ".vectors.part";
/// Name of the file that is locked while one is written, in the folder of the hosts' locks.
const LOCK_NAME: &str = "vectors";

/// The file of the vectors that are stored beside a database.
#[derive(Debug, Clone)]
pub struct VectorFilePath {
    database: PathBuf,
}

impl VectorFilePath {
    pub(in crate::store) fn new(database: &Path) -> Self {
        Self { database: database.to_path_buf() }
    }

    /// Returns its path.
    pub fn path(&self) -> PathBuf {
        self.with(SUFFIX)
    }

    /// Replaces the file by what `write` writes, readable for its owner only; `false` if another process is doing so.
    ///
    /// # Errors
    /// The errors of the file system and of `write`; nothing is left behind.
    pub fn replace(&self, write: impl FnOnce(&File) -> io::Result<()>) -> io::Result<bool> {
        let lock = location::lock_file(&liveness::make_folder(&self.database)?.join(LOCK_NAME))?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            return Ok(false);
        }
        let part = self.with(PART_SUFFIX);
        // Left by a process that died.
        let _ = fs::remove_file(&part);
        let written = location::private_file()
            .create_new(true)
            .open(&part)
            .and_then(|file| location::give_to_owner_of(&self.database, &file).and_then(|()| write(&file)))
            .and_then(|()| fs::rename(&part, self.path()));
        if written.is_err() {
            let _ = fs::remove_file(&part);
        }
        written.map(|()| true)
    }

    /// Removes the file, if it exists and that is possible.
    pub fn remove(&self) {
        let _ = fs::remove_file(self.path());
    }

    fn with(&self, suffix: &str) -> PathBuf {
        let mut name = self.database.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    }
}
