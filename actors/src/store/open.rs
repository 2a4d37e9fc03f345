//! Opening a database file the way Afterword needs it.

use std::{path::PathBuf, time::Duration};

use sea_orm::{
    ConnectOptions, DatabaseConnection,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{StoreError, sql::Sql, writer::Writer};

/// Statements kept prepared on each connection; above the number of different statements in the program.
const STATEMENT_CACHE: usize = 512;
/// Page cache of a connection, in KiB; negative as SQLite wants it for a size rather than a number of pages.
const CACHE_KIB: &str = "-16384";

/// Where the database is and how many may read it at once.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// `sqlite://path/to/file.db`
    pub url: String,
    /// Connections for reading; writes have one of their own.
    pub read_connections: u32,
    /// How long to wait for another process's write lock.
    pub busy_timeout: Duration,
}

impl OpenOptions {
    /// Sensible defaults for `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), read_connections: 4, busy_timeout: Duration::from_secs(10) }
    }
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// An address this program has no driver for.
    #[error("the database address \"{0}\" is not understood; it must begin with sqlite://")]
    UnknownScheme(String),
    /// No file named.
    #[error("the database address names no file; write for example sqlite:///home/me/afterword.db")]
    NoFile,
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

/// An open database: many readers, one writer.
pub(super) struct Parts {
    pub(super) read: DatabaseConnection,
    pub(super) write: DatabaseConnection,
    pub(super) writer: Writer,
    pub(super) path: PathBuf,
}

pub(super) async fn open(options: &OpenOptions) -> Result<Parts, OpenError> {
    let path = sqlite_path(&options.url)?;
    make_folder(&path)?;
    let fail = |source| OpenError::Store { url: options.url.clone(), source };
    let write = connect(options, &path, 1).await.map_err(fail)?;
    // The first connection turns the file to WAL before readers come.
    write.run("SELECT 1", []).await.map_err(fail)?;
    let read = connect(options, &path, options.read_connections.max(1)).await.map_err(fail)?;
    Ok(Parts { read, write: write.clone(), writer: Writer::start(write), path })
}

fn sqlite_path(url: &str) -> Result<PathBuf, OpenError> {
    let Some(rest) = url.strip_prefix("sqlite://") else {
        return Err(OpenError::UnknownScheme(url.split_once("://").map_or(url, |(scheme, _)| scheme).to_owned()));
    };
    let path = rest.split_once('?').map_or(rest, |(path, _)| path);
    if path.is_empty() || path == ":memory:" {
        return Err(OpenError::NoFile);
    }
    Ok(PathBuf::from(path))
}

fn make_folder(path: &std::path::Path) -> Result<(), OpenError> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            std::fs::create_dir_all(folder).map_err(|source| OpenError::Folder { path: folder.to_path_buf(), source })
        }
        _ => Ok(()),
    }
}

async fn connect(
    options: &OpenOptions,
    path: &std::path::Path,
    connections: u32,
) -> Result<DatabaseConnection, StoreError> {
    let (path, busy_timeout) = (path.to_path_buf(), options.busy_timeout);
    let mut connect = ConnectOptions::new("sqlite://file");
    connect
        .min_connections(1)
        .max_connections(connections)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .test_before_acquire(false)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .acquire_timeout(busy_timeout.max(Duration::from_secs(30)))
        .map_sqlx_sqlite_opts(move |_| sqlite_options(&path, busy_timeout));
    Ok(sea_orm::Database::connect(connect).await?)
}

fn sqlite_options(path: &std::path::Path, busy_timeout: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(busy_timeout)
        .statement_cache_capacity(STATEMENT_CACHE)
        .pragma("cache_size", CACHE_KIB)
        .pragma("temp_store", "MEMORY")
}
