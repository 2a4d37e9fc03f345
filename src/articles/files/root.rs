//! A folder of files, held open: nothing is read or written outside it, whatever links there are, and whatever changes
//! while it is used.

use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::{
    ambient_authority,
    fs::{Dir, DirBuilder, OpenOptions},
};

use super::place;

/// An open folder.
pub(super) struct Root {
    dir: Dir,
    place: PathBuf,
}

/// A file that was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("has {size} bytes, and at most {limit} are allowed (articles.max_size)")]
    TooLarge { size: u64, limit: u64 },
    #[error("is no file")]
    NotAFile,
}

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

    /// Writes a file; one that is half written never bears its name. Folders are made where they are missing.
    pub(super) fn write(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        if !place::is_plain(file) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no place in a folder"));
        }
        let dir = self.made(place::parents(file))?;
        let name = place::name(file);
        let before = match dir.symlink_metadata(name) {
            Ok(about) if about.is_file() => Some(about.permissions()),
            Ok(_) => return Err(io::Error::other("something that is no file has this name")),
            Err(_) => None,
        };
        let part = unpredictable_name()?;
        let written = write_new(&dir, &part, bytes).and_then(|()| {
            if let Some(permissions) = before {
                dir.set_permissions(&part, permissions)?;
            }
            dir.rename(&part, &dir, name)
        });
        if written.is_err() {
            let _ = dir.remove_file(&part);
        }
        written
    }

    /// Removes a file, and the folders that are empty without it.
    pub(super) fn remove(&self, file: &str) -> io::Result<()> {
        self.folder(place::parents(file))?.remove_file(place::name(file))?;
        let mut parents: Vec<&str> = place::parents(file).collect();
        while let Some(name) = parents.pop() {
            let emptied = self.folder(parents.iter().copied()).and_then(|dir| dir.remove_dir(name));
            if emptied.is_err() {
                break;
            }
        }
        Ok(())
    }

    fn made<'p>(&self, mut parts: impl Iterator<Item = &'p str>) -> io::Result<Dir> {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        cap_std::fs::DirBuilderExt::mode(&mut builder, 0o700);
        parts.try_fold(self.dir.try_clone()?, |dir, part| match dir.open_dir_nofollow(part) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match dir.create_dir_with(part, &builder) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                    Ok(()) | Err(_) => {}
                }
                dir.open_dir_nofollow(part)
            }
            other => other,
        })
    }
}

fn write_new(dir: &Dir, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    cap_std::fs::OpenOptionsExt::mode(&mut options, 0o600);
    dir.open_with(name, &options)?.write_all(bytes)
}

/// A name that nobody can have prepared, and that an import passes over.
fn unpredictable_name() -> io::Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(format!(".afterword-{:032x}.part", u128::from_le_bytes(random)))
}
