//! Which tags and properties exist, and how many articles have each.

use afterword_actors::store::sql::{Number, Sql};

use crate::{
    api::{PropertyCount, TagCount, ValueCount},
    articles::{ArticleError, Articles, properties::folded},
};

impl Articles {
    /// Returns tags that begin with `start`, the most used first.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn tags(&self, start: &str, limit: u32) -> Result<Vec<TagCount>, ArticleError> {
        let start = folded(start.trim_start_matches('#'));
        // Those that begin with a text sort between it and it followed by the last character. Counted in the index
        // alone.
        let end = format!("{start}\u{10ffff}");
        let sql = "SELECT (SELECT n.name FROM article_tags n WHERE n.tag = g.tag ORDER BY n.article_id LIMIT 1) AS tag,
                          g.articles
                   FROM (SELECT t.tag, count(*) AS articles FROM article_tags t WHERE t.tag >= $1 AND t.tag < $2
                         GROUP BY t.tag ORDER BY 2 DESC, 1 LIMIT $3 + 0) g
                   ORDER BY g.articles DESC, g.tag";
        Ok(self.database.reader().rows(sql, [start.into(), end.into(), i64::from(limit).into()]).await?)
    }

    /// Returns keys of front matter, the most used first.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn property_keys(&self, limit: u32) -> Result<Vec<PropertyCount>, ArticleError> {
        let sql = "SELECT key, min(kind) AS kind, count(DISTINCT article_id) AS articles,
                          count(DISTINCT folded) AS \"values\"
                   FROM article_properties GROUP BY key ORDER BY 3 DESC, 1 LIMIT $1 + 0";
        Ok(self.database.reader().rows(sql, [i64::from(limit).into()]).await?)
    }

    /// Returns values of one key, the most used first.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn property_values(&self, key: &str, limit: u32) -> Result<Vec<ValueCount>, ArticleError> {
        let sql = "SELECT min(value) AS value, count(DISTINCT article_id) AS articles FROM article_properties
                   WHERE key = $1 GROUP BY folded ORDER BY 2 DESC, 1 LIMIT $2 + 0";
        Ok(self.database.reader().rows(sql, [folded(key).into(), i64::from(limit).into()]).await?)
    }

    /// Counts the articles that have not been read again yet since an earlier version saved them: their tags do not
    /// count yet.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn unread(&self) -> Result<i64, ArticleError> {
        let sql = "SELECT count(*) AS n FROM unread_articles";
        Ok(self.database.reader().row::<Number>(sql, []).await?.map_or(0, |row| row.n))
    }
}
