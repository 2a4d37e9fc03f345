//! The rows of tags and properties.

use afterword_actors::store::{
    StoreError,
    sql::{self, Sql},
};

use super::{
    fold::folded,
    indexed::IndexedValue,
    read::{Properties, found_by},
};
use crate::articles::slug::Slug;

/// Replaces the stored values of the article by `properties`. Without old and new values, nothing is written.
pub(crate) async fn write(
    transaction: &impl Sql,
    id: i64,
    known: ExistingRows,
    properties: &Properties,
) -> Result<(), StoreError> {
    if known == ExistingRows::Possible {
        for table in ["unread_articles", "article_tags", "article_properties"] {
            transaction.later(&format!("DELETE FROM {table} WHERE article_id = $1"), [id.into()]).await?;
        }
    }
    let tags = properties.indexed_tags();
    if !tags.is_empty() {
        let sql = "INSERT INTO article_tags (article_id, tag, name)
                   SELECT $1, j.tag, j.name FROM {rows $2: tag TEXT, name TEXT} j WHERE TRUE ON CONFLICT DO NOTHING";
        transaction.later(sql, [id.into(), sql::json(tags)?]).await?;
    }
    let rows = rows(properties);
    if !rows.is_empty() {
        let sql = "INSERT INTO article_properties (article_id, key, position, kind, value, folded, number)
                   SELECT $1, j.key, j.position, j.kind, j.value, j.folded, j.number
                   FROM {rows $2: key TEXT, position INTEGER, kind TEXT, value TEXT, folded TEXT, number BIGINT} j
                   WHERE TRUE ON CONFLICT DO NOTHING";
        transaction.later(sql, [id.into(), sql::json(&rows)?]).await?;
    }
    Ok(())
}

/// Whether an article may have rows already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExistingRows {
    /// It is new.
    None,
    /// Perhaps; they are replaced.
    Possible,
}

type Row<'a> = (&'a str, usize, &'static str, &'a str, String, Option<i64>);

fn rows(properties: &Properties) -> Vec<Row<'_>> {
    let row = |IndexedValue { property, position, value, text }| {
        let found_by = if property.key == ALIASES { alias_key(text) } else { found_by(text) };
        (property.key.as_str(), position, value.kind(), text, found_by, value.number())
    };
    properties.indexed_values().map(row).collect()
}

/// The key of an article's other names.
pub(super) const ALIASES: &str = "aliases";

/// The key by which an alias is found: the slug it would make, so that case, accents and punctuation do not matter.
pub(super) fn alias_key(alias: &str) -> String {
    Slug::from_title(alias).to_string()
}

/// SQL: the number of the article named `$1`: its slug, a former one, or the alias `$2`; of several with that alias,
/// the one created first.
pub(in crate::articles) const KNOWN_BY: &str = "coalesce(
    (SELECT s.id FROM articles s WHERE s.slug = $1),
    (SELECT f.article_id FROM slug_aliases f WHERE f.slug = $1),
    (SELECT min(p.article_id) FROM article_properties p WHERE p.key = 'aliases' AND p.folded = $2))";

/// The alias key for a name; empty if it is too long for one.
pub(in crate::articles) fn alias_of(name: &str) -> String {
    /// Longest alias. *Units:* bytes.
    const MAX_ALIAS_BYTES: usize = 400;
    if folded(name).is_empty() || name.len() > MAX_ALIAS_BYTES { String::new() } else { alias_key(name) }
}

/// Returns the indexed tags of these articles, as they are written, in the order of their names.
pub(in crate::articles) async fn tags(connection: &impl Sql, ids: &[i64]) -> Result<Vec<(i64, String)>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT t.article_id, t.name FROM {ids $1} j JOIN article_tags t ON t.article_id = j.id ORDER BY t.tag";
    connection.rows(sql, [sql::json(&ids)?]).await
}
