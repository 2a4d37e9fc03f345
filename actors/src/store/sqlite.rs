//! An SQLite database: many readers, one writer.

mod batch;
mod commit_gate;
mod in_place;
mod job;
mod liveness;
mod log;
mod occupancy;
mod ownership;
mod replacement;
mod retreat;
mod savepoints;
mod vector_file_path;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sea_orm::{
    ConnectOptions,
    sqlx::{
        Sqlite as Driver,
        pool::PoolOptions,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    CLOSE_TIMEOUT, OpenError, OpenOptions, StoreError, location,
    sql::{Connection, Sql},
};
use commit_gate::CommitGate;
use in_place::InPlace;
pub(super) use liveness::Liveness;
pub use liveness::LivenessError;
use log::Log;
use occupancy::SharedLock;
pub use occupancy::{ExclusiveLock, UnopenedLock, is_there};
pub use ownership::APPLICATION_ID;
pub use vector_file_path::VectorFilePath;
use writer::Writer;

/// Statements kept prepared on each connection; above the number of different statements in the program.
const STATEMENT_CACHE: usize = 512;
/// Page cache of a connection. *Units:* KiB; negative, because SQLite takes a positive number for pages.
const CACHE_KIB: &str = "-16384";

/// How long a process that ends waits until it has saved what it can of a database whose files have lost their names.
const RETREAT_TIMEOUT: Duration = Duration::from_secs(30);

/// Connections for the runtime's own reads.
const RUNTIME_CONNECTIONS: u32 = 3;

/// An open database file.
pub(super) struct Sqlite {
    pub(super) read: Connection,
    /// For the runtime only: searches cannot keep it waiting.
    pub(super) runtime: Connection,
    pub(super) write: Connection,
    pub(super) writer: Writer,
    pub(super) path: PathBuf,
    files: InPlace,
    /// `None` once it was closed.
    watch: Mutex<Option<AbortOnDropHandle<()>>>,
    _occupied: Arc<SharedLock>,
}

impl Sqlite {
    /// Opens the file at `address` (what follows `sqlite://`), creating it and its folder if needed.
    pub(super) async fn open(address: &str, options: &OpenOptions) -> Result<Self, OpenError> {
        let path = location::resolve(address)?;
        ownership::check(&path, options).await?;
        location::make_folder(&path)?;
        occupancy::finish_replacement(&path, options.busy_timeout).await?;
        let occupied = Arc::new(SharedLock::share(&path, options.busy_timeout).await?);
        location::make_file(&path);
        afterword_faults::point!("open.made", OpenError::Address);
        let fail = |source| OpenError::Store { url: options.url.clone(), source };
        let gate = CommitGate::default();
        // The first connection switches the file to WAL before readers come.
        let write = connect_patiently(options, &path, &gate).await.map_err(fail)?;
        // From its first reading on, no other process removes the log: what is noted now stays.
        write.row::<i64>("SELECT count(*) AS n FROM sqlite_schema", []).await.map_err(fail)?;
        let files = InPlace::of(&path);
        afterword_faults::point!("open.connected", OpenError::Address);
        let read = connect(options, &path, PoolKind::Readers(options.read_connections)).await.map_err(fail)?;
        let runtime = connect(options, &path, PoolKind::Readers(RUNTIME_CONNECTIONS)).await.map_err(fail)?;
        let writer = Writer::start(write.clone(), gate, Log::of(&path, options.busy_timeout), files.clone());
        let all = retreat::OpenPools { write: write.clone(), read: read.clone(), runtime: runtime.clone() };
        let watch = retreat::watch(files.clone(), path.clone(), all, Arc::clone(&occupied));
        let watch = Mutex::new(Some(AbortOnDropHandle::new(tokio::spawn(watch))));
        Ok(Self { read, runtime, write, writer, path, files, watch, _occupied: occupied })
    }

    /// Checks that the open files are still those of their names.
    ///
    /// # Errors
    /// [`StoreError::NotInPlace`]
    pub(super) fn check_in_place(&self) -> Result<(), StoreError> {
        self.files.check()
    }

    /// Accepts no further writes, finishes the accepted ones, and closes.
    pub(super) async fn close(&self) {
        let is_drained = tokio::time::timeout(CLOSE_TIMEOUT, self.writer.drain()).await.is_ok();
        let watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner).take();
        if self.files.check().is_err() {
            // What can be kept is kept before the process ends.
            if let Some(watch) = watch
                && tokio::time::timeout(RETREAT_TIMEOUT, watch).await.is_err()
            {
                tracing::error!("what was saved last could not be kept in time, and ends with this process");
            }
            // SQLite would remove the log by its name, which may be another's by now.
            return [&self.read, &self.runtime, &self.write].into_iter().for_each(retreat::keep_open);
        }
        // The log that goes with the last connection is no loss, neither to the watch nor to a write that comes too
        // late.
        self.files.close();
        drop(watch);
        // If not, the writer waits for the lock of another process, and its connection closes with this one.
        if is_drained {
            let _ = self.read.clone().close().await;
            let _ = self.runtime.clone().close().await;
            let _ = self.write.clone().close().await;
        }
    }
}

/// Connects with retries: when two processes switch a new file to WAL at the same time, SQLite refuses one at once.
async fn connect_patiently(options: &OpenOptions, path: &Path, gate: &CommitGate) -> Result<Connection, StoreError> {
    const RETRY_AFTER: Duration = Duration::from_millis(10);
    let ends = tokio::time::Instant::now() + options.busy_timeout;
    loop {
        match connect(options, path, PoolKind::Writer(gate.clone())).await {
            Err(StoreError::Busy) if tokio::time::Instant::now() < ends => tokio::time::sleep(RETRY_AFTER).await,
            other => return other,
        }
    }
}

/// The purpose of a pool's connections.
enum PoolKind {
    /// Writing: one connection, watched by this gate.
    Writer(CommitGate),
    /// Reading: this many connections.
    Readers(u32),
}

async fn connect(options: &OpenOptions, path: &Path, kind: PoolKind) -> Result<Connection, StoreError> {
    let (path, busy_timeout) = (path.to_path_buf(), options.busy_timeout);
    let mut connect = ConnectOptions::new("sqlite://file");
    connect
        .min_connections(1)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .test_before_acquire(false)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .acquire_timeout(busy_timeout.max(Duration::from_secs(30)));
    match kind {
        PoolKind::Writer(gate) => {
            connect
                .max_connections(1)
                .map_sqlx_sqlite_opts(move |_| sqlite_options(&path, busy_timeout).journal_mode(SqliteJournalMode::Wal))
                .map_sqlx_sqlite_pool_opts(move |pool| watched(pool, &gate));
        }
        // They find the file as the writer has made it: if it is another by now, they change nothing in it.
        PoolKind::Readers(most) => {
            connect.max_connections(most.max(1)).map_sqlx_sqlite_opts(move |_| sqlite_options(&path, busy_timeout));
        }
    }
    sea_orm::Database::connect(connect).await.map(Connection::of).map_err(StoreError::of)
}

/// Configures a pool to keep a connection only as long as it can be trusted.
fn watched(pool: PoolOptions<Driver>, gate: &CommitGate) -> PoolOptions<Driver> {
    let (new, returned) = (gate.clone(), gate.clone());
    pool.after_connect(move |connection, _| {
        let gate = new.clone();
        Box::pin(async move { gate.watch(connection).await })
    })
    .before_acquire(|connection, _| Box::pin(async { Ok(CommitGate::is_at_rest(connection)) }))
    .after_release(move |_, _| {
        let keep = !returned.is_lost();
        Box::pin(async move { Ok(keep) })
    })
}

fn sqlite_options(path: &Path, busy_timeout: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        // It is made before it is connected to: one that is missing later was removed.
        .create_if_missing(false)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(busy_timeout)
        .statement_cache_capacity(STATEMENT_CACHE)
        .pragma("cache_size", CACHE_KIB)
        .pragma("temp_store", "MEMORY")
        // Only macOS knows these: a plain sync does not reach the disk there.
        .pragma("fullfsync", "1")
        .pragma("checkpoint_fullfsync", "1")
}
