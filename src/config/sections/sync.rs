//! Folders of files kept in step by a server.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A folder of files that a server keeps in step with the articles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncedFolder {
    /// Where the files are.
    pub path: PathBuf,
    /// The folder of articles; all if it is empty.
    #[serde(default)]
    pub folder: String,
}
