//! A text in the form, until it is saved.

use serde::Deserialize;

/// The fields of the form. A form without a text is refused: it would empty the article.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Draft {
    #[serde(default)]
    pub(super) title: String,
    pub(super) body: String,
    #[serde(default)]
    pub(super) folder: String,
    #[serde(default)]
    pub(super) slug: String,
    pub(super) skip_embedding: Option<String>,
    /// The revision that was edited; empty for a new article.
    #[serde(default)]
    pub(super) revision: String,
    /// `save`, or `preview` without a script.
    #[serde(default)]
    pub(super) act: String,
}

impl Draft {
    pub(super) fn skips_embedding(&self) -> bool {
        self.skip_embedding.is_some()
    }

    /// The text as it was written: browsers send every line break as two characters.
    pub(super) fn read(mut self) -> Self {
        if self.body.contains('\r') {
            self.body = self.body.replace("\r\n", "\n");
        }
        self
    }
}
