//! What is found of files that were taken away: text that was written to them since, and files that are owed to their
//! places.
//!
//! A kept file that holds something else than its name says was written to since, and is put beside its place as a file
//! of its own. One that is owed to its place goes back there; if something else is there by now, it is put beside that.

use std::{
    cmp::Reverse,
    collections::HashMap,
    io,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use cap_fs_ext::DirExt;
use cap_std::fs::Dir;

use super::{
    PART_PREFIX, Root, Stamp,
    names::rename_if_free,
    replaced::{FOLDER, HASH_CHARS, OWED_SUFFIX},
};
use crate::files::{hash, place};

/// How long a replaced text is kept.
const BACKUP_RETENTION: Duration = Duration::from_secs(24 * 3600);
/// When newer ones have more bytes than [`MAX_BACKUP_BYTES`]: a note that is written each second is not to fill the
/// disk.
const SHORT_RETENTION: Duration = Duration::from_secs(10 * 60);
const MAX_BACKUP_BYTES: u64 = 256 << 20;

/// A file that was written to after it had been taken away, or whose place was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::files) struct LateWrite {
    /// Where it stood.
    pub(in crate::files) file: String,
    /// Where it stands now.
    pub(in crate::files) copy: String,
}

/// What the next look would put somewhere.
#[derive(Debug)]
pub(in crate::files) struct Returning {
    /// Where.
    pub(in crate::files) place: String,
    pub(in crate::files) bytes: Vec<u8>,
    /// What would be told of it; `None` of a file that goes back to its place.
    pub(in crate::files) late: Option<LateWrite>,
}

/// Kept files that held what their names say when they were read last.
#[derive(Debug, Default)]
pub(in crate::files) struct UntouchedBackups(HashMap<String, Stamp>);

/// What was kept at one time, and what its name says.
struct Entry {
    name: String,
    taken: SystemTime,
    hashes: [String; 2],
    is_owed: bool,
    files: Vec<String>,
}

impl Root {
    /// Gives files back that are owed to their places, puts late texts beside theirs, and removes kept files that were
    /// not written to for a day, or less if they are many. Answers what was put beside.
    pub(in crate::files) fn return_late_writes(&self, unwritten: &mut UntouchedBackups) -> io::Result<Vec<LateWrite>> {
        let mut late = Vec::new();
        let before = std::mem::take(unwritten);
        let mut entries = self.entries()?;
        entries.sort_by_key(|entry| Reverse(entry.taken));
        let mut newer_bytes = 0;
        for entry in entries {
            // What is owed may be nowhere else.
            let may_go = !entry.is_owed || entry.files.is_empty();
            let mut can_go = may_go && entry.taken.elapsed().is_ok_and(|age| age > retention(newer_bytes));
            newer_bytes += self.bytes_of(&entry);
            for file in &entry.files {
                let found = match entry.is_owed {
                    true => self.give_back(&entry, file),
                    false => self.return_if_written(&entry, file, &before, unwritten),
                };
                match found {
                    Ok(found) => late.extend(found),
                    Err(_) => can_go = false,
                }
            }
            if can_go {
                let _ = self.folder([FOLDER].into_iter()).and_then(|kept| kept.remove_dir_all(&entry.name));
            }
        }
        Ok(late)
    }

    fn bytes_of(&self, entry: &Entry) -> u64 {
        entry.files.iter().filter_map(|file| self.stamp(&entry.path(file))).map(|stamp| stamp.size).sum()
    }

    /// What [`Root::return_late_writes`] would put somewhere.
    pub(in crate::files) fn would_return(&self) -> io::Result<Vec<Returning>> {
        let entries = self.entries()?;
        let files = entries.iter().flat_map(|entry| entry.files.iter().map(move |file| (entry, file)));
        Ok(files.filter_map(|(entry, file)| self.plan_return(entry, file)).collect())
    }

    fn plan_return(&self, entry: &Entry, file: &str) -> Option<Returning> {
        let path = entry.path(file);
        let bytes = match entry.is_owed {
            true if self.holds_expected(entry, file) => return None,
            true => self.read(&path, u64::MAX - 1).ok()?,
            false => self.written_late(entry, &path).ok()??,
        };
        if entry.is_owed && self.is_free(file) {
            return Some(Returning { place: file.to_owned(), bytes, late: None });
        }
        let place = copy_names(file, &bytes).into_iter().find(|copy| self.is_free(copy))?;
        let late = Some(LateWrite { file: file.to_owned(), copy: place.clone() });
        Some(Returning { place, bytes, late })
    }

    fn entries(&self) -> io::Result<Vec<Entry>> {
        let kept = match self.folder([FOLDER].into_iter()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            kept => kept?,
        };
        let mut entries = Vec::new();
        for entry in kept.entries()? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let Some(entry) = Entry::read(&name) else { continue };
            // Another run may be at the same entry; what cannot be looked at now, the next look finds.
            let Ok(files) = kept.open_dir_nofollow(&name).and_then(|entry| files_below(&entry, "")) else { continue };
            entries.push(Entry { files, ..entry });
        }
        Ok(entries)
    }

    /// The file, if it was written to since.
    fn return_if_written(
        &self,
        entry: &Entry,
        file: &str,
        before: &UntouchedBackups,
        unwritten: &mut UntouchedBackups,
    ) -> io::Result<Option<LateWrite>> {
        let path = entry.path(file);
        let stamp = self.stamp(&path);
        if let Some(stamp) = stamp.filter(|stamp| before.0.get(&path) == Some(stamp)) {
            unwritten.0.insert(path, stamp);
            return Ok(None);
        }
        let Some(bytes) = self.written_late(entry, &path)? else {
            unwritten.0.extend(stamp.filter(Stamp::is_settled).map(|stamp| (path, stamp)));
            return Ok(None);
        };
        self.put_beside(entry, file, &bytes)
    }

    /// Gives a file that is owed back to its place, or puts it beside what is there.
    fn give_back(&self, entry: &Entry, file: &str) -> io::Result<Option<LateWrite>> {
        let path = entry.path(file);
        if self.place_if_free(&self.folder(place::parents(&path))?, file)? {
            self.remove_empty(&path);
            return Ok(None);
        }
        if self.holds_expected(entry, file) {
            // The replacement had come to its end, but for the note of it.
            return self.mark_paid(&entry.name, file).map(|()| None);
        }
        let bytes = self.read(&path, u64::MAX - 1).map_err(io::Error::other)?;
        let late = self.put_beside(entry, file, &bytes)?;
        self.remove_empty(&path);
        Ok(late)
    }

    /// Whether at its place stands what an entry took away, or what was to come there.
    fn holds_expected(&self, entry: &Entry, file: &str) -> bool {
        self.read(file, u64::MAX - 1).is_ok_and(|bytes| entry.tells(&bytes))
    }

    fn put_beside(&self, entry: &Entry, file: &str, bytes: &[u8]) -> io::Result<Option<LateWrite>> {
        let (from, to) = (self.folder(place::parents(&entry.path(file)))?, self.make_folders(place::parents(file))?);
        for copy in copy_names(file, bytes) {
            if rename_if_free(&from, place::name(file), &to, place::name(&copy))? {
                return Ok(Some(LateWrite { file: file.to_owned(), copy }));
            }
        }
        Ok(None)
    }

    /// What a kept file holds, if it was written to since. Only what it holds tells: clocks are set, and times as well.
    fn written_late(&self, entry: &Entry, path: &str) -> io::Result<Option<Vec<u8>>> {
        let bytes = self.read(path, u64::MAX - 1).map_err(io::Error::other)?;
        let is_as_it_was = entry.tells(&bytes);
        Ok((!is_as_it_was).then_some(bytes))
    }
}

impl Entry {
    fn read(name: &str) -> Option<Self> {
        let mut parts = name.split('-');
        let taken = UNIX_EPOCH.checked_add(Duration::from_millis(parts.next()?.parse().ok()?))?;
        let hashes = [parts.next()?.to_owned(), parts.next()?.to_owned()];
        let is_owed = match parts.next() {
            None => false,
            Some(OWED_SUFFIX) => true,
            Some(_) => return None,
        };
        (hashes.iter().all(|hash| hash.len() == HASH_CHARS) && parts.next().is_none()).then(|| Self {
            name: name.to_owned(),
            taken,
            hashes,
            is_owed,
            files: Vec::new(),
        })
    }

    fn path(&self, file: &str) -> String {
        place::join(&place::join(FOLDER, &self.name), file)
    }

    /// Whether its name says that these bytes were taken away, or were to come.
    fn tells(&self, bytes: &[u8]) -> bool {
        let digest = hash(bytes);
        self.hashes.iter().any(|hash| digest.starts_with(hash))
    }
}

/// How long a text is kept, if those that were replaced later have so many bytes.
fn retention(newer_bytes: u64) -> Duration {
    if newer_bytes > MAX_BACKUP_BYTES { SHORT_RETENTION } else { BACKUP_RETENTION }
}

/// Names for what was written late to a file.
fn copy_names(file: &str, bytes: &[u8]) -> [String; 2] {
    let digest = hash(bytes);
    [8, HASH_CHARS].map(|length| place::beside(file, &format!("saved late {}", &digest[..length])))
}

/// Files of a folder and below, by their places in it. Links are none.
fn files_below(dir: &Dir, above: &str) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in dir.entries()? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let (kind, place) = (entry.file_type()?, place::join(above, &name));
        if kind.is_dir() {
            files.extend(files_below(&dir.open_dir_nofollow(&name)?, &place)?);
        } else if kind.is_file() && !name.starts_with(PART_PREFIX) {
            files.push(place);
        }
    }
    Ok(files)
}
