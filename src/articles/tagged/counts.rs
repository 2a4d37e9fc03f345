//! Which tags and properties exist, and how many articles have each.

use afterword_actors::store::{Engine, sql::Sql};

use crate::{
    api::{CountedRows, PropertyCount, TagCount, ValueCount},
    articles::{ArticleError, Articles, properties::folded},
};

impl Articles {
    /// Returns tags that begin with `start`, the most used first.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn tags(&self, start: &str, limit: u32) -> Result<CountedRows<TagCount>, ArticleError> {
        let start = folded(start.trim_start_matches('#'));
        // Those that begin with a text sort between it and it followed by the last character. Counted in the index
        // alone.
        let end = format!("{start}\u{10ffff}");
        let sql = "SELECT (SELECT n.name FROM article_tags n WHERE n.tag = g.tag ORDER BY n.article_id LIMIT 1) AS tag,
                          g.articles, g.total
                   FROM (SELECT t.tag, count(*) AS articles, count(*) OVER () AS total
                         FROM article_tags t WHERE t.tag >= $1 AND t.tag < $2
                         GROUP BY t.tag ORDER BY 2 DESC, 1 LIMIT $3 + 0) g
                   ORDER BY g.articles DESC, g.tag";
        let values = [start.into(), end.into(), i64::from(limit).into()];
        let found = self.database.reader().rows::<(String, i64, i64)>(sql, values).await?;
        Ok(counted(found.into_iter().map(|(tag, articles, total)| (TagCount { tag, articles }, total))))
    }

    /// Returns keys of front matter, the most used first.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn property_keys(&self, limit: u32) -> Result<CountedRows<PropertyCount>, ArticleError> {
        let sql = "SELECT key, min(kind) AS kind, count(DISTINCT article_id) AS articles,
                          count(DISTINCT folded) AS \"values\", count(*) OVER () AS total
                   FROM article_properties GROUP BY key ORDER BY 3 DESC, 1 LIMIT $1 + 0";
        let found: Vec<(String, String, i64, i64, i64)> =
            self.database.reader().rows(sql, [i64::from(limit).into()]).await?;
        let count = |(key, kind, articles, values, total)| (PropertyCount { key, kind, articles, values }, total);
        Ok(counted(found.into_iter().map(count)))
    }

    /// Returns values of one key, the most used first.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn property_values(&self, key: &str, limit: u32) -> Result<CountedRows<ValueCount>, ArticleError> {
        let value = match self.database.engine() {
            Engine::Sqlite => "value",
            // In the order of bytes, as SQLite compares them, whatever the language of the database is.
            Engine::Postgres => "value COLLATE \"C\"",
        };
        let sql = format!(
            "SELECT min({value}) AS value, count(DISTINCT article_id) AS articles, count(*) OVER () AS total
             FROM article_properties WHERE key = $1 GROUP BY folded ORDER BY 2 DESC, 1 LIMIT $2 + 0"
        );
        let values = [folded(key).into(), i64::from(limit).into()];
        let found = self.database.reader().rows::<(String, i64, i64)>(&sql, values).await?;
        Ok(counted(found.into_iter().map(|(value, articles, total)| (ValueCount { value, articles }, total))))
    }

    /// Counts the articles that have not been read again yet since an earlier version saved them: their tags do not
    /// count yet.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn unread(&self) -> Result<i64, ArticleError> {
        let sql = "SELECT count(*) AS n FROM unread_articles";
        Ok(self.database.reader().row::<i64>(sql, []).await?.unwrap_or(0))
    }
}

/// Each row says how many there are in all.
fn counted<T>(found: impl Iterator<Item = (T, i64)>) -> CountedRows<T> {
    let (rows, totals): (Vec<_>, Vec<_>) = found.unzip();
    CountedRows { rows, total: Some(totals.first().copied().unwrap_or(0)) }
}
