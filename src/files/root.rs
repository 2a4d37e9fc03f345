//! A folder of files, held open: nothing is read or written outside it, whatever links there are, and whatever changes
//! while it is used.

mod late;
mod names;
mod replaced;
#[cfg(test)]
mod tests;

use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use cap_fs_ext::{DirExt, FollowSymlinks, MetadataExt, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::{
    ambient_authority,
    fs::{Dir, DirBuilder, Metadata, OpenOptions},
};

use self::names::rename_if_free;
use super::{decode, hash, place};
pub(super) use late::{LateWrite, Returning, UntouchedBackups};

/// What the names of files begin with that are being written.
const PART_PREFIX: &str = ".afterword-";

/// An open folder.
pub(super) struct Root {
    dir: Dir,
    place: PathBuf,
}

/// A file that was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("has {size} bytes, and at most {limit} are allowed (articles.max_size)")]
    TooLarge { size: u64, limit: u64 },
    #[error("is not a file")]
    NotAFile,
}

/// What a file must be at the moment in which it is replaced.
#[derive(Debug, Clone)]
pub(super) enum Before {
    /// There is none.
    Nothing,
    /// It holds bytes of this hash.
    Hash(String),
}

/// What changes with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Stamp {
    /// *Units:* nanoseconds since 1970.
    pub(super) modified: i128,
    size: u64,
    number: u64,
    /// When the system changed anything of it; unlike the time above, no program sets it. *Units:* nanoseconds since
    /// 1970.
    changed: i128,
}

/// Which folder it is: another one under the same name has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

impl Root {
    /// Opens a folder that exists.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let place = path.canonicalize()?;
        Ok(Self { dir: Dir::open_ambient_dir(&place, ambient_authority())?, place })
    }

    /// Opens a folder, and makes it first if it is not there, for its owner alone.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path)?;
        Self::open(path)
    }

    /// Which folder has this name now; `None` if there is none.
    pub(super) fn identity(path: &Path) -> Option<Identity> {
        let about = Dir::open_ambient_dir(path, ambient_authority()).and_then(|dir| dir.dir_metadata()).ok()?;
        Some(Identity(about.dev(), about.ino()))
    }

    /// Where it is, all links resolved.
    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    /// The folder at `parts` below this one. A link on the way is an error.
    pub(super) fn folder<'p>(&self, parts: impl Iterator<Item = &'p str>) -> io::Result<Dir> {
        parts.filter(|part| !part.is_empty()).try_fold(self.dir.try_clone()?, |dir, part| dir.open_dir_nofollow(part))
    }

    /// What a file holds, if it is no larger than `limit`. Waits for nothing: a pipe is no file.
    pub(super) fn read(&self, file: &str, limit: u64) -> Result<Vec<u8>, ReadError> {
        let dir = self.folder(place::parents(file))?;
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No).nonblock(true);
        let file = dir.open_with(place::name(file), &options)?;
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(ReadError::NotAFile);
        }
        if about.len() > limit {
            return Err(ReadError::TooLarge { size: about.len(), limit });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or_default());
        // It may grow while it is read.
        file.take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(ReadError::TooLarge { size: bytes.len() as u64, limit });
        }
        Ok(bytes)
    }

    /// The text of a file that can be read.
    pub(super) fn text(&self, file: &str, limit: u64) -> Option<String> {
        self.read(file, limit).ok().and_then(|bytes| decode::text(bytes).ok())
    }

    /// Writes a file that is to be what is said; answers whether it was. Folders are made where they are missing. What
    /// is written is on the disk before it bears its name, and bears the time `modified` (*units:* milliseconds since
    /// 1970).
    pub(super) fn put(&self, file: &str, bytes: &[u8], before: &Before, modified: i64) -> io::Result<bool> {
        if !place::is_plain(file) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is not a path in a folder"));
        }
        let dir = self.make_folders(place::parents(file))?;
        let put = match before {
            Before::Nothing => new_file(&dir, place::name(file), bytes, modified),
            Before::Hash(wanted) => self.replace(&dir, file, bytes, wanted, modified),
        };
        // That it bears its name is to be on the disk as well.
        settle_folder(&dir);
        put
    }

    /// Whether the content of a file has the hash `wanted`; false if there is no such file.
    fn holds(&self, file: &str, wanted: &str) -> io::Result<bool> {
        match self.read(file, u64::MAX - 1) {
            Ok(present) => Ok(hash(&present) == wanted),
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(io::Error::other(error.to_string())),
        }
    }

    /// Removes what a process left that died while it wrote, long ago.
    pub(super) fn clear(&self, part: &str) {
        const ABANDONED_AFTER: std::time::Duration = std::time::Duration::from_secs(3600);
        let is_part = place::name(part).starts_with(PART_PREFIX) && part.ends_with(".part");
        let born =
            self.about(part).ok().filter(|about| is_part && about.is_file()).and_then(|about| about.created().ok());
        if born.is_some_and(|born| born.into_std().elapsed().is_ok_and(|age| age > ABANDONED_AFTER)) {
            let _ = self.folder(place::parents(part)).and_then(|dir| dir.remove_file(place::name(part)));
        }
    }

    /// What tells whether a file has changed; `None` if it is not there, or is no file.
    pub(super) fn stamp(&self, file: &str) -> Option<Stamp> {
        let about = self.about(file).ok().filter(Metadata::is_file)?;
        stamp_of(&about)
    }

    /// The same of many files. Files of one folder that stand together cost one opening of it.
    pub(super) fn stamps(&self, files: Vec<String>) -> Vec<(String, Option<Stamp>)> {
        let mut open: Option<(String, io::Result<Dir>)> = None;
        let mut stamped = Vec::with_capacity(files.len());
        for file in files {
            let parents = file.rsplit_once('/').map_or("", |(parents, _)| parents);
            let dir = match open {
                Some((ref place, ref dir)) if place == parents => dir,
                _ => &open.insert((parents.to_owned(), self.folder(place::parents(&file)))).1,
            };
            let about = dir.as_ref().ok().and_then(|dir| dir.symlink_metadata(place::name(&file)).ok());
            let stamp = about.filter(Metadata::is_file).as_ref().and_then(stamp_of);
            stamped.push((file, stamp));
        }
        stamped
    }

    /// When a file was changed last. *Units:* milliseconds since 1970.
    pub(super) fn modified(&self, file: &str) -> Option<i64> {
        const NANOS_PER_MILLI: i128 = 1_000_000;
        i64::try_from(self.stamp(file)?.modified / NANOS_PER_MILLI).ok()
    }

    /// Whether nothing at all has this name. What cannot be looked at is taken for something.
    pub(super) fn is_free(&self, file: &str) -> bool {
        matches!(self.about(file), Err(error) if error.kind() == io::ErrorKind::NotFound)
    }

    /// Whether two names are one file.
    pub(super) fn are_one(&self, one: &str, other: &str) -> bool {
        self.stamp(one).is_some_and(|stamp| self.stamp(other) == Some(stamp))
    }

    fn about(&self, file: &str) -> io::Result<Metadata> {
        self.folder(place::parents(file))?.symlink_metadata(place::name(file))
    }

    /// Removes the folders of a place that are empty.
    fn remove_empty(&self, file: &str) {
        let mut parents: Vec<&str> = place::parents(file).collect();
        while let Some(name) = parents.pop() {
            let emptied = self.folder(parents.iter().copied()).and_then(|dir| dir.remove_dir(name));
            if emptied.is_err() {
                break;
            }
        }
    }

    fn make_folders<'p>(&self, mut parts: impl Iterator<Item = &'p str>) -> io::Result<Dir> {
        let builder = private_builder();
        parts.try_fold(self.dir.try_clone()?, |dir, part| match dir.open_dir_nofollow(part) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match dir.create_dir_with(part, &builder) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                    // What is in it is on the disk only if it is itself.
                    Ok(()) => settle_folder(&dir),
                    Err(_) => {}
                }
                dir.open_dir_nofollow(part)
            }
            other => other,
        })
    }
}

fn stamp_of(about: &Metadata) -> Option<Stamp> {
    let modified = about.modified().ok()?.into_std();
    let modified = match modified.duration_since(UNIX_EPOCH) {
        Ok(since) => i128::try_from(since.as_nanos()).ok()?,
        Err(before) => -i128::try_from(before.duration().as_nanos()).ok()?,
    };
    Some(Stamp { modified, size: about.len(), number: about.ino(), changed: changed(about) })
}

#[cfg(unix)]
fn changed(about: &Metadata) -> i128 {
    use cap_std::fs::MetadataExt;
    const NANOS_PER_SECOND: i128 = 1_000_000_000;
    i128::from(about.ctime()) * NANOS_PER_SECOND + i128::from(about.ctime_nsec())
}

#[cfg(not(unix))]
fn changed(_: &Metadata) -> i128 {
    0
}

impl Stamp {
    /// How long the file is. *Units:* bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// As it is kept; equal texts are equal stamps.
    pub(super) fn text(&self) -> String {
        let Self { modified, size, number, changed } = self;
        format!("{modified:x}.{size:x}.{number:x}.{changed:x}")
    }

    /// Whether a change after the moment of the reading would show. A file that was changed so short a time before it
    /// was read may have been changed again without that being seen.
    pub(super) fn is_settled(&self) -> bool {
        use std::time::Duration;
        /// Systems count in ticks of their clocks.
        const FINE_TICK: Duration = Duration::from_millis(100);
        /// Some file systems keep times to two seconds.
        const COARSE_TICK: Duration = Duration::from_secs(3);
        let kept = if self.changed == 0 { self.modified } else { self.changed };
        let tick = if kept % 1_000_000_000 == 0 { COARSE_TICK } else { FINE_TICK };
        let before = SystemTime::now().checked_sub(tick).and_then(|then| then.duration_since(UNIX_EPOCH).ok());
        let before = before.and_then(|then| i128::try_from(then.as_nanos()).ok());
        before.is_some_and(|then| kept < then)
    }
}

fn write_new(dir: &Dir, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    cap_std::fs::OpenOptionsExt::mode(&mut options, 0o600);
    dir.open_with(name, &options)?.write_all(bytes)
}

/// Brings a file to the disk, with the time it is to bear.
fn settle(dir: &Dir, name: &str, modified: i64) -> io::Result<()> {
    let file = dir.open_with(name, OpenOptions::new().write(true))?.into_std();
    let modified = std::time::Duration::from_millis(u64::try_from(modified).unwrap_or_default());
    // Not every file system keeps times.
    let _ = file.set_modified(UNIX_EPOCH.checked_add(modified).unwrap_or_else(SystemTime::now));
    file.sync_all()
}

/// Brings to the disk which names there are in a folder, where folders can be brought there.
fn settle_folder(dir: &Dir) {
    let _ = dir.open(".").and_then(|folder| folder.sync_all());
}

/// Writes a file at a place where nothing is; answers whether nothing was.
fn new_file(dir: &Dir, name: &str, bytes: &[u8], modified: i64) -> io::Result<bool> {
    let part = unpredictable_name()?;
    let put = write_new(dir, &part, bytes)
        .and_then(|()| settle(dir, &part, modified))
        .and_then(|()| rename_if_free(dir, &part, dir, name));
    if !matches!(put, Ok(true)) {
        let _ = dir.remove_file(&part);
    }
    put
}

/// Gives `part`, which is written, the rights of the file `name`, and its owner if that can be had.
fn copy_rights(dir: &Dir, name: &str, written: &Dir, part: &str) -> io::Result<()> {
    let about = dir.symlink_metadata(name)?;
    #[cfg(unix)]
    {
        use cap_std::fs::MetadataExt;
        let file = written.open_with(part, OpenOptions::new().write(true))?.into_std();
        // Only root gives files away.
        let _ = std::os::unix::fs::fchown(file, Some(about.uid()), Some(about.gid()));
    }
    written.set_permissions(part, about.permissions())
}

/// Makes folders that are for their owner.
fn private_builder() -> DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "elsewhere there are no such rights"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    cap_std::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// A name that no one can predict, and that an import ignores.
fn unpredictable_name() -> io::Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(format!("{PART_PREFIX}{:032x}.part", u128::from_le_bytes(random)))
}
