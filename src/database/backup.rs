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
    /// The name has bytes that are no text.
    #[error("{} is not a name that SQLite can write to: it is not UTF-8; choose another", .0.display())]
    NotText(PathBuf),
    /// The copy has nothing in it.
    #[error("SQLite wrote nothing for {}; it was removed: choose another folder", .0.display())]
    Empty(PathBuf),
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
    /// The disk of the copy is full.
    #[error(
        "the disk of {} is full, and the part that was written is removed; make room there, or name a place on another disk", .0.display()
    )]
    DiskFull(PathBuf),
    /// The database failed.
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
/// [`BackupError`]; a half-written copy never has the name `to`, and what has that name is never overwritten.
pub async fn backup(database: &Database, to: &Path) -> Result<u64, BackupError> {
    let Some(file) = database.file() else { return Err(BackupError::Server) };
    if !migrations(database).await?.iter().any(|step| step.applied) {
        return Err(BackupError::Nothing(file.to_path_buf()));
    }
    let file_error = |source| BackupError::File { path: to.to_path_buf(), source };
    // Whole, so that SQLite does not read a name such as "file:…" as an address.
    let place = std::path::absolute(to).map_err(file_error)?;
    if place.to_str().is_none() {
        return Err(BackupError::NotText(to.to_path_buf()));
    }
    if place.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(to.to_path_buf()));
    }
    // A name of its own, so that two backups at the same time are two; it is removed when this returns early. SQLite
    // writes into an existing empty file; one that it creates itself could be read by other users.
    let part = tempfile::Builder::new().prefix(".backup-").suffix(".part").tempfile_in(folder(&place));
    let part = part.map_err(file_error)?.into_temp_path();
    let name = part.to_str().ok_or_else(|| BackupError::NotText(to.to_path_buf()))?.to_owned();
    database.reader().run("VACUUM INTO $1", [name.into()]).await.map_err(|error| match error {
        StoreError::DiskFull => BackupError::DiskFull(to.to_path_buf()),
        other => other.into(),
    })?;
    afterword_faults::point!("backup.copied", StoreError::Failed);
    let bytes = fs::File::open(&part).and_then(|file| file.sync_all().and(file.metadata())).map_err(file_error)?.len();
    if bytes == 0 {
        return Err(BackupError::Empty(to.to_path_buf()));
    }
    part.persist_noclobber(&place).map_err(|refused| match refused.error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_path_buf()),
        _ => file_error(refused.error),
    })?;
    sync_folder(&place).map_err(file_error)?;
    afterword_faults::point!("backup.placed", StoreError::Failed);
    Ok(bytes)
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// Syncs the folder: otherwise a renamed file may be lost at a power failure.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    fs::File::open(folder(path))?.sync_all()
}
