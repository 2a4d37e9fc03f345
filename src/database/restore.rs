//! Putting a backup in the place of the database.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use afterword_actors::store::{Alone, Database, OpenError, OpenOptions, StoreError, sql::Sql};

use super::{
    SchemaError, Verification,
    backup::{new_private_file, with_suffix},
    migrations, verify,
};

/// Why a backup was not put back. The database is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// No such file.
    #[error("there is no file {}", .0.display())]
    Missing(PathBuf),
    /// It cannot be opened.
    #[error("the backup cannot be opened: {0}")]
    Unopened(#[from] OpenError),
    /// The place where it is to go.
    #[error(transparent)]
    Target(OpenError),
    /// Its schema cannot be used.
    #[error("the backup cannot be used: {0}")]
    Schema(#[from] SchemaError),
    /// It is damaged.
    #[error("the backup is damaged ({0}); the database was left as it is")]
    Damaged(String),
    /// A server has its own tools.
    #[error("a PostgreSQL database is put back by `pg_restore --clean --if-exists --dbname=ADDRESS FILE`")]
    Server,
    /// A host runs on the database.
    #[error("the database is in use by process {pid} on {hostname}; stop it first")]
    InUse {
        /// Its process.
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
        /// What the system said.
        source: io::Error,
    },
}

/// A backup that has been put back.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Restored {
    /// Articles it holds.
    pub articles: i64,
    /// Where the database that was there before has gone, if there was one.
    pub kept: Option<PathBuf>,
}

/// Puts the backup `from` in the place of the SQLite database at `options`, after checking it whole. What was there before is
/// kept beside it. No other process has the database open meanwhile; a refused backup leaves nothing behind.
///
/// # Errors
/// [`RestoreError`]
pub async fn restore(options: &OpenOptions, from: &Path) -> Result<Restored, RestoreError> {
    if !from.is_file() {
        return Err(RestoreError::Missing(from.to_path_buf()));
    }
    let target = options.sqlite_file().map_err(RestoreError::Target)?.ok_or(RestoreError::Server)?;
    let alone = match Alone::take(options).await.map_err(RestoreError::Target)? {
        Some(alone) => alone,
        None => return Err(used_by(options, target).await),
    };
    let part = Part(with_suffix(alone.path(), ".restoring"));
    copy(from, &part.0)?;
    afterword_faults::point!("restore.copied", StoreError::Failed);
    let articles = check(options, &part.0).await?;
    afterword_faults::point!("restore.checked", StoreError::Failed);
    let fail = |source| RestoreError::File { path: target.clone(), source };
    let kept = alone.replace(&part.0).map_err(fail)?;
    Ok(Restored { articles, kept })
}

/// A copy that is not in its place; removed with all that SQLite has put beside it.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        remove_database(&self.0);
    }
}

/// The host that has the database open, if it is one.
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
    let mut source = fs::File::open(from).map_err(fail)?;
    let mut copy = new_private_file(to).map_err(fail)?;
    io::copy(&mut source, &mut copy).and_then(|_| copy.sync_all()).map_err(fail)
}

/// Opens the copy and looks through all of it; answers the number of articles.
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
        return Err(RestoreError::Damaged("it is no database of afterword's".to_owned()));
    }
    if steps.iter().all(|step| step.applied) {
        let Verification { sound, findings, .. } = verify(database).await?;
        if !sound {
            let first = findings.first().map(|finding| finding.message.clone()).unwrap_or_default();
            return Err(RestoreError::Damaged(first));
        }
    }
    let articles = super::verify::count(database, "SELECT count(*) AS n FROM articles").await?;
    // The write-ahead log goes back into the file, so that one file is the whole copy.
    database.write_connection().run("PRAGMA wal_checkpoint(TRUNCATE)", []).await?;
    Ok(articles)
}

fn remove_database(path: &Path) {
    for side in ["", "-wal", "-shm", "-journal", ".vectors"] {
        let _ = fs::remove_file(with_suffix(path, side));
    }
    let _ = fs::remove_dir_all(with_suffix(path, ".hosts"));
}
