//! Deleted articles: which there are, and by which name each is reached.

use afterword_actors::store::{
    StoreError,
    sql::{FromRow, Sql},
};

use super::{
    DeletedArticle,
    cursor::Cursor,
    folder::{Folder, within},
    names::NUMBERED,
};
use crate::time::Timestamp;

/// Returns a name that reaches the last deleted article which had this slug.
pub(super) async fn deleted_name(connection: &impl Sql, slug: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT article_id AS n FROM article_versions WHERE slug = $1 AND deleted
               ORDER BY superseded_at DESC, article_id DESC LIMIT 1";
    let number = connection.row::<i64>(sql, [slug.into()]).await?;
    Ok(number.map(|number| format!("{NUMBERED}{number}")))
}

#[derive(FromRow)]
struct DeletedRow {
    id: i64,
    slug: String,
    title: String,
    folder: String,
    revision: i64,
    size: i64,
    deleted_at: i64,
}

/// Returns deleted articles, the last deleted first.
pub(super) async fn deleted(
    connection: &impl Sql,
    folder: &Folder,
    since: Option<Timestamp>,
    after: Option<Cursor>,
    limit: u32,
) -> Result<Vec<(Cursor, DeletedArticle)>, StoreError> {
    let (at, id) = after.map_or((i64::MAX, i64::MAX), |Cursor { at, id, began: _ }| (at, id));
    let rows = connection
        .rows::<DeletedRow>(
            &format!(
                "SELECT article_id AS id, slug, title, folder, revision, CAST(octet_length(body) AS BIGINT) AS size,
                        superseded_at AS deleted_at
                 FROM article_versions
                 WHERE deleted AND {} AND superseded_at >= $3 AND (superseded_at, article_id) < ($4, $5)
                 ORDER BY superseded_at DESC, article_id DESC LIMIT $2",
                within("folder", "$1")
            ),
            [
                folder.as_ref().into(),
                i64::from(limit).into(),
                since.map_or(i64::MIN, |since| since.0).into(),
                at.into(),
                id.into(),
            ],
        )
        .await?;
    let placed = |row: DeletedRow| (Cursor { at: row.deleted_at, id: row.id, began: None }, row.into());
    Ok(rows.into_iter().map(placed).collect())
}

/// Counts deleted articles.
pub(super) async fn count_deleted(
    connection: &impl Sql,
    folder: &Folder,
    since: Option<Timestamp>,
) -> Result<i64, StoreError> {
    let within = within("folder", "$1");
    let sql = format!("SELECT count(*) AS n FROM article_versions WHERE deleted AND {within} AND superseded_at >= $2");
    let since = since.map_or(i64::MIN, |since| since.0);
    let counted = connection.row::<i64>(&sql, [folder.as_ref().into(), since.into()]).await?;
    Ok(counted.unwrap_or(0))
}

impl From<DeletedRow> for DeletedArticle {
    fn from(row: DeletedRow) -> Self {
        Self {
            name: format!("{NUMBERED}{}", row.id),
            slug: row.slug,
            title: row.title,
            folder: row.folder,
            revision: row.revision,
            size: row.size,
            deleted_at: Timestamp(row.deleted_at),
        }
    }
}
