//! Copies of the whole database, made while it is in use.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use afterword_actors::store::{Database, StoreError, sql::Sql};

use super::{SchemaError, migrations};

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The target exists; it is never overwritten.
    #[error("{} exists already; choose another name, or remove it first", .0.display())]
    Exists(PathBuf),
    /// The database is new, or the address is wrong.
    #[error("{} is not a database of afterword's: it has no schema; check the address", .0.display())]
    Nothing(PathBuf),
    /// The schema cannot be read.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// PostgreSQL has its own tools.
    #[error(
        "a PostgreSQL database is backed up by PostgreSQL: `pg_dump --format=custom --file=FILE ADDRESS`, and put back \
         by `pg_restore --clean --if-exists --dbname=ADDRESS FILE`"
    )]
    Server,
    /// The database failed, or the disk of the copy is full.
    #[error("the backup failed and was removed: {0}")]
    Store(#[from] StoreError),
    /// The copy could not be moved to its place.
    #[error("the backup could not be written to {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// Writes a consistent copy of the database to `to`, while others read and write.
///
/// # Errors
/// [`BackupError`]; a half-written copy never has the name `to`.
pub async fn backup(database: &Database, to: &Path) -> Result<u64, BackupError> {
    let Some(file) = database.file() else { return Err(BackupError::Server) };
    if !migrations(database).await?.iter().any(|step| step.applied) {
        return Err(BackupError::Nothing(file.to_path_buf()));
    }
    if to.exists() {
        return Err(BackupError::Exists(to.to_path_buf()));
    }
    let part = with_suffix(to, ".part");
    let file_error = |source| BackupError::File { path: to.to_path_buf(), source };
    if part.exists() {
        fs::remove_file(&part).map_err(file_error)?;
    }
    // SQLite writes into an existing empty file; one that it creates itself could be read by other users.
    drop(new_private_file(&part).map_err(file_error)?);
    let copied = database.reader().run("VACUUM INTO $1", [part.to_string_lossy().into_owned().into()]).await;
    if let Err(error) = copied {
        let _ = fs::remove_file(&part);
        return Err(error.into());
    }
    afterword_faults::point!("backup.copied", StoreError::Failed);
    let placed = fs::File::open(&part).and_then(|file| file.sync_all()).and_then(|()| fs::rename(&part, to));
    if let Err(error) = placed.and_then(|()| sync_folder(to)) {
        let _ = fs::remove_file(&part);
        return Err(file_error(error));
    }
    afterword_faults::point!("backup.placed", StoreError::Failed);
    Ok(fs::metadata(to).map_err(file_error)?.len())
}

/// A name beside `path`.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Creates a file that only its owner may read.
pub(super) fn new_private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Syncs the folder: otherwise a renamed file may be lost at a power failure.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    fs::File::open(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))?.sync_all()
}
