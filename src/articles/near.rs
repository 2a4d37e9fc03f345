//! The name that a mistyped one is most like.

use afterword_actors::store::sql::Sql;

use super::{ArticleError, Articles, slug::Slug};

impl Articles {
    /// Adds a similar name to a [`ArticleError::NotFound`].
    pub(super) async fn explained<T>(&self, result: Result<T, ArticleError>) -> Result<T, ArticleError> {
        match result {
            Err(ArticleError::NotFound { slug, suggestion: None }) => {
                let suggestion = self.near(&slug).await;
                Err(ArticleError::NotFound { slug, suggestion })
            }
            other => other,
        }
    }

    /// Finds a slug that is similar to `slug`, among those that begin alike.
    async fn near(&self, slug: &str) -> Option<String> {
        const LOOKED_AT: i64 = 500;
        /// Longest slug that is compared. *Units:* bytes.
        const LONGEST_GUESSED: usize = 400;
        // Comparing takes the product of the lengths, and no slug is that long.
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
        let near = slugs.into_iter().map(|other| (strsim::jaro_winkler(&other, slug), other));
        near.filter(|(score, _)| *score > 0.85).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, slug)| slug)
    }
}
