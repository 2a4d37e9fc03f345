//! What is asked of a run, and what it did.

use std::{io, path::PathBuf};

use afterword_actors::store::StoreError;
use serde::Serialize;

use crate::articles::{files::report::FileProblem, folder::Folder};

/// What to keep the same, and how.
#[derive(Debug, Clone)]
pub struct Sync {
    /// The folder of files.
    pub directory: PathBuf,
    /// The folder of articles; others are left alone.
    pub folder: Folder,
    /// Deletions are meant, however many.
    pub many_deletions: bool,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// What a run did.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct SyncReport {
    /// What became of articles.
    pub articles: OfArticles,
    /// What became of files.
    pub files: OfFiles,
    /// Files in which changes of both sides were joined.
    pub merged: Vec<String>,
    /// Files that were changed on both sides in the same lines.
    pub conflicts: Vec<Conflict>,
    /// Articles that have no file, because rules of the folder leave its place out.
    pub left_out: Vec<String>,
    /// What went wrong with one file or article; the next run tries again.
    pub failed: Vec<FileProblem>,
    /// What could not be read in files that did become articles.
    pub warnings: Vec<FileProblem>,
    /// Files that are gone for so short a time that they may come back.
    #[serde(skip)]
    pub waiting: usize,
    /// Nothing was done.
    pub dry_run: bool,
}

/// What became of articles.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct OfArticles {
    /// Files that became articles.
    pub created: Vec<String>,
    /// Files that their articles follow.
    pub updated: Vec<String>,
    /// Slugs of articles whose files were gone; `article restore` brings them back.
    pub deleted: Vec<String>,
}

/// What became of files.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct OfFiles {
    /// Files that hold what their articles say.
    pub written: Vec<String>,
    /// Files whose articles were deleted, or are elsewhere now.
    pub removed: Vec<String>,
}

/// A file that could not be merged with its article: the file holds the article, and the copy what the file held.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Conflict {
    /// The file.
    pub file: String,
    /// What it held.
    pub copy: String,
}

impl SyncReport {
    /// What is wrong is told as the last look found it.
    pub(super) fn begin_round(&mut self) {
        self.failed.clear();
        self.warnings.clear();
        self.left_out.clear();
    }

    /// Brings everything into an order that does not depend on the order of what was done.
    pub(super) fn sort(&mut self) {
        let Self { articles, files, merged, conflicts, left_out, failed, warnings, waiting: _, dry_run: _ } = self;
        let OfArticles { created, updated, deleted } = articles;
        let OfFiles { written, removed } = files;
        for names in [created, updated, deleted, written, removed, merged, left_out] {
            names.sort_unstable();
            names.dedup();
        }
        conflicts.sort_unstable();
        failed.sort_by(|a, b| a.file.cmp(&b.file));
        warnings.sort_by(|a, b| a.file.cmp(&b.file));
    }

    /// Whether anything was done, or would be.
    pub fn did_something(&self) -> bool {
        let Self { articles: OfArticles { created, updated, deleted }, files: OfFiles { written, removed }, .. } = self;
        [created, updated, deleted, written, removed, &self.merged].iter().any(|names| !names.is_empty())
            || !self.conflicts.is_empty()
    }
}

/// Why nothing more was done.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The folder.
    #[error("{} cannot be read: {source}", path.display())]
    Folder {
        /// Where it is.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Much would be deleted.
    #[error(
        "of {known} files, {gone} are gone, whose articles would be deleted, and {deleted} would be removed, whose articles \
         were deleted or moved away; nothing was done. If that is meant, `afterword sync --yes` does it; if a disk is not mounted, mount it"
    )]
    ManyDeletions {
        /// Files that are gone, and whose articles are there.
        gone: usize,
        /// Files that are there, and whose articles are not.
        deleted: usize,
        /// Files that were known.
        known: usize,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
