//! Which tags and properties exist, and how many articles have each.

use afterword_actors::store::{
    StoreError,
    sql::{Number, Sql},
};
use sea_orm::{FromQueryResult, QueryResult};

use crate::{
    api::{Counted, PropertyCount, TagCount, ValueCount},
    articles::{ArticleError, Articles, properties::folded},
};

/// A row that says, too, how many there are in all.
struct Of<T> {
    row: T,
    total: i64,
}

impl<T: FromQueryResult> FromQueryResult for Of<T> {
    fn from_query_result(result: &QueryResult, prefix: &str) -> Result<Self, sea_orm::DbErr> {
        Ok(Self { row: T::from_query_result(result, prefix)?, total: result.try_get(prefix, "total")? })
    }
}

impl Articles {
    /// Returns tags that begin with `start`, the most used first.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn tags(&self, start: &str, limit: u32) -> Result<Counted<TagCount>, ArticleError> {
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
        Ok(counted(self.database.reader().rows(sql, [start.into(), end.into(), i64::from(limit).into()]).await)?)
    }

    /// Returns keys of front matter, the most used first.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn property_keys(&self, limit: u32) -> Result<Counted<PropertyCount>, ArticleError> {
        let sql = "SELECT key, min(kind) AS kind, count(DISTINCT article_id) AS articles,
                          count(DISTINCT folded) AS \"values\", count(*) OVER () AS total
                   FROM article_properties GROUP BY key ORDER BY 3 DESC, 1 LIMIT $1 + 0";
        Ok(counted(self.database.reader().rows(sql, [i64::from(limit).into()]).await)?)
    }

    /// Returns values of one key, the most used first.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn property_values(&self, key: &str, limit: u32) -> Result<Counted<ValueCount>, ArticleError> {
        let sql = "SELECT min(value) AS value, count(DISTINCT article_id) AS articles, count(*) OVER () AS total
                   FROM article_properties WHERE key = $1 GROUP BY folded ORDER BY 2 DESC, 1 LIMIT $2 + 0";
        Ok(counted(self.database.reader().rows(sql, [folded(key).into(), i64::from(limit).into()]).await)?)
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

fn counted<T>(found: Result<Vec<Of<T>>, StoreError>) -> Result<Counted<T>, StoreError> {
    let found = found?;
    let total = found.first().map_or(0, |first| first.total);
    Ok(Counted { rows: found.into_iter().map(|of| of.row).collect(), total: Some(total) })
}
