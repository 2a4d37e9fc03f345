//! Replaces a database file, so that at each moment either the old or the new one is found.
//!
//! The new file first gets a name that says that it is complete. From then on the replacement only goes forward: if the
//! process dies between the removal of the old file and the arrival of the new one, the next process that opens the
//! database finishes it. Left-over logs of the old file are removed with it: SQLite would take them for the new one's.
//! So are the vectors that were stored beside it.

use std::{
    cell::LazyCell,
    fs, io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use super::vector_file_path::VectorFilePath;
use crate::store::location;

/// Suffix of a complete database that waits to be moved into place.
const READY_SUFFIX: &str = ".restored";
/// Suffix of the replaced database, followed by the time in seconds, or the next free number.
const REPLACED_SUFFIX: &str = ".before-restore-";
/// Suffixes of the files of the log.
const LOG_SUFFIXES: [&str; 2] = ["-wal", "-shm"];

/// Replaces `database` by `new`; returns where the old one is now, if there was one. No earlier one is overwritten.
pub(super) fn put(database: &Path, new: &Path) -> io::Result<Option<PathBuf>> {
    let owner = if database.exists() { Some(database) } else { database.parent() };
    owner.map_or(Ok(()), |owner| location::give_to_owner_of(owner, &fs::File::open(new)?))?;
    let ready = beside(database, READY_SUFFIX);
    fs::rename(new, &ready)?;
    sync_folder(database)?;
    afterword_faults::point!("restore.ready", io::Error::other::<String>);
    let kept = free_name(database);
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
    VectorFilePath::new(database).remove();
    fs::rename(&ready, database)?;
    sync_folder(database)?;
    afterword_faults::point!("restore.placed", io::Error::other::<String>);
    Ok(moved.then_some(kept))
}

/// Whether a process died while it replaced the database.
pub(super) fn is_unfinished(database: &Path) -> bool {
    beside(database, READY_SUFFIX).exists()
}

/// Finishes the replacement of a process that died.
pub(super) fn finish(database: &Path) -> io::Result<()> {
    let ready = beside(database, READY_SUFFIX);
    if !ready.exists() {
        return Ok(());
    }
    if database.exists() {
        // It died before it touched anything.
        return fs::remove_file(&ready);
    }
    VectorFilePath::new(database).remove();
    move_logs(
        database,
        &last_kept(database).map_or_else(|| free_name(database), |number| kept_name(database, number)),
    )?;
    match fs::rename(&ready, database) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.and_then(|()| sync_folder(database)),
    }
}

/// Moves the logs to their database. Where that has one already, they are of another, and get a name of their own.
fn move_logs(database: &Path, kept: &Path) -> io::Result<()> {
    let apart = LazyCell::new(|| free_name(database));
    for log in LOG_SUFFIXES {
        let own = beside(kept, log);
        let to = if is_taken(&own) { beside(&apart, log) } else { own };
        match fs::rename(beside(database, log), to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// A name for the database that is replaced, which nothing has: a rename would overwrite what has it.
fn free_name(database: &Path) -> PathBuf {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    // Above all others, also if the clock was set back: the highest number is the last.
    let first = last_kept(database).map_or(now, |last| now.max(last.saturating_add(1)));
    let is_free = |kept: &PathBuf| !is_taken(kept) && !LOG_SUFFIXES.iter().any(|log| is_taken(&beside(kept, log)));
    (first..=u64::MAX)
        .map(|number| kept_name(database, number))
        .find(is_free)
        .unwrap_or_else(|| kept_name(database, now))
}

fn kept_name(database: &Path, number: u64) -> PathBuf {
    beside(database, &format!("{REPLACED_SUFFIX}{number}"))
}

/// Whether something has this name, be it a link that leads nowhere.
fn is_taken(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The number of the database that was moved away last.
fn last_kept(database: &Path) -> Option<u64> {
    let prefix = beside(database, REPLACED_SUFFIX).file_name()?.to_string_lossy().into_owned();
    let number = |entry: fs::DirEntry| entry.file_name().to_string_lossy().strip_prefix(&*prefix)?.parse::<u64>().ok();
    fs::read_dir(database.parent()?).ok()?.flatten().filter_map(number).max()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a database with a log, and replaces it.
    fn replace(database: &Path, text: &str) -> PathBuf {
        let new = beside(database, ".new");
        for (path, text) in [(database, text), (&beside(database, "-wal"), text), (&new, "new")] {
            fs::write(path, text).expect("a file");
        }
        put(database, &new).expect("a replacement").expect("a kept database")
    }

    #[test]
    fn no_replaced_database_is_overwritten_however_fast_they_follow_each_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("site.db");
        let ahead = kept_name(&database, u64::MAX - 1000);
        fs::write(&ahead, "of a clock that ran ahead").expect("a file");
        let texts: Vec<_> = (0..5).map(|n| format!("state {n}")).collect();
        let kept: Vec<_> = texts.iter().map(|text| replace(&database, text)).collect();
        for (kept, text) in kept.iter().zip(&texts) {
            assert_eq!(&fs::read_to_string(kept).expect("a file"), text);
            assert_eq!(
                &fs::read_to_string(beside(kept, "-wal")).expect("a log"),
                text,
                "the log goes with its database"
            );
        }
        assert_eq!(fs::read_to_string(&ahead).expect("a file"), "of a clock that ran ahead");
        assert_eq!(last_kept(&database).map(|number| kept_name(&database, number)).as_ref(), kept.last());
    }

    #[test]
    fn a_log_without_a_database_is_not_moved_over_that_of_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("site.db");
        let kept = replace(&database, "first");
        fs::remove_file(&database).expect("a file");
        fs::write(beside(&database, "-wal"), "a stray").expect("a file");
        // As a process leaves it that died before the new one was in its place.
        fs::write(beside(&database, READY_SUFFIX), "new").expect("a file");
        finish(&database).expect("an end");
        assert_eq!(fs::read_to_string(beside(&kept, "-wal")).expect("a log"), "first");
        assert!(!beside(&database, "-wal").exists(), "SQLite would take it for that of the new one");
    }
}
