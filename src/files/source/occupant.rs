//! Articles that a file may be: those that have a slug it would like, those that say what it says, and deleted ones.

use afterword_actors::store::{
    StoreError,
    sql::{self, FromRow, Sql},
};

use crate::articles::row;

/// An article that has a slug, now or formerly.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(in crate::files) struct Occupant {
    pub(in crate::files) name: String,
    pub(in crate::files) id: i64,
    pub(in crate::files) slug: String,
    pub(in crate::files) title: String,
    pub(in crate::files) folder: String,
    pub(in crate::files) content_hash: String,
    pub(in crate::files) revision: i64,
    pub(in crate::files) front_matter: String,
    /// Whether it came from a file.
    pub(in crate::files) from_file: bool,
}

const OCCUPANT_COLUMNS: &str = "a.id, a.slug, a.title, a.folder, a.content_hash, a.revision,
    EXISTS (SELECT 1 FROM article_sources s WHERE s.article_id = a.id AND NOT s.written) AS from_file";

/// Who has these slugs.
pub(in crate::files) async fn occupants(connection: &impl Sql, slugs: &[String]) -> Result<Vec<Occupant>, StoreError> {
    let sql = format!(
        "SELECT n.name, {OCCUPANT_COLUMNS}, {}
             FROM (
                 SELECT b.slug AS name, b.id FROM {{texts $1}} j JOIN articles b ON b.slug = j.text
                 UNION ALL
                 SELECT c.slug AS name, c.article_id AS id FROM {{texts $1}} j JOIN slug_aliases c ON c.slug = j.text
             ) n JOIN articles a ON a.id = n.id",
        row::FRONT_MATTER
    );
    connection.rows(&sql, [sql::json(slugs)?]).await
}

/// Which of these articles say what files say that have these hashes.
pub(in crate::files) async fn alike(
    connection: &impl Sql,
    articles: &[i64],
    content_hashes: &[&str],
) -> Result<Vec<Occupant>, StoreError> {
    let sql = format!(
        "SELECT a.slug AS name, {OCCUPANT_COLUMNS}, {} FROM {{ids $1}} j CROSS JOIN articles a
         WHERE a.id = j.id AND a.content_hash IN (SELECT h.text FROM {{texts $2}} h)",
        row::FRONT_MATTER
    );
    connection.rows(&sql, [sql::json(articles)?, sql::json(content_hashes)?]).await
}

/// What these articles were called when they were deleted, by their numbers, as far as their past is kept.
pub(in crate::files) async fn deleted_slugs(
    connection: &impl Sql,
    articles: &[i64],
) -> Result<Vec<(i64, String)>, StoreError> {
    let sql = "SELECT v.article_id, v.slug FROM {ids $1} j CROSS JOIN article_versions v
               WHERE v.article_id = j.id AND v.deleted ORDER BY v.article_id, v.revision";
    connection.rows(sql, [sql::json(articles)?]).await
}
