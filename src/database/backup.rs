//! Copies of the whole database, made while it is in use, and putting one back.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use afterword_actors::store::{Database, OpenError, OpenOptions, StoreError, sql::Sql};

use super::{SchemaError, Verification, migrations, verify};

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Never overwrites.
    #[error("{} exists already; choose another name, or remove it first", .0.display())]
    Exists(PathBuf),
    /// A server has its own tools.
    #[error(
        "a PostgreSQL database is backed up by PostgreSQL: `pg_dump --format=custom --file=FILE ADDRESS`, and put back \
         by `pg_restore --clean --if-exists --dbname=ADDRESS FILE`"
    )]
    Server,
    /// The database failed, or the disk of the copy is full.
    #[error("the backup failed and was removed: {0}")]
    Store(#[from] StoreError),
    /// The copy could not be put in its place.
    #[error("the backup could not be written to {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes a consistent copy of the database to `to`, while others read and write.
///
/// # Errors
/// [`BackupError`]; a half-written copy never bears the name `to`.
pub async fn backup(database: &Database, to: &Path) -> Result<u64, BackupError> {
    if database.file().is_none() {
        return Err(BackupError::Server);
    }
    if to.exists() {
        return Err(BackupError::Exists(to.to_path_buf()));
    }
    let part = with_suffix(to, ".part");
    let file_error = |source| BackupError::File { path: to.to_path_buf(), source };
    if part.exists() {
        fs::remove_file(&part).map_err(file_error)?;
    }
    let copied = database.reader().run("VACUUM INTO $1", [part.to_string_lossy().into_owned().into()]).await;
    if let Err(error) = copied {
        let _ = fs::remove_file(&part);
        return Err(error.into());
    }
    fs::File::open(&part).and_then(|file| file.sync_all()).map_err(file_error)?;
    fs::rename(&part, to).map_err(file_error)?;
    Ok(fs::metadata(to).map_err(file_error)?.len())
}

/// Why a backup was not put back. The database is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// No such file.
    #[error("there is no file {}", .0.display())]
    Missing(PathBuf),
    /// It cannot be opened.
    #[error("the backup cannot be opened: {0}")]
    Open(#[from] OpenError),
    /// Its schema cannot be used.
    #[error("the backup cannot be used: {0}")]
    Schema(#[from] SchemaError),
    /// It is damaged.
    #[error("the backup is damaged ({0}); the database was left as it is")]
    Damaged(String),
    /// A server has its own tools.
    #[error("a PostgreSQL database is put back by `pg_restore --clean --if-exists --dbname=ADDRESS FILE`")]
    Server,
    /// Somebody uses the database.
    #[error("the database is in use by process {pid} on {hostname}; stop it first")]
    InUse {
        /// Its process.
        pid: i64,
        /// Its machine.
        hostname: String,
    },
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

/// Puts the backup `from` in the place of the database at `options`, after checking it whole. What was there before is
/// kept beside it.
///
/// # Errors
/// [`RestoreError`]
pub async fn restore(options: &OpenOptions, target: &Path, from: &Path) -> Result<Restored, RestoreError> {
    if !from.is_file() {
        return Err(RestoreError::Missing(from.to_path_buf()));
    }
    let part = with_suffix(target, ".restoring");
    copy(from, &part)?;
    let checked = check(options, &part).await;
    let articles = match checked {
        Ok(articles) => articles,
        Err(error) => {
            remove_database(&part);
            return Err(error);
        }
    };
    let kept = move_away(options, target).await?;
    rename(&part, target)?;
    Ok(Restored { articles, kept })
}

fn copy(from: &Path, to: &Path) -> Result<(), RestoreError> {
    let fail = |source| RestoreError::File { path: to.to_path_buf(), source };
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(fail)?;
    }
    remove_database(to);
    fs::copy(from, to).map_err(fail)?;
    fs::File::open(to).and_then(|file| file.sync_all()).map_err(fail)
}

/// Opens the copy and looks through all of it; answers the number of articles.
async fn check(options: &OpenOptions, copy: &Path) -> Result<i64, RestoreError> {
    let url = format!("sqlite://{}", copy.display());
    let database = Database::open(&OpenOptions { url, ..options.clone() }).await?;
    let unapplied = migrations(&database).await?.iter().filter(|step| !step.applied).count();
    let known = migrations(&database).await?.len();
    if unapplied == known {
        return Err(RestoreError::Damaged("it is no database of afterword's".to_owned()));
    }
    let outcome = if unapplied == 0 { Some(verify(&database).await?) } else { None };
    let articles = super::verify::count(&database, "SELECT count(*) AS n FROM articles").await?;
    // The write-ahead log goes back into the file, so that one file is the whole copy.
    database.write_connection().run("PRAGMA wal_checkpoint(TRUNCATE)", []).await?;
    database.close().await;
    match outcome {
        Some(Verification { sound: false, findings, .. }) => {
            let first = findings.first().map(|finding| finding.message.clone()).unwrap_or_default();
            Err(RestoreError::Damaged(first))
        }
        Some(_) | None => Ok(articles),
    }
}

async fn move_away(options: &OpenOptions, target: &Path) -> Result<Option<PathBuf>, RestoreError> {
    if !target.exists() {
        return Ok(None);
    }
    // A damaged database need not open for being replaced.
    if let Ok(database) = Database::open(options).await {
        let in_use = in_use(&database).await;
        let _ = database.write_connection().run("PRAGMA wal_checkpoint(TRUNCATE)", []).await;
        database.close().await;
        in_use?;
    }
    let stamp = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    let kept = with_suffix(target, &format!(".before-restore-{stamp}"));
    rename(target, &kept)?;
    for side in ["-wal", "-shm"] {
        let (from, to) = (with_suffix(target, side), with_suffix(&kept, side));
        if from.exists() {
            rename(&from, &to)?;
        }
    }
    Ok(Some(kept))
}

async fn in_use(database: &Database) -> Result<(), RestoreError> {
    let living = database.living(1000).await.unwrap_or_default();
    match living.into_iter().next() {
        Some(host) => Err(RestoreError::InUse { pid: host.pid, hostname: host.hostname }),
        None => Ok(()),
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), RestoreError> {
    fs::rename(from, to).map_err(|source| RestoreError::File { path: to.to_path_buf(), source })
}

fn remove_database(path: &Path) {
    for side in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(with_suffix(path, side));
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
