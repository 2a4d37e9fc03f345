//! A file beside an SQLite database that is made of its rows: whoever finds it missing, broken or out of date makes it anew.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use super::liveness;
use crate::store::location;

/// Behind the database's name.
const SUFFIX: &str = ".vectors";
/// Of what is being written.
const PART: &str = ".vectors.part";
/// The file that is locked while one is written, in the folder of the hosts' locks.
const LOCK: &str = "vectors";

/// The place of the vectors that are kept beside a database.
#[derive(Debug, Clone)]
pub struct Beside {
    database: PathBuf,
}

impl Beside {
    pub(in crate::store) fn new(database: &Path) -> Self {
        Self { database: database.to_path_buf() }
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.with(SUFFIX)
    }

    /// Puts what `write` writes in the place of the file, for its owner only; `false` if another process is about to.
    ///
    /// # Errors
    /// What the system says of the files, or `write` does; nothing of it is left behind.
    pub fn replace(&self, write: impl FnOnce(&File) -> io::Result<()>) -> io::Result<bool> {
        let folder = liveness::folder(&self.database);
        location::private_folder(&folder)?;
        let lock = location::private_file().create(true).truncate(false).open(folder.join(LOCK))?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            return Ok(false);
        }
        let part = self.with(PART);
        // What a process left that died.
        let _ = fs::remove_file(&part);
        let written = location::private_file()
            .create_new(true)
            .open(&part)
            .and_then(|file| write(&file))
            .and_then(|()| fs::rename(&part, self.path()));
        if written.is_err() {
            let _ = fs::remove_file(&part);
        }
        written.map(|()| true)
    }

    /// Removes the file, if it is there and that is possible.
    pub fn remove(&self) {
        let _ = fs::remove_file(self.path());
    }

    fn with(&self, suffix: &str) -> PathBuf {
        let mut name = self.database.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    }
}
