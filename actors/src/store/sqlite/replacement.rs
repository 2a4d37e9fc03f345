//! Replaces a database file, so that at each moment either the old or the new one is found.
//!
//! The new file first gets a name that says that it is complete. From then on the replacement only goes forward: if the
//! process dies between the removal of the old file and the arrival of the new one, the next process that opens the
//! database finishes it. Left-over logs of the old file are removed with it: SQLite would take them for the new one's.
//! So are the vectors that were stored beside it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use super::beside::Beside;

/// Suffix of a complete database that waits to be moved into place.
const READY: &str = ".restored";
/// Suffix of the replaced database, followed by the time in seconds.
const BEFORE: &str = ".before-restore-";
const LOGS: [&str; 2] = ["-wal", "-shm"];

/// Replaces `database` by `new`; returns where the old one is now, if there was one.
pub(super) fn put(database: &Path, new: &Path) -> io::Result<Option<PathBuf>> {
    let ready = beside(database, READY);
    fs::rename(new, &ready)?;
    sync_folder(database)?;
    afterword_faults::point!("restore.ready", io::Error::other::<String>);
    let stamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let kept = beside(database, &format!("{BEFORE}{stamp}"));
    let moved = match fs::rename(database, &kept) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => {
            let _ = fs::rename(&ready, new);
            return Err(error);
        }
    };
    afterword_faults::point!("restore.moved", io::Error::other::<String>);
    move_logs(database, &kept)?;
    Beside::new(database).remove();
    fs::rename(&ready, database)?;
    sync_folder(database)?;
    afterword_faults::point!("restore.placed", io::Error::other::<String>);
    Ok(moved.then_some(kept))
}

/// Whether a process died while it replaced the database.
pub(super) fn is_unfinished(database: &Path) -> bool {
    beside(database, READY).exists()
}

/// Finishes the replacement of a process that died.
pub(super) fn finish(database: &Path) -> io::Result<()> {
    let ready = beside(database, READY);
    if !ready.exists() {
        return Ok(());
    }
    if database.exists() {
        // It died before it touched anything.
        return fs::remove_file(&ready);
    }
    Beside::new(database).remove();
    move_logs(database, &last_kept(database).unwrap_or_else(|| beside(database, BEFORE)))?;
    match fs::rename(&ready, database) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.and_then(|()| sync_folder(database)),
    }
}

fn move_logs(database: &Path, kept: &Path) -> io::Result<()> {
    for log in LOGS {
        match fs::rename(beside(database, log), beside(kept, log)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The database that was moved away last.
fn last_kept(database: &Path) -> Option<PathBuf> {
    let prefix = beside(database, BEFORE).file_name()?.to_string_lossy().into_owned();
    let entries = fs::read_dir(database.parent()?).ok()?.flatten().map(|entry| entry.path());
    let is_kept = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.strip_prefix(&*prefix).is_some_and(|stamp| stamp.parse::<u64>().is_ok())
    };
    entries.filter(is_kept).max()
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Syncs the folder: otherwise a renamed file may be lost at a power failure.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    fs::File::open(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))?.sync_all()
}
