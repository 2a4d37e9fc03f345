//! What to export, and how.

use std::path::PathBuf;

use super::super::OnConflict;
use crate::articles::folder::Folder;

/// What to export, and how.
#[derive(Debug, Clone)]
pub struct Export {
    /// Where to.
    pub directory: PathBuf,
    /// Only articles of this folder and below.
    pub folder: Folder,
    /// What to do about files that hold something else, and that were not written or read before as they are.
    pub on_conflict: OnConflict,
    /// Remove files that an earlier export wrote, and whose articles are gone or go elsewhere now.
    pub prune: bool,
    /// Only say what would be done.
    pub dry_run: bool,
}
