//! What is different between two revisions of an article, for those who are to apply their change to the newer one.

use super::{Article, ArticleError, Articles, editing};
use crate::{offload, printable};

/// Longest value that is shown. *Units:* characters.
const SHOWN: usize = 80;

impl Articles {
    /// Returns what has changed in an article since `revision`: in its text as `diff -u` shows it, and what else; `None` if that
    /// is not kept any more.
    ///
    /// # Errors
    /// [`ArticleError::NotFound`]
    pub async fn changed_since_revision(&self, slug: &str, revision: i64) -> Result<Option<String>, ArticleError> {
        let present = self.read(slug).await?;
        match self.read_revision(&present.slug, revision).await {
            Ok(past) => Ok(Some(offload::save(move || changed_between(&past, &present)).await)),
            Err(ArticleError::NoRevision { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Says in a conflict what has changed, if that is known.
    pub(super) async fn compared<T>(&self, outcome: Result<T, ArticleError>) -> Result<T, ArticleError> {
        let Err(ArticleError::Conflict { slug, expected, present, changed: None }) = outcome else { return outcome };
        let changed = self.changed_since_revision(&slug, expected).await.ok().flatten();
        let changed = changed.filter(|changed| !changed.is_empty());
        Err(ArticleError::Conflict { slug, expected, present, changed })
    }
}

/// Returns what is different in the texts, as `diff -u` shows it, and what else is, in a line. Empty if nothing is.
fn changed_between(past: &Article, present: &Article) -> String {
    let text = editing::unified(&past.body, &present.body);
    match (besides(past, present), text.is_empty()) {
        (None, _) => text,
        (Some(besides), true) => format!("the text is the same; changed: {besides}\n"),
        (Some(besides), false) => format!("{text}also changed: {besides}\n"),
    }
}

/// What is different besides the text.
fn besides(past: &Article, present: &Article) -> Option<String> {
    let named = [
        ("slug", &past.slug, &present.slug),
        ("title", &past.title, &present.title),
        ("folder", &past.folder, &present.folder),
    ];
    let named = named.into_iter().filter(|(_, past, present)| past != present);
    let mut changed: Vec<_> =
        named.map(|(what, past, present)| format!("{what} ({} → {})", shown(past), shown(present))).collect();
    changed.extend(front_matter(past, present));
    if past.skip_embedding != present.skip_embedding {
        changed.push(format!("skip_embedding ({})", present.skip_embedding));
    }
    (!changed.is_empty()).then(|| changed.join(", "))
}

/// The keys of the front matter with other values, or that it is written in another way.
fn front_matter(past: &Article, present: &Article) -> Option<String> {
    if past.front_matter == present.front_matter {
        return None;
    }
    let (was, is) = (&past.properties, &present.properties);
    let mut keys: Vec<_> = was.keys().chain(is.keys()).filter(|key| was.get(*key) != is.get(*key)).collect();
    let tags = "tags".to_owned();
    if past.tags != present.tags {
        keys.push(&tags);
    }
    keys.sort();
    keys.dedup();
    let keys: Vec<_> = keys.into_iter().map(|key| printable::line(key, SHOWN)).collect();
    Some(if keys.is_empty() { "front matter".to_owned() } else { format!("properties ({})", keys.join(", ")) })
}

fn shown(value: &str) -> String {
    format!("\"{}\"", printable::line(value, SHOWN))
}
