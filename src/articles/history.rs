//! An article's past revisions: which there are, and what each says.

use afterword_actors::store::{
    StoreError,
    sql::{FromRow, Sql},
};
use afterword_entities::article_version;

use super::{
    Article, ArticleError, Revision,
    names::NUMBERED,
    properties::{Properties, TextReading},
    row,
    slug::as_stored,
};
use crate::time::Timestamp;

#[derive(FromRow)]
struct RevisionRow {
    revision: i64,
    slug: String,
    title: String,
    folder: String,
    size: i64,
    updated_at: i64,
    present: bool,
    deleted: bool,
}

/// Returns all revisions of an article, the newest first; also of a deleted one.
pub(super) async fn history(connection: &impl Sql, slug: &str) -> Result<Vec<Revision>, ArticleError> {
    let Some(id) = number_of(connection, slug).await? else { return Err(ArticleError::not_found(slug)) };
    let rows = connection
        .rows::<RevisionRow>(
            "SELECT revision, slug, title, folder, CAST(octet_length(body) AS BIGINT) AS size, updated_at,
                    TRUE AS present, FALSE AS deleted
             FROM articles WHERE id = $1
             UNION ALL
             SELECT revision, slug, title, folder, CAST(octet_length(body) AS BIGINT), updated_at, FALSE, deleted
             FROM article_versions WHERE article_id = $1
             ORDER BY 1 DESC",
            [id.into()],
        )
        .await?;
    Ok(rows.into_iter().map(Revision::from).collect())
}

/// Whether the article of this name exists, and was not deleted.
pub(super) async fn exists(connection: &impl Sql, slug: &str) -> Result<bool, StoreError> {
    let Some(id) = number_of(connection, slug).await? else { return Ok(false) };
    Ok(connection.row::<()>("SELECT 1 AS n FROM articles WHERE id = $1", [id.into()]).await?.is_some())
}

/// Returns one revision with its body.
pub(crate) async fn revision(connection: &impl Sql, slug: &str, revision: i64) -> Result<Article, ArticleError> {
    let Some(id) = number_of(connection, slug).await? else { return Err(ArticleError::not_found(slug)) };
    if let Some(present) = row::by_id(connection, id).await?
        && present.revision == revision
    {
        return Ok(row::with_tags(connection, present).await?);
    }
    let version = version(connection, id, Some(revision)).await?;
    let version = version.ok_or_else(|| ArticleError::NoRevision { slug: slug.to_owned(), revision })?;
    Ok(past_article(version))
}

/// Returns the body that a restoration would bring back now.
pub(super) async fn body(connection: &impl Sql, slug: &str, number: Option<i64>) -> Result<Option<String>, StoreError> {
    let Some(id) = number_of(connection, slug).await? else { return Ok(None) };
    Ok(version(connection, id, number).await?.map(|version| version.body))
}

/// Finds the number of the article that has this slug, had it, or had it when it was deleted; or of a [`NUMBERED`]
/// name.
pub(super) async fn number_of(connection: &impl Sql, name: &str) -> Result<Option<i64>, StoreError> {
    let row = match name.strip_prefix(NUMBERED).map(str::parse::<i64>) {
        Some(Err(_)) => return Ok(None),
        Some(Ok(number)) => {
            let sql = "SELECT coalesce((SELECT id FROM articles WHERE id = $1),
                                       (SELECT max(article_id) FROM article_versions WHERE article_id = $1)) AS id";
            connection.row::<Option<i64>>(sql, [number.into()]).await?
        }
        None => {
            let sql = "SELECT coalesce(
                 (SELECT id FROM articles WHERE slug = $1),
                 (SELECT article_id FROM slug_aliases WHERE slug = $1),
                 (SELECT article_id FROM article_versions WHERE slug = $1 AND deleted
                  ORDER BY superseded_at DESC, article_id DESC LIMIT 1)) AS id";
            connection.row::<Option<i64>>(sql, [as_stored(name).as_ref().into()]).await?
        }
    };
    Ok(row.flatten())
}

/// A past revision; without a number the newest one with another text than the present one, if there is one: a rename
/// is no change that it could undo.
pub(super) async fn version(
    connection: &impl Sql,
    id: i64,
    revision: Option<i64>,
) -> Result<Option<article_version::Model>, StoreError> {
    const NEWEST: &str = "SELECT * FROM article_versions WHERE article_id = $1 AND ($2 IS NULL OR revision = $2)
                          ORDER BY revision DESC LIMIT 1";
    const NEWEST_OTHER: &str = "
        SELECT v.* FROM article_versions v WHERE v.article_id = $1 AND NOT EXISTS (
            SELECT 1 FROM articles a WHERE a.id = v.article_id AND a.title = v.title AND a.folder = v.folder
                AND a.front_matter = v.front_matter AND a.body = v.body)
        ORDER BY v.revision DESC LIMIT 1";
    if revision.is_none()
        && let Some(other) = connection.row(NEWEST_OTHER, [id.into()]).await?
    {
        return Ok(Some(other));
    }
    connection.row(NEWEST, [id.into(), revision.into()]).await
}

/// Its front matter as it was written; what earlier versions of the program kept of it is converted to this form.
pub(super) fn front_matter(version: &article_version::Model) -> String {
    match version {
        version if version.front_matter.is_empty() && !version.extra.is_empty() => {
            format!("---\n{}---\n", version.extra)
        }
        version => version.front_matter.clone(),
    }
}

fn past_article(version: article_version::Model) -> Article {
    let front_matter = front_matter(&version);
    let said = Properties::of_reading(&front_matter, &TextReading::now(&version.body));
    Article {
        slug: version.slug,
        title: version.title,
        folder: version.folder,
        body: version.body,
        revision: version.revision,
        skip_embedding: version.skip_embedding,
        created_at: Timestamp(version.created_at),
        updated_at: Timestamp(version.updated_at),
        embedding: super::EmbeddingStatus {
            status: super::EmbeddingState::Missing,
            searchable: false,
            stale: false,
            revision: None,
            task_id: None,
            error: None,
        },
        tags: said.names(),
        properties: said.to_json(),
        id: version.article_id,
        front_matter,
    }
}

impl From<RevisionRow> for Revision {
    fn from(row: RevisionRow) -> Self {
        Self {
            revision: row.revision,
            slug: row.slug,
            title: row.title,
            folder: row.folder,
            size: row.size,
            saved_at: Timestamp(row.updated_at),
            present: row.present,
            deleted: row.deleted,
        }
    }
}
