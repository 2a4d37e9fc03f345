//! The query of the first view.

use serde::Deserialize;

use crate::search::Mode;

/// The query of the first view.
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
