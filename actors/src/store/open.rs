//! Where a database is, and why it could not be opened.

use std::{path::PathBuf, time::Duration};

use super::StoreError;

/// Where the database is and how many may use it at once.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// `sqlite://path/to/file.db` or `postgres://user:password@host/database`
    pub url: String,
    /// Connections for reading.
    pub read_connections: u32,
    /// Connections for writing; a file has one.
    pub write_connections: u32,
    /// How long to wait for a lock that another process holds.
    pub busy_timeout: Duration,
}

impl OpenOptions {
    /// Sensible defaults for `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), read_connections: 4, write_connections: 8, busy_timeout: Duration::from_secs(10) }
    }
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// An address this program has no driver for.
    #[error("the database address \"{0}\" is not understood; it must begin with sqlite:// or postgres://")]
    UnknownScheme(String),
    /// No file named.
    #[error("the database address names no file; write for example sqlite:///home/me/afterword.db")]
    NoFile,
    /// Not an address of a server.
    #[error("the database address is not understood: {0}; write for example postgres://me@localhost/afterword")]
    Address(String),
    /// The folder could not be made.
    #[error("cannot create the folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database refused.
    #[error("cannot open the database {url}: {source}")]
    Store {
        /// The address, without a password.
        url: String,
        /// What it said.
        source: StoreError,
    },
}
