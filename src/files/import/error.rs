//! Why an import, or one file of it, was not carried out.

use std::{io, path::PathBuf};

use afterword_actors::store::StoreError;

use crate::articles::ArticleError;

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The folder.
    #[error("{} cannot be read: {source}", path.display())]
    Folder {
        /// Where it is.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why one file was not saved.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("{0}")]
    Read(String),
    #[error(transparent)]
    Article(#[from] ArticleError),
    /// Something else was faster: the plan no longer holds.
    #[error("was overtaken")]
    Overtaken,
}

impl From<StoreError> for FileError {
    fn from(error: StoreError) -> Self {
        Self::Article(error.into())
    }
}
