//! Where a database is, and why it could not be opened.

use std::{path::PathBuf, time::Duration};

use super::{OpenError, location};

/// Longest wait, when a database is closed, for what it does not answer.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Where the database is and how many connections it gets.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// `sqlite://path/to/file.db` or `postgres://user:password@host/database`
    pub url: String,
    /// Connections for reading.
    pub read_connections: u32,
    /// Connections for writing; SQLite has one.
    pub write_connections: u32,
    /// How long to wait for a lock of another process.
    pub busy_timeout: Duration,
    /// How long to wait for a PostgreSQL that refuses connections: it may be starting.
    pub start_timeout: Duration,
    /// Whether an SQLite file may have tables of other programs.
    pub tables: Tables,
}

/// Whether an SQLite file may have tables of other programs. On PostgreSQL they are never looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tables {
    /// No: only those of the runtime, and what its host has made beside them. A mistyped address may name the file of
    /// another program.
    #[default]
    OnlyOurs,
    /// Yes: the runtime's tables are made beside those that the file of its host has already.
    AmongOthers,
}

/// Short, because a person waits for a command.
const START_TIMEOUT: Duration = Duration::from_secs(1);

impl OpenOptions {
    /// Makes options for `url` with the defaults.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            read_connections: 4,
            write_connections: 8,
            busy_timeout: Duration::from_secs(10),
            start_timeout: START_TIMEOUT,
            tables: Tables::default(),
        }
    }

    /// Returns the path of the SQLite database, without links; `None` if the address is not of SQLite. Opens nothing.
    ///
    /// # Errors
    /// [`OpenError`] if it names no file, or one that must not be used.
    pub fn sqlite_file(&self) -> Result<Option<PathBuf>, OpenError> {
        match self.url.split_once("://") {
            Some(("sqlite", address)) => location::resolve(address).map(Some),
            _ => Ok(None),
        }
    }
}
