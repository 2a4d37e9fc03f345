//! Replaces the database by a backup.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use afterword_actors::store::{Database, ExclusiveLock, OpenError, OpenOptions, StoreError, UnopenedLock, sql::Sql};

use super::{SchemaError, Verification, migrations, verify};

/// What the name of a log has behind that of its database.
const LOG: &str = "-wal";

/// Why a backup was not restored. The database is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file does not exist.
    #[error("there is no file {}", .0.display())]
    Missing(PathBuf),
    /// It is the database that it would replace.
    #[error("{} is the database itself; name a backup of it", .0.display())]
    Itself(PathBuf),
    /// A process writes to it.
    #[error(
        "{} is open in another process, and would be copied half-written; stop that, or restore what `afterword db backup` \
         makes of it", .0.display()
    )]
    SourceOpen(PathBuf),
    /// It cannot be opened.
    #[error("the backup cannot be opened: {0}")]
    Unopened(#[from] OpenError),
    /// The target address cannot be used.
    #[error(transparent)]
    Target(OpenError),
    /// Its schema cannot be used.
    #[error("the backup cannot be used: {0}")]
    Schema(#[from] SchemaError),
    /// It is damaged.
    #[error("the backup is damaged ({0}); the database was left as it is")]
    Damaged(String),
    /// PostgreSQL has its own tools.
    #[error("a PostgreSQL database is put back by `pg_restore --clean --if-exists --dbname=ADDRESS FILE`")]
    Server,
    /// A host is running on the database.
    #[error("the database is in use by process {pid} on {hostname}; stop it first")]
    InUse {
        /// Its process id.
        pid: i64,
        /// Its machine.
        hostname: String,
    },
    /// A process without a host has it open.
    #[error(
        "{} is open in another process (a command, or an agent's `afterword mcp`); let it end, or stop it, first",
        .0.display()
    )]
    Open(PathBuf),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Files could not be moved.
    #[error("cannot put {} in its place: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// A restored backup.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RestoreReport {
    /// Number of its articles.
    pub articles: i64,
    /// Where the replaced database is now, if there was one.
    pub kept: Option<PathBuf>,
}

/// Replaces the SQLite database at `options` by the backup `from`, after checking all of it. The old database is kept
/// beside it. No other process may have the database open meanwhile; a refused backup leaves nothing behind.
///
/// # Errors
/// [`RestoreError`]
pub async fn restore(options: &OpenOptions, from: &Path) -> Result<RestoreReport, RestoreError> {
    let target = options.sqlite_file().map_err(RestoreError::Target)?.ok_or(RestoreError::Server)?;
    let from = source(from)?;
    if from == target {
        return Err(RestoreError::Itself(from));
    }
    let unreadable = |source| RestoreError::File { path: from.clone(), source };
    let Some(_unopened) = UnopenedLock::see(&from).map_err(unreadable)? else {
        return Err(RestoreError::SourceOpen(from));
    };
    let alone = match ExclusiveLock::take(options).await.map_err(RestoreError::Target)? {
        Some(alone) => alone,
        None => return Err(used_by(options, target).await),
    };
    let part = Part(with_suffix(alone.path(), ".restoring"));
    copy(&from, &part.0)?;
    afterword_faults::point!("restore.copied", StoreError::Failed);
    let articles = check(options, &part.0).await?;
    afterword_faults::point!("restore.checked", StoreError::Failed);
    let fail = |source| RestoreError::File { path: target.clone(), source };
    let kept = alone.replace(&part.0).map_err(fail)?;
    Ok(RestoreReport { articles, kept })
}

/// The backup without links: its log is beside the file itself.
fn source(from: &Path) -> Result<PathBuf, RestoreError> {
    if !from.is_file() {
        return Err(RestoreError::Missing(from.to_path_buf()));
    }
    from.canonicalize().map_err(|source| RestoreError::File { path: from.to_path_buf(), source })
}

/// A copy that is not in its place yet; removed with all files that SQLite has put beside it.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        remove_database(&self.0);
    }
}

/// Finds the host that has the database open, if it is one.
async fn used_by(options: &OpenOptions, target: PathBuf) -> RestoreError {
    let host = match Database::open(options).await {
        Ok(database) => {
            let living = database.living(1).await.unwrap_or_default().into_iter().next();
            database.close().await;
            living
        }
        Err(_) => None,
    };
    match host {
        Some(host) => RestoreError::InUse { pid: host.pid, hostname: host.hostname },
        None => RestoreError::Open(target),
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), RestoreError> {
    let fail = |source| RestoreError::File { path: to.to_path_buf(), source };
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(fail)?;
    }
    remove_database(to);
    let copied = |from: &Path, to: &Path| {
        let mut source = fs::File::open(from)?;
        let mut copy = new_private_file(to)?;
        io::copy(&mut source, &mut copy).and_then(|_| copy.sync_all())
    };
    copied(from, to).map_err(fail)?;
    // What a process that died had saved last is in its log, which the check of the copy takes in.
    match copied(&with_suffix(from, LOG), &with_suffix(to, LOG)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fail(error)),
        _ => Ok(()),
    }
}

/// Opens the copy and reads all of it; returns the number of articles.
async fn check(options: &OpenOptions, copy: &Path) -> Result<i64, RestoreError> {
    let url = format!("sqlite://{}", copy.display());
    let database = Database::open(&OpenOptions { url, ..options.clone() }).await?;
    let checked = look_through(&database).await;
    database.close().await;
    checked
}

async fn look_through(database: &Database) -> Result<i64, RestoreError> {
    let steps = migrations(database).await?;
    if !steps.iter().any(|step| step.applied) {
        return Err(RestoreError::Damaged("it is not a database of afterword's".to_owned()));
    }
    if steps.iter().all(|step| step.applied) {
        let Verification { sound, findings, .. } = verify(database).await?;
        if !sound {
            let first = findings.first().map(|finding| finding.message.clone()).unwrap_or_default();
            return Err(RestoreError::Damaged(first));
        }
    }
    let articles = super::verify::count(database, "SELECT count(*) AS n FROM articles").await?;
    // The write-ahead log is copied into the file, so that one file is the whole copy.
    database.write_connection().run("PRAGMA wal_checkpoint(TRUNCATE)", []).await?;
    Ok(articles)
}

/// A name beside `path`.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Creates a file that only its owner may read.
fn new_private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn remove_database(path: &Path) {
    for side in ["", "-wal", "-shm", "-journal", ".vectors"] {
        let _ = fs::remove_file(with_suffix(path, side));
    }
    let _ = fs::remove_dir_all(with_suffix(path, ".hosts"));
}
