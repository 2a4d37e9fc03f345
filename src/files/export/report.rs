//! What became of an export.

use std::{io, path::PathBuf};

use afterword_actors::store::StoreError;
use serde::Serialize;

use super::super::report::{FileProblem, ImportedFile};

/// What became of all articles.
#[derive(Debug, Default, Serialize)]
pub struct ExportReport {
    /// New files.
    pub created: usize,
    /// Files changed.
    pub updated: usize,
    /// Files that hold the same already.
    pub unchanged: usize,
    /// Files that hold something else, and were left as they are.
    pub skipped: usize,
    /// The same, and that is an error.
    pub existing: Vec<String>,
    /// Articles that could not be written.
    pub failed: Vec<FileProblem>,
    /// Files of earlier exports that were removed.
    pub removed: Vec<String>,
    /// Files of earlier exports whose articles are gone, and which were left.
    pub stale: Vec<String>,
    /// What there is to know besides.
    pub notes: Vec<String>,
    /// Nothing was done.
    pub dry_run: bool,
    /// Files that were written, or would be, each with its article: `created`, `updated`
    pub files: Vec<ImportedFile>,
}

/// Why nothing was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The folder.
    #[error("{} cannot be written to: {source}", path.display())]
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
