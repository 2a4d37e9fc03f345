//! The name that a mistyped one is most like. Comparing two names takes the product of their lengths, so both are
//! short.

use afterword_actors::store::sql::Sql;

use super::{
    ArticleError, Articles, deleted,
    slug::{Slug, as_stored},
};

/// Slugs that a name is compared with.
const LOOKED_AT: i64 = 500;
/// Longest name for which another one is looked for. *Units:* bytes.
const LONGEST_GUESSED: usize = 400;

impl Articles {
    /// Adds to a [`ArticleError::NotFound`] a similar name, and whether the article was deleted.
    pub(super) async fn add_similar_name<T>(&self, result: Result<T, ArticleError>) -> Result<T, ArticleError> {
        match result {
            Err(ArticleError::NotFound { slug, suggestion: None, deleted: None }) => {
                let suggestion = self.near(&slug, strsim::jaro_winkler).await;
                let deleted = deleted::deleted_name(self.database.reader(), as_stored(&slug).as_ref()).await;
                Err(ArticleError::NotFound { slug, suggestion, deleted: deleted.ok().flatten() })
            }
            other => other,
        }
    }

    /// Finds a slug that is similar to `slug`, by its `likeness` to those that begin alike.
    async fn near(&self, slug: &str, likeness: impl Fn(&str, &str) -> f64) -> Option<String> {
        // No slug is that long.
        if slug.len() > LONGEST_GUESSED {
            return None;
        }
        let meant = Slug::from_title(slug);
        // A folder is not part of a slug, but is often written before it.
        let without_folder = slug.rsplit_once('/').map(|(_, name)| Slug::from_title(name));
        for meant in std::iter::once(&meant).chain(&without_folder) {
            let begin_so = self.slugs(meant.as_ref(), 1).await.ok()?;
            if let Some(same) = begin_so.into_iter().find(|slug| slug == meant.as_ref()) {
                return Some(same);
            }
        }
        let slug = meant.as_ref();
        let start: String = slug.chars().take(1).collect();
        let sql = "SELECT slug FROM articles WHERE substr(slug, 1, 1) = $1 ORDER BY slug LIMIT $2";
        let slugs: Vec<String> = self.database.reader().rows(sql, [start.into(), LOOKED_AT.into()]).await.ok()?;
        let near = slugs.into_iter().map(|other| (likeness(&other, slug), other));
        near.filter(|(score, _)| *score > 0.85).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, slug)| slug)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use afterword_actors::store::{Database, OpenOptions};

    use super::*;
    use crate::articles::{AfterSave, Limits};

    /// Length of the longest slug. *Units:* bytes.
    const MAX_SLUG_BYTES: usize = 96;

    async fn with_long_slugs(folder: &std::path::Path) -> Articles {
        let url = format!("sqlite://{}", folder.join("a.db").display());
        let database = Database::open(&OpenOptions::new(url)).await.expect("a database");
        crate::database::migrate(&database).await.expect("a schema");
        let sql = "INSERT INTO articles (slug, title, body, content_hash, created_at, updated_at)
                   WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 600)
                   SELECT printf('a%095d', n), '', '', 'h', 0, 0 FROM s";
        database.write_connection().run(sql, []).await.expect("articles");
        Articles::new(database, Limits::default(), 3, AfterSave::Poll)
    }

    #[tokio::test]
    async fn no_name_is_compared_at_a_cost_that_grows_with_its_length() {
        let folder = tempfile::tempdir().expect("a folder");
        let articles = with_long_slugs(folder.path()).await;
        for length in [MAX_SLUG_BYTES, LONGEST_GUESSED, 4_000, 240_000] {
            for name in ["a".repeat(length), "a-".repeat(length / 2), format!("{}/a", "a".repeat(length - 2))] {
                let work = Cell::new(0);
                let likeness = |one: &str, other: &str| {
                    work.set(work.get() + one.len() * other.len());
                    strsim::jaro_winkler(one, other)
                };
                articles.near(&name, likeness).await;
                let most =
                    if length <= LONGEST_GUESSED { LOOKED_AT as usize * MAX_SLUG_BYTES * MAX_SLUG_BYTES } else { 0 };
                assert!(work.get() <= most, "{length} bytes: {} steps, at most {most} expected", work.get());
            }
        }
        let meant = articles.near(&format!("a{:095}", 7).replacen('0', "", 1), strsim::jaro_winkler).await;
        assert!(meant.is_some(), "a slip is still understood");
    }
}
