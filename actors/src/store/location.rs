//! Where an SQLite database is: one path for one file, by whichever name it is opened.
//!
//! SQLite puts its write-ahead log, and this program its locks, beside the database under its name. A symbolic link is
//! followed to the real name. A file with two hard links would have two logs, each of which destroys the other's pages:
//! it is refused.

#[cfg(unix)]
use std::io::ErrorKind;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
};

use super::OpenError;

/// More links than this are a circle.
const MAX_LINKS: usize = 40;

/// Returns the path of the database at `address` (what follows `sqlite://`), without links.
///
/// # Errors
/// [`OpenError`] if the address names no file, or one that must not be used.
pub(super) fn resolve(address: &str) -> Result<PathBuf, OpenError> {
    let path = without_parameters(address);
    if path.is_empty() || path == ":memory:" {
        return Err(OpenError::NoFile);
    }
    let path = canonical(&at_home(path)?);
    has_one_name(&path)?;
    Ok(path)
}

/// Creates the folder of `path`, for its owner only, if it does not exist.
pub(super) fn make_folder(path: &Path) -> Result<(), OpenError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    private_folder(folder).map_err(|source| OpenError::Folder { path: folder.to_path_buf(), source })
}

/// Creates a folder that only its owner may enter, and those above it. Made by root, they belong to the owner of the
/// first one that was there.
pub(super) fn private_folder(folder: &Path) -> std::io::Result<()> {
    let missing = folder.ancestors().take_while(|folder| !folder.exists()).count();
    let owner = folder.ancestors().nth(missing).filter(|owner| !owner.as_os_str().is_empty());
    private_folder_of(owner.unwrap_or(Path::new(".")), folder)
}

/// As [`private_folder`], but folders that root creates belong to the owner of `model`.
pub(super) fn private_folder_of(model: &Path, folder: &Path) -> std::io::Result<()> {
    let missing: Vec<_> = folder.ancestors().take_while(|folder| !folder.exists()).collect();
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    missing.iter().filter(|made| !made.as_os_str().is_empty()).try_for_each(|made| {
        let folder = if cfg!(unix) { Some(fs::File::open(made)?) } else { None };
        folder.map_or(Ok(()), |folder| give_to_owner_of(model, &folder))
    })
}

/// Gives `made`, which this process has just made, to the owner and the group of `model`, if root made it: the service
/// that owns the database could not open it. Other users cannot give anything away, and need not.
#[cfg(unix)]
pub(super) fn give_to_owner_of(model: &Path, made: &fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    const ROOT: u32 = 0;
    let (made_by, owner) = (made.metadata()?, fs::metadata(model)?);
    if made_by.uid() != ROOT || owner.uid() == ROOT {
        return Ok(());
    }
    match fchown(made, Some(owner.uid()), Some(owner.gid())) {
        // A root that may give nothing away, as in a container, goes on as it always did.
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported) => {
            tracing::warn!(%error, model = %model.display(), "what root makes beside it is not given to its owner");
            Ok(())
        }
        given => given,
    }
}

#[cfg(not(unix))]
pub(super) fn give_to_owner_of(_: &Path, _: &fs::File) -> std::io::Result<()> {
    Ok(())
}

/// Creates an empty file that only its owner may read, if there is none; SQLite gives its log the same permissions.
/// SQLite reports what prevents it.
pub(super) fn make_file(path: &Path) {
    // Closing any handle of a file drops the locks that this process holds on it: no other thread may open it
    // meanwhile.
    static MAKING: Mutex<()> = Mutex::new(());
    let _making = MAKING.lock();
    let made = private_file().create_new(true).open(path);
    if let (Ok(file), Some(folder)) = (made, path.parent()) {
        let _ = give_to_owner_of(folder, &file);
    }
}

/// Opens a file for a lock, and makes it if it is missing.
pub(super) fn lock_file(path: &Path) -> std::io::Result<fs::File> {
    let file = private_file().create(true).truncate(false).open(path)?;
    if let Some(folder) = path.parent() {
        give_to_owner_of(folder, &file)?;
    }
    Ok(file)
}

/// Options for writing a file that only its owner may read, if it is created.
pub(super) fn private_file() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Cuts off `?name=value`. Any other `?` is part of the path: folders and files may have it in their names.
fn without_parameters(address: &str) -> &str {
    let is_parameter = |pair: &str| pair.split_once('=').is_some_and(|(name, _)| !name.is_empty());
    match address.split_once('?') {
        Some((path, "")) => path,
        _ => address
            .match_indices('?')
            .find(|(at, _)| {
                let rest = &address[at + 1..];
                !rest.contains('/') && rest.split('&').all(is_parameter)
            })
            .map_or(address, |(at, _)| &address[..at]),
    }
}

fn at_home(path: &str) -> Result<PathBuf, OpenError> {
    let Some(rest) = path.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
        return Ok(PathBuf::from(path));
    };
    let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty()).ok_or(OpenError::NoHome)?;
    Ok(home.join(rest.trim_start_matches('/')))
}

/// Resolves links, also of a file that does not exist yet.
fn canonical(path: &Path) -> PathBuf {
    let mut path = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.parent().map_or_else(|| target.clone(), |folder| folder.join(&target));
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

#[cfg(unix)]
fn has_one_name(path: &Path) -> Result<(), OpenError> {
    use std::os::unix::fs::MetadataExt;
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    if !metadata.is_file() {
        return Err(OpenError::NotAFile(path.to_path_buf()));
    }
    if metadata.nlink() > 1 {
        return Err(OpenError::SeveralNames { path: path.to_path_buf(), names: metadata.nlink() });
    }
    if is_mounted_alone(path) {
        return Err(OpenError::MountedAlone(path.to_path_buf()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn has_one_name(path: &Path) -> Result<(), OpenError> {
    if path.is_dir() { Err(OpenError::NotAFile(path.to_path_buf())) } else { Ok(()) }
}

/// Whether the file itself, and not a folder above it, is a mount point.
#[cfg(unix)]
fn is_mounted_alone(path: &Path) -> bool {
    // Without such a list, nothing is known.
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let escaped = path.to_string_lossy().replace('\\', "\\134").replace(' ', "\\040").replace('\t', "\\011");
    mounts.lines().any(|mount| mount.split(' ').nth(4) == Some(&escaped))
}

#[cfg(test)]
mod tests {
    use super::without_parameters;

    #[test]
    fn a_question_mark_in_a_path_begins_no_parameters() {
        for (address, path) in [
            ("/a/notes.db", "/a/notes.db"),
            ("/a/notes.db?", "/a/notes.db"),
            ("/a/notes.db?mode=rwc", "/a/notes.db"),
            ("/a/notes.db?mode=rwc&x=1", "/a/notes.db"),
            ("/why?/notes.db", "/why?/notes.db"),
            ("/why?x=1/notes.db", "/why?x=1/notes.db"),
            ("/why?/notes.db?x=1", "/why?/notes.db"),
            ("/a/notes?.db", "/a/notes?.db"),
            ("/a/why?.db.restoring", "/a/why?.db.restoring"),
        ] {
            assert_eq!(without_parameters(address), path);
        }
    }
}
