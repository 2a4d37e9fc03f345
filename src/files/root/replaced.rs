//! What stood at a place that was written anew or emptied.
//!
//! Whoever had the file open may write to it later, or may be in the middle of a save: an editor that empties a file first, a
//! log that is appended to. So what is taken away is kept for a day in a hidden folder, under a name that says what it held. If
//! it holds something else at a later look, that was written since, and is put beside its place as a file of its own.

use std::{
    collections::HashMap,
    io,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use cap_fs_ext::DirExt;
use cap_std::fs::{Dir, OpenOptions};

use super::{PART, Root, Stamp, like, named, settle, settle_folder, unpredictable_name, write_new};
use crate::files::{hash, place};

/// Where it is kept.
const FOLDER: &str = ".afterword-replaced";
/// How long a replaced text is kept.
const RETENTION: Duration = Duration::from_secs(24 * 3600);
/// Characters of a hash in a kept file's name.
const TOLD: usize = 32;

/// A file that was written to after it had been taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::files) struct Late {
    /// Where it stood.
    pub(in crate::files) file: String,
    /// Where it stands now.
    pub(in crate::files) copy: String,
}

/// Kept files that held what their names say when they were read last.
#[derive(Debug, Default)]
pub(in crate::files) struct Unwritten(HashMap<String, Stamp>);

/// A place for what a file holds.
struct Kept {
    dir: Dir,
    path: String,
}

/// What was kept at one time, and what its name says.
struct Entry {
    name: String,
    taken: SystemTime,
    hashes: [String; 2],
    files: Vec<String>,
}

impl Root {
    /// Puts `bytes` in the place of a file that holds what has the hash `wanted`; answers whether it did. The file changes in one
    /// moment where the system can do that.
    pub(super) fn replaced(
        &self,
        dir: &Dir,
        file: &str,
        bytes: &[u8],
        wanted: &str,
        modified: i64,
    ) -> io::Result<bool> {
        if !self.holds(file, wanted)? {
            return Ok(false);
        }
        let (name, new) = (place::name(file), hash(bytes));
        let kept = self.keeping(file, wanted, &new)?;
        // Whole before it bears its name: another run may look at what is kept at the same time.
        let part = unpredictable_name()?;
        let written = write_new(&kept.dir, &part, bytes)
            .and_then(|()| settle(&kept.dir, &part, modified))
            .and_then(|()| like(dir, name, &kept.dir, &part))
            .and_then(|()| kept.dir.rename(&part, &kept.dir, name));
        if let Err(error) = written {
            // A disk that is full is not to be fuller for it.
            let _ = kept.dir.remove_file(&part);
            self.remove_empty(&kept.path);
            return Err(error);
        }
        let done = match exchanged(&kept.dir, dir, name) {
            // The place is free for a moment; a run that is killed in it writes the file again.
            Ok(false) => {
                let taken = self.taken(file, wanted);
                taken.and_then(|taken| Ok(taken && named(&kept.dir, name, dir, name)?)).map(Some)
            }
            other => other.map(|_| None),
        };
        // Attempts that fail again and again are to leave nothing.
        let done = done.inspect_err(|_| self.discard(&kept, &new))?;
        if let Some(done) = done {
            self.discard(&kept, &new);
            return Ok(done);
        }
        if self.holds(&kept.path, wanted)? {
            settle_folder(&kept.dir);
            return Ok(true);
        }
        // It was saved just then: that save is put back.
        exchanged(&kept.dir, dir, name)?;
        self.discard(&kept, &new);
        Ok(false)
    }

    /// Removes what was to become a file, and the folders made for it.
    fn discard(&self, kept: &Kept, new: &str) {
        if self.holds(&kept.path, new).is_ok_and(|holds| holds) {
            let _ = kept.dir.remove_file(place::name(&kept.path));
        }
        self.remove_empty(&kept.path);
    }

    /// Takes away a file that holds what has the hash `wanted`; answers whether it did.
    pub(in crate::files) fn taken(&self, file: &str, wanted: &str) -> io::Result<bool> {
        if !self.holds(file, wanted)? {
            return Ok(false);
        }
        let (name, dir) = (place::name(file), self.folder(place::parents(file))?);
        let kept = self.keeping(file, wanted, wanted)?;
        dir.rename(name, &kept.dir, name).inspect_err(|_| self.remove_empty(&kept.path))?;
        // First where it is kept: whenever the power fails, it is in one of the two.
        [&kept.dir, &dir].into_iter().for_each(settle_folder);
        if self.holds(&kept.path, wanted)? {
            self.remove_empty(file);
            return Ok(true);
        }
        // It was saved just then. If another file is there by now, the next run puts this one beside it.
        named(&kept.dir, name, &dir, name)?;
        self.remove_empty(&kept.path);
        Ok(false)
    }

    /// Puts late texts beside their places, and removes kept files that were not written to for a day.
    pub(in crate::files) fn late(&self, unwritten: &mut Unwritten) -> io::Result<Vec<Late>> {
        let mut late = Vec::new();
        let before = std::mem::take(unwritten);
        for entry in self.entries()? {
            let mut can_go = entry.taken.elapsed().is_ok_and(|age| age > RETENTION);
            for file in &entry.files {
                match self.returned(&entry, file, &before, unwritten) {
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

    /// What [`Root::late`] would put beside its place, and what that holds.
    pub(in crate::files) fn would_be_late(&self) -> io::Result<Vec<(Late, Vec<u8>)>> {
        let mut late = Vec::new();
        for entry in self.entries()? {
            for file in &entry.files {
                let Ok(Some(bytes)) = self.written_late(&entry, &entry.path(file)) else { continue };
                if let Some(copy) = copies(file, &bytes).into_iter().find(|copy| self.is_free(copy)) {
                    late.push((Late { file: file.clone(), copy }, bytes));
                }
            }
        }
        Ok(late)
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
    fn returned(
        &self,
        entry: &Entry,
        file: &str,
        before: &Unwritten,
        unwritten: &mut Unwritten,
    ) -> io::Result<Option<Late>> {
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
        let (from, to) = (self.folder(place::parents(&path))?, self.made(place::parents(file))?);
        for copy in copies(file, &bytes) {
            if named(&from, place::name(file), &to, place::name(&copy))? {
                return Ok(Some(Late { file: file.to_owned(), copy }));
            }
        }
        Ok(None)
    }

    /// What a kept file holds, if it was written to since. Only what it holds tells: clocks are set, and times as well.
    fn written_late(&self, entry: &Entry, path: &str) -> io::Result<Option<Vec<u8>>> {
        let bytes = self.read(path, u64::MAX - 1).map_err(io::Error::other)?;
        let held = hash(&bytes);
        let is_as_it_was = entry.hashes.iter().any(|hash| held.starts_with(hash));
        Ok((!is_as_it_was).then_some(bytes))
    }

    fn keeping(&self, file: &str, held: &str, new: &str) -> io::Result<Kept> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let told = |hash: &str| hash.chars().take(TOLD).collect::<String>();
        let entry = format!("{now}-{}-{}", told(held), told(new));
        let path = place::joined(&place::joined(FOLDER, &entry), file);
        let dir = self.made(place::parents(&path))?;
        // Versions of a folder are none of its contents.
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        if let Ok(rules) = self.folder([FOLDER].into_iter())?.open_with(".gitignore", &options) {
            io::Write::write_all(&mut rules.into_std(), b"*\n")?;
        }
        Ok(Kept { dir, path })
    }
}

impl Entry {
    fn read(name: &str) -> Option<Self> {
        let mut parts = name.split('-');
        let taken = UNIX_EPOCH.checked_add(Duration::from_millis(parts.next()?.parse().ok()?))?;
        let hashes = [parts.next()?.to_owned(), parts.next()?.to_owned()];
        (hashes.iter().all(|hash| hash.len() == TOLD) && parts.next().is_none()).then(|| Self {
            name: name.to_owned(),
            taken,
            hashes,
            files: Vec::new(),
        })
    }

    fn path(&self, file: &str) -> String {
        place::joined(&place::joined(FOLDER, &self.name), file)
    }
}

/// Names for what was written late to a file.
fn copies(file: &str, bytes: &[u8]) -> [String; 2] {
    let held = hash(bytes);
    [8, TOLD].map(|length| place::beside(file, &format!("saved late {}", &held[..length])))
}

/// Files of a folder and below, by their places in it. Links are none.
fn files_below(dir: &Dir, above: &str) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in dir.entries()? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let (kind, place) = (entry.file_type()?, place::joined(above, &name));
        if kind.is_dir() {
            files.extend(files_below(&dir.open_dir_nofollow(&name)?, &place)?);
        } else if kind.is_file() && !name.starts_with(PART) {
            files.push(place);
        }
    }
    Ok(files)
}

/// Two files of one name change places in one moment; answers whether the system can.
#[cfg(target_os = "linux")]
fn exchanged(one: &Dir, other: &Dir, name: &str) -> io::Result<bool> {
    use rustix::io::Errno;
    match rustix::fs::renameat_with(one, name, other, name, rustix::fs::RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn exchanged(_: &Dir, _: &Dir, _: &str) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::{
        super::{Before, Root},
        Unwritten,
    };
    use crate::files::hash;

    #[test]
    fn a_look_takes_no_file_that_another_run_is_writing() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Root::open(folder.path()).expect("it opens");
        let text = |round: u8| vec![b'a' + round; 4 << 20];
        std::fs::write(folder.path().join("a.md"), text(0)).expect("a file");
        let is_over = AtomicBool::new(false);
        let late = std::thread::scope(|scope| {
            let looker = scope.spawn(|| {
                let mut late = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    late.extend(root.late(&mut Unwritten::default()).expect("a look"));
                }
                late
            });
            for round in 1..20 {
                let before = Before::Hash(hash(&text(round - 1)));
                let put = root.put("a.md", &text(round), &before, 0);
                is_over.store(round == 19 || !matches!(put, Ok(true)), Ordering::Relaxed);
                assert!(put.expect("it is written"), "round {round}");
            }
            looker.join().expect("it ends")
        });
        assert_eq!(late, []);
    }
}
