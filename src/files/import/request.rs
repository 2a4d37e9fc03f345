//! What an import is asked to do.

use std::path::PathBuf;

use super::super::layouts::Layout;
use crate::articles::folder::Folder;
use crate::files::OnConflict;

/// What to import, and how.
#[derive(Debug, Clone)]
pub struct Import {
    /// The folder of files.
    pub directory: PathBuf,
    /// Below which folder the articles stand.
    pub folder: Folder,
    /// The source's name, if a person gave one: then it is the same wherever it is.
    pub source: Option<String>,
    /// What to do about articles that exist and did not come from these files.
    pub on_conflict: OnConflict,
    /// How the files are laid out; `None`: as their names say.
    pub layout: Option<Layout>,
    /// Only say what would be done.
    pub dry_run: bool,
}
