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
    /// Front matter, as it is edited; `None`: it is not in the form, and stays.
    pub(super) properties: Option<String>,
    /// The revision that was edited; empty for a new article.
    #[serde(default)]
    pub(super) revision: String,
    /// `save`, or `preview` without a script.
    #[serde(default)]
    pub(super) act: String,
    /// The browser's name for what it keeps of this text, until it is told that it is saved.
    #[serde(default)]
    pub(super) draft: String,
    /// The article whose text is previewed; empty for a new one.
    #[serde(default)]
    pub(super) of: String,
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
        if self.body.contains('\0') {
            self.body = self.body.replace('\0', "");
        }
        self
    }

    /// With the line breaks of the text that is edited: a form cannot keep them.
    pub(super) fn with_line_breaks_of(mut self, before: &str) -> Self {
        if !before.contains('\r') {
            return self;
        }
        let plain = before.replace("\r\n", "\n").replace('\r', "\n");
        let (long, all) = (before.matches("\r\n").count(), plain.matches('\n').count());
        if self.body == plain {
            before.clone_into(&mut self.body);
        } else if long * 2 > all {
            self.body = self.body.replace('\n', "\r\n");
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Draft;

    #[test]
    fn line_breaks_stay_as_they_were() {
        let saved = |before: &str, written: &str| {
            let draft = Draft { body: written.to_owned(), ..Draft::default() };
            draft.read().with_line_breaks_of(before).body
        };
        assert_eq!(saved("a\r\nb\r\n", "a\r\nb\r\nc"), "a\r\nb\r\nc");
        assert_eq!(saved("a\nb\n", "a\r\nb\r\nc"), "a\nb\nc");
        assert_eq!(saved("a\r\nb\nc\rd", "a\r\nb\r\nc\r\nd"), "a\r\nb\nc\rd", "unchanged");
        assert_eq!(saved("a\r\nb\nc\nd", "a\r\nb\r\nc\r\nD"), "a\nb\nc\nD", "as most lines end");
    }
}
