//! What differs between two states of an article: its fields, its front matter and its text.

use serde::Serialize;

use super::{Article, editing};

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// Its name: `title`, `slug`, `folder` or `skip_embedding`.
    pub field: &'static str,
    /// Its former value.
    pub from: String,
    /// Its value now.
    pub to: String,
}

/// Returns the fields that differ, without front matter and text.
pub fn fields(before: &Article, after: &Article) -> Vec<FieldChange> {
    let all = |article: &Article| {
        let Article { title, slug, folder, skip_embedding, .. } = article;
        [
            ("title", title.clone()),
            ("slug", slug.clone()),
            ("folder", folder.clone()),
            ("skip_embedding", skip_embedding.to_string()),
        ]
    };
    let pairs = all(before).into_iter().zip(all(after));
    let changes = pairs.map(|((field, from), (_, to))| FieldChange { field, from, to });
    changes.filter(|change| change.from != change.to).collect()
}

/// Returns everything that differs, as `diff -u` shows it: fields, front matter, text. Empty if nothing differs.
pub fn unified(before: &Article, after: &Article) -> String {
    let fields = fields(before, after).into_iter();
    let fields: String =
        fields.map(|FieldChange { field, from, to }| format!("-{field}: {from}\n+{field}: {to}\n")).collect();
    let head = editing::unified(&before.front_matter, &after.front_matter);
    fields + &head + &editing::unified(&before.body, &after.body)
}
