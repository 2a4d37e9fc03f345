//! What is asked of a run, and what it did.

use std::path::PathBuf;

use serde::Serialize;

use super::super::{report::FileProblem, scan::ScannedFile};
use crate::{articles::folder::Folder, plural::count};

/// What to keep the same, and how.
#[derive(Debug, Clone)]
pub struct SyncRequest {
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SyncReport {
    /// What became of articles.
    pub articles: ArticleChanges,
    /// What became of files.
    pub files: FileChanges,
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
    /// What there is to know about the folder as a whole.
    pub notes: Vec<String>,
    /// Warnings of rounds that are over.
    #[serde(skip)]
    pub told: Vec<FileProblem>,
    /// Files that are gone for so short a time that they may come back.
    #[serde(skip)]
    pub waiting: usize,
    /// Nothing was done.
    pub dry_run: bool,
}

/// What became of articles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ArticleChanges {
    /// Files that became articles.
    pub created: Vec<String>,
    /// Files that their articles follow.
    pub updated: Vec<String>,
    /// Slugs of articles whose files were gone; `article restore` brings them back.
    pub deleted: Vec<String>,
}

/// What became of files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FileChanges {
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
    pub(super) fn begin_round(&mut self, failed: &[FileProblem], files: &[ScannedFile]) {
        self.failed = failed.to_vec();
        let warned = |file: &ScannedFile| {
            file.warnings.iter().map(|warning| FileProblem::new(&file.file, warning)).collect::<Vec<_>>()
        };
        self.warnings = self.told.iter().cloned().chain(files.iter().flat_map(warned)).collect();
        self.left_out.clear();
    }

    /// What was done, in a line.
    pub fn summary(&self) -> String {
        let Self { articles, files, merged, conflicts, .. } = self;
        format!(
            "articles {} created, {} updated, {} deleted; files {} written, {} removed; {} merged, {}",
            articles.created.len(),
            articles.updated.len(),
            articles.deleted.len(),
            files.written.len(),
            files.removed.len(),
            merged.len(),
            count(conflicts.len(), "conflict")
        )
    }

    /// Brings everything into an order that does not depend on the order of what was done.
    pub(super) fn sort(&mut self) {
        let Self { articles, files, merged, conflicts, left_out, failed, warnings, told, .. } = self;
        let ArticleChanges { created, updated, deleted } = articles;
        let FileChanges { written, removed } = files;
        for names in [created, updated, deleted, written, removed, merged, left_out] {
            names.sort_unstable();
            names.dedup();
        }
        conflicts.sort_unstable();
        for problems in [failed, warnings, told] {
            problems.sort_by(|a, b| a.file.cmp(&b.file));
        }
    }

    /// Whether anything was done, or would be.
    pub fn did_something(&self) -> bool {
        let Self {
            articles: ArticleChanges { created, updated, deleted },
            files: FileChanges { written, removed },
            ..
        } = self;
        [created, updated, deleted, written, removed, &self.merged].iter().any(|names| !names.is_empty())
            || !self.conflicts.is_empty()
    }
}
