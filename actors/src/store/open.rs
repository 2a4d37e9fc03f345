//! Where a database is, and why it could not be opened.

use std::{path::PathBuf, time::Duration};

use super::{OpenError, location};

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
    /// Whose tables an SQLite file may have.
    pub tables: Tables,
}

/// Whose tables an SQLite file may have. On PostgreSQL those of others are never looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tables {
    /// Those of the runtime, and what its host has made beside them: another program's file is refused, as a mistyped
    /// address names one.
    #[default]
    OnlyOurs,
    /// Any: the runtime's are made beside the tables of a file that its host has had before.
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
