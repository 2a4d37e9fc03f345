//! An article's past: listing it, and bringing a revision back, also of an article that was deleted.

use afterword_actors::{
    store::{StoreError, Transaction, events, sql::Sql, tasks},
    task::{NewTask, Operation, Priority},
};
use afterword_entities::article_version;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{
    Article, ArticleError, Changes, Revision, Saved,
    create::{self, Settings},
    folder::Folder,
    row,
    slug::Slug,
    update,
};
use crate::{search::keyword, time::Timestamp};

#[derive(FromQueryResult)]
struct Row {
    revision: i64,
    slug: String,
    title: String,
    folder: String,
    size: i64,
    updated_at: i64,
    present: bool,
    deleted: bool,
}

/// All revisions of an article, the newest first; also of a deleted one.
pub(super) async fn history(connection: &impl ConnectionTrait, slug: &str) -> Result<Vec<Revision>, ArticleError> {
    let Some(id) = number_of(connection, slug).await? else { return Err(ArticleError::not_found(slug)) };
    let rows = connection
        .rows::<Row>(
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

/// One revision with its body.
pub(super) async fn revision(
    connection: &impl ConnectionTrait,
    slug: &str,
    revision: i64,
) -> Result<Article, ArticleError> {
    let Some(id) = number_of(connection, slug).await? else { return Err(ArticleError::not_found(slug)) };
    if let Some(present) = row::by_id(connection, id).await?
        && present.revision == revision
    {
        return Ok(present.into());
    }
    let version = version(connection, id, Some(revision)).await?;
    let version = version.ok_or_else(|| ArticleError::NoRevision { slug: slug.to_owned(), revision })?;
    Ok(past_article(version))
}

/// Makes a past revision the present one, as a new revision. Without a number: of a deleted article its last, of a
/// present one the one before.
pub(super) async fn restore(
    transaction: &Transaction,
    slug: &str,
    number: Option<i64>,
    settings: Settings,
) -> Result<Saved, ArticleError> {
    let Some(id) = number_of(transaction, slug).await? else { return Err(ArticleError::not_found(slug)) };
    let version = version(transaction, id, number).await?;
    let missing = || match number {
        Some(revision) => ArticleError::NoRevision { slug: slug.to_owned(), revision },
        None => ArticleError::NoPast { slug: slug.to_owned() },
    };
    if row::by_id(transaction, id).await?.is_none() {
        return undelete(transaction, version.ok_or_else(missing)?, settings).await;
    }
    let version = version.ok_or_else(missing)?;
    let changes = Changes {
        title: Some(version.title),
        body: Some(version.body),
        folder: Some(Folder::parse(&version.folder).unwrap_or_default()),
        extra: Some(version.extra),
        ..Changes::default()
    };
    update::update(transaction, slug, changes, settings).await
}

async fn undelete(
    transaction: &Transaction,
    version: article_version::Model,
    settings: Settings,
) -> Result<Saved, ArticleError> {
    let slug = Slug::parse(&version.slug)?;
    if row::by_slug(transaction, slug.as_ref()).await?.is_some() {
        return Err(create::taken(transaction, &slug).await?);
    }
    let id = version.article_id;
    transaction
        .run(
            "INSERT INTO articles (id, slug, title, folder, body, extra, content_hash, skip_embedding, created_at,
                                   updated_at, revision)
             SELECT article_id, slug, title, folder, body, extra, content_hash, skip_embedding, created_at, {now},
                    (SELECT max(revision) + 1 FROM article_versions WHERE article_id = $1)
             FROM article_versions WHERE article_id = $1 AND revision = $2",
            [id.into(), version.revision.into()],
        )
        .await?;
    transaction.run("UPDATE article_versions SET deleted = FALSE WHERE article_id = $1", [id.into()]).await?;
    keyword::index(transaction, id, &version.title, &version.body).await?;
    events::record_article_act(transaction, id, "article restored", &version.slug).await?;
    let article = create::read(transaction, id).await?;
    let task = NewTask {
        article_id: id,
        slug: version.slug,
        operation: Operation::Create,
        priority: Priority::Normal,
        revision: article.revision,
        max_attempts: settings.max_attempts,
        cause: "saved",
        trace_id: Some(settings.trace_id),
    };
    let task_id = if version.skip_embedding { None } else { Some(tasks::enqueue(transaction, &task).await?) };
    Ok(Saved { article: create::read(transaction, id).await?, task_id, changed: true })
}

/// The number of the article that has this slug, had it, or had it when it was deleted.
async fn number_of(connection: &impl ConnectionTrait, slug: &str) -> Result<Option<i64>, StoreError> {
    #[derive(FromQueryResult)]
    struct Number {
        id: Option<i64>,
    }
    let row = connection
        .row::<Number>(
            "SELECT coalesce(
                 (SELECT id FROM articles WHERE slug = $1),
                 (SELECT article_id FROM slug_aliases WHERE slug = $1),
                 (SELECT article_id FROM article_versions WHERE slug = $1 AND deleted
                  ORDER BY superseded_at DESC LIMIT 1)) AS id",
            [slug.into()],
        )
        .await?;
    Ok(row.and_then(|row| row.id))
}

async fn version(
    connection: &impl ConnectionTrait,
    id: i64,
    revision: Option<i64>,
) -> Result<Option<article_version::Model>, StoreError> {
    connection
        .row(
            "SELECT * FROM article_versions WHERE article_id = $1 AND ($2 IS NULL OR revision = $2)
             ORDER BY revision DESC LIMIT 1",
            [id.into(), revision.into()],
        )
        .await
}

fn past_article(version: article_version::Model) -> Article {
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
        extra: version.extra,
        id: version.article_id,
    }
}

impl From<Row> for Revision {
    fn from(row: Row) -> Self {
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
