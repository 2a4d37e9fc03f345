//! What the first view is asked for.

use serde::Deserialize;

use crate::search::Mode;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    pub(super) q: String,
    #[serde(default)]
    pub(super) mode: Mode,
    #[serde(default)]
    pub(super) folder: String,
    #[serde(default)]
    pub(super) cursor: String,
    /// An article that was deleted just now.
    #[serde(default)]
    pub(super) deleted: String,
}
