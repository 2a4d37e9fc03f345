//! Why a database could not be opened.

use std::path::PathBuf;

use super::StoreError;

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address has an unknown scheme.
    #[error("the database address \"{0}\" is not understood; it must begin with sqlite:// or postgres://")]
    UnknownScheme(String),
    /// The address names no file.
    #[error("the database address names no file; write for example sqlite:///home/me/afterword.db")]
    NoFile,
    /// The address begins with `~`, and there is no home directory.
    #[error("the database address begins with ~, and there is no home directory; write the whole path")]
    NoHome,
    /// The path is a folder or a device.
    #[error("{} is not a file; name the file of the database", .0.display())]
    NotAFile(PathBuf),
    /// The file has several hard links.
    #[error(
        "{} has {names} names (hard links); SQLite keeps a log beside each, and they would destroy each other: copy \
         the file with `afterword db backup` instead, and remove the other names", path.display()
    )]
    SeveralNames {
        /// The name by which it was to be opened.
        path: PathBuf,
        /// How many names it has.
        names: u64,
    },
    /// The file itself is a mount point.
    #[error(
        "{} is mounted by itself, and SQLite's log beside it would be left behind; mount the folder that holds it",
        .0.display()
    )]
    MountedAlone(PathBuf),
    /// The file is not an SQLite database.
    #[error(
        "{} is not an SQLite database, or its beginning is damaged; name another file, or restore a backup \
         (`afterword db restore FILE`)", .0.display()
    )]
    NotSqlite(PathBuf),
    /// The database belongs to another program.
    #[error("{} is another program's database ({what}); nothing was changed: name another file", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What shows that.
        what: String,
    },
    /// A restore was killed and cannot be finished.
    #[error("a restore of {} was interrupted and cannot be completed: {source}", path.display())]
    Unfinished {
        /// The database.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// It cannot be found out which processes have the database open.
    #[error("cannot lock the database by files in {}: {source}", path.display())]
    Lock {
        /// The folder of the locks.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A restore is running.
    #[error("{} is being restored or copied by another process; try again when that has ended", .0.display())]
    BeingReplaced(PathBuf),
    /// The address is not one of PostgreSQL.
    #[error("the database address is not understood: {0}; write for example postgres://me@localhost/afterword")]
    Address(String),
    /// The folder could not be created.
    #[error("cannot create the folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The database refused to be opened.
    #[error("cannot open the database {url}: {source}")]
    Store {
        /// The address, without a password.
        url: String,
        /// Its error.
        source: StoreError,
    },
}
