//! What somebody wrote, until it is saved.

use serde::Deserialize;

/// What was written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Draft {
    pub(super) title: String,
    pub(super) body: String,
    pub(super) folder: String,
    pub(super) slug: String,
    pub(super) skip_embedding: Option<String>,
    /// The revision it was written upon; empty of a new article.
    pub(super) revision: String,
    /// `save`, or `preview` without a script.
    pub(super) act: String,
}

impl Draft {
    pub(super) fn skips_embedding(&self) -> bool {
        self.skip_embedding.is_some()
    }

    /// As it was written: browsers send every line break as two characters.
    pub(super) fn read(mut self) -> Self {
        if self.body.contains('\r') {
            self.body = self.body.replace("\r\n", "\n");
        }
        self
    }
}
