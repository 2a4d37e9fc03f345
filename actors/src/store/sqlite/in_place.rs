//! Whether the files of an open database are still those of their names.
//!
//! A file that is open lives on when its name is given to another file, or removed: SQLite would go on writing to it,
//! and what was saved would not be found again. So each file's device and number are noted when the database is opened,
//! and compared before each transaction, before its commit, and twice a second. Once they differ, this process writes
//! nothing more, even if the files come back: another process may have used them meanwhile.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::store::StoreError;

/// The database, its log, and the index of its log.
const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];

/// A file, whatever its name: device and number.
type FileIdentity = (u64, u64);

/// The files of an open database. Clones share what is known of them.
#[derive(Clone)]
pub(super) struct InPlace(Arc<Files>);

struct Files {
    all: [DatabaseFile; SUFFIXES.len()],
    lost: OnceLock<Lost>,
    /// The database is being closed: SQLite removes the log with its last connection.
    is_closed: AtomicBool,
}

struct DatabaseFile {
    path: PathBuf,
    /// Known from the first look that found it.
    open: OnceLock<FileIdentity>,
}

/// What has happened to the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lost {
    /// For people.
    what: String,
    /// Whether the database itself still has its name.
    pub(super) has_database: bool,
}

impl InPlace {
    /// Notes the files of `database`, which is open. Where files have no number that stays, as on Windows, nothing is
    /// noted.
    pub(super) fn of(database: &Path) -> Self {
        let identity_of = |suffix: &str| {
            let mut path = database.as_os_str().to_owned();
            path.push(suffix);
            DatabaseFile { path: path.into(), open: OnceLock::new() }
        };
        let files = Self(Arc::new(Files {
            all: SUFFIXES.map(identity_of),
            lost: OnceLock::new(),
            is_closed: AtomicBool::new(false),
        }));
        let _ = files.0.changed();
        files
    }

    /// Checks that all of them have their names.
    ///
    /// # Errors
    /// [`StoreError::NotInPlace`], from the first time on for ever.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.0.lost.get().is_none() {
            let Some(lost) = self.0.changed() else { return Ok(()) };
            // Read after the look: what is missing then may be what closing has removed.
            if self.0.is_closed.load(Ordering::SeqCst) {
                return Ok(());
            }
            self.0.lost.get_or_init(|| {
                tracing::error!("{}; this process writes nothing more, and has to be stopped", lost.what);
                lost
            });
        }
        self.lost().map_or(Ok(()), |lost| Err(StoreError::NotInPlace(lost.what.clone())))
    }

    /// Notes that the database is about to be closed. From then on nothing is found missing.
    pub(super) fn close(&self) {
        self.0.is_closed.store(true, Ordering::SeqCst);
    }

    /// What has been found, if they have lost their names.
    pub(super) fn lost(&self) -> Option<&Lost> {
        self.0.lost.get()
    }

    /// The log, if it still has its name, whatever the others.
    pub(super) fn log(&self) -> Option<&Path> {
        self.0.all.get(1).filter(|log| log.is_here()).map(|log| log.path.as_path())
    }

    /// The index of the log, if it still has its name.
    pub(super) fn index(&self) -> Option<&Path> {
        self.0.all.get(2).filter(|index| index.is_here()).map(|index| index.path.as_path())
    }

    /// Whether other files have the names of the log or of its index.
    pub(super) fn has_other_logs(&self) -> bool {
        self.0.all.iter().skip(1).any(|file| file.path.symlink_metadata().is_ok() && !file.is_here())
    }
}

impl Files {
    fn changed(&self) -> Option<Lost> {
        self.all.iter().enumerate().find_map(|(position, file)| {
            let happened = file.change()?;
            let place = file.path.display();
            let what = if position == 0 { "the database" } else { "a part of the database," };
            Some(Lost { what: format!("{what} {place} {happened}"), has_database: position > 0 })
        })
    }
}

impl DatabaseFile {
    /// What has happened to it. An error of the file system says nothing.
    fn change(&self) -> Option<&'static str> {
        match identity(&self.path) {
            Ok(Some(found)) if *self.open.get_or_init(|| found) != found => Some("was replaced by another file"),
            Err(error) if is_gone(&error) && self.open.get().is_some() => Some("was moved or removed"),
            Ok(_) | Err(_) => None,
        }
    }

    fn is_here(&self) -> bool {
        matches!(identity(&self.path), Ok(found) if found.is_some() && found == self.open.get().copied())
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Option<FileIdentity>> {
    use std::os::unix::fs::MetadataExt;
    // By its name alone: to open and close it would drop the locks that this process holds on it.
    std::fs::metadata(path).map(|metadata| Some((metadata.dev(), metadata.ino())))
}

#[cfg(not(unix))]
fn identity(_: &Path) -> io::Result<Option<FileIdentity>> {
    Ok(None)
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use super::*;

    fn opened() -> (tempfile::TempDir, PathBuf, InPlace) {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("site.db");
        for suffix in SUFFIXES {
            fs::write(format!("{}{suffix}", database.display()), "of the open database").expect("a file");
        }
        let files = InPlace::of(&database);
        assert_eq!(files.check(), Ok(()));
        (folder, database, files)
    }

    #[test]
    fn what_is_written_in_place_is_no_change() {
        let (_folder, database, files) = opened();
        fs::write(&database, "longer than it was before, and of the same number").expect("a file");
        assert_eq!(files.check(), Ok(()));
    }

    #[test]
    fn a_file_that_lost_its_name_is_told_and_not_forgotten_when_it_comes_back() {
        for suffix in SUFFIXES {
            let (folder, database, files) = opened();
            let (file, away) = (format!("{}{suffix}", database.display()), folder.path().join("away"));
            fs::rename(&file, &away).expect("a file");
            let message = files.check().expect_err("a file is gone").to_string();
            assert!(message.contains(&file) && message.contains("moved or removed"), "{message}");
            fs::rename(&away, &file).expect("a file");
            assert!(files.check().is_err(), "another process may have used the others");
        }
    }

    #[test]
    fn what_goes_when_the_database_is_closed_is_not_missing() {
        let (_folder, database, files) = opened();
        files.close();
        fs::remove_file(format!("{}-wal", database.display())).expect("a file");
        assert_eq!(files.check(), Ok(()));
        assert_eq!(files.lost(), None);
    }

    #[test]
    fn a_file_in_the_place_of_another_is_told() {
        for suffix in SUFFIXES {
            let (folder, database, files) = opened();
            let (file, other) = (format!("{}{suffix}", database.display()), folder.path().join("other"));
            fs::write(&other, "of another database").expect("a file");
            fs::rename(&other, &file).expect("a file");
            let message = files.check().expect_err("a file is replaced").to_string();
            assert!(message.contains(&file) && message.contains("replaced"), "{message}");
            assert_eq!(files.lost().is_some_and(|lost| lost.has_database), !suffix.is_empty());
        }
    }

    #[test]
    fn a_log_that_appears_after_the_database_was_opened_belongs_to_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("site.db");
        fs::write(&database, "a database").expect("a file");
        let files = InPlace::of(&database);
        fs::write(folder.path().join("site.db-wal"), "its log").expect("a file");
        assert_eq!(files.check(), Ok(()));
        fs::remove_file(folder.path().join("site.db-wal")).expect("a file");
        assert!(files.check().is_err());
    }
}
