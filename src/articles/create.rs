//! Creating an article: article, words and task in one transaction; the answer follows the commit.

use afterword_actors::{
    store::{StoreError, Transaction, sql::Sql, tasks},
    task::{NewTask, Operation, Priority},
};
use sea_orm::FromQueryResult;

use super::{Article, ArticleError, NewArticle, Saved, request, row, slug::Slug};
use crate::search::keyword;

/// What the transaction needs besides the article.
pub(super) struct Settings {
    pub(super) max_attempts: u32,
    pub(super) trace_id: String,
}

/// What the database adds to a new article.
#[derive(FromQueryResult)]
struct Inserted {
    id: i64,
    created_at: i64,
    updated_at: i64,
}

pub(super) async fn create(
    transaction: &Transaction,
    new: NewArticle,
    settings: Settings,
) -> Result<Saved, ArticleError> {
    if let Some(first) = repeated(transaction, &new).await? {
        return Ok(Saved { article: first, task_id: None, changed: false });
    }
    let slug = new.slug.clone().unwrap_or_else(|| Slug::from_title(&new.title));
    let content_hash = request::content_hash(&new.title, &new.body);
    let Some(inserted) = insert(transaction, &new, &slug, &content_hash).await? else {
        return Err(taken(transaction, &slug).await?);
    };
    let id = inserted.id;
    keyword::index(transaction, id, &new.title, &new.body).await?;
    remember_key(transaction, &new, id).await?;
    let task_id = if new.skip_embedding { None } else { Some(queue(transaction, id, &slug, &new, settings).await?) };
    Ok(Saved { article: created(new, slug, content_hash, &inserted, task_id), task_id, changed: true })
}

/// The article as a reading would answer it, without reading it: saves wait for each other.
fn created(new: NewArticle, slug: Slug, content_hash: String, inserted: &Inserted, task_id: Option<i64>) -> Article {
    let Inserted { id, created_at, updated_at } = *inserted;
    let row = row::ArticleRow {
        id,
        slug: slug.to_string(),
        title: new.title,
        folder: new.folder.to_string(),
        body: new.body,
        extra: new.extra,
        revision: 1,
        content_hash,
        skip_embedding: new.skip_embedding,
        created_at,
        updated_at,
        embedded_revision: None,
        embedded_hash: None,
        task_id,
        task_status: task_id.map(|_| "pending".to_owned()),
        task_error: None,
    };
    row.into()
}

async fn insert(
    transaction: &Transaction,
    new: &NewArticle,
    slug: &Slug,
    content_hash: &str,
) -> Result<Option<Inserted>, StoreError> {
    transaction
        .row(
            "INSERT INTO articles
                 (slug, title, folder, body, extra, content_hash, skip_embedding, created_at, updated_at)
             SELECT $1, $2, $3, $4, $5, $6, $7, coalesce($8, {now}), {now}
             WHERE NOT EXISTS (SELECT 1 FROM slug_aliases WHERE slug = $1)
             ON CONFLICT (slug) DO NOTHING RETURNING id, created_at, updated_at",
            [
                slug.as_ref().into(),
                new.title.clone().into(),
                new.folder.as_ref().into(),
                new.body.clone().into(),
                new.extra.clone().into(),
                content_hash.into(),
                new.skip_embedding.into(),
                new.created_at.into(),
            ],
        )
        .await
}

/// Who has the slug.
pub(super) async fn taken(transaction: &Transaction, slug: &Slug) -> Result<ArticleError, StoreError> {
    let Some(owner) = row::by_slug(transaction, slug.as_ref()).await? else {
        return Err(StoreError::Unexpected(format!("the slug {slug} is taken by nobody")));
    };
    let slug = slug.to_string();
    Ok(if owner.slug == slug {
        ArticleError::Exists { slug, title: owner.title }
    } else {
        ArticleError::FormerName { slug, present: owner.slug }
    })
}

async fn queue(
    transaction: &Transaction,
    id: i64,
    slug: &Slug,
    new: &NewArticle,
    settings: Settings,
) -> Result<i64, StoreError> {
    let task = NewTask {
        article_id: id,
        slug: slug.to_string(),
        operation: Operation::Create,
        priority: new.priority.unwrap_or(Priority::Normal),
        revision: 1,
        max_attempts: settings.max_attempts,
        cause: "saved",
        trace_id: Some(settings.trace_id),
    };
    tasks::enqueue(transaction, &task).await
}

/// The article that was created with the same key, if there is one.
async fn repeated(transaction: &Transaction, new: &NewArticle) -> Result<Option<Article>, ArticleError> {
    #[derive(FromQueryResult)]
    struct Key {
        request_hash: String,
        article_id: i64,
    }
    let Some(key) = &new.idempotency_key else { return Ok(None) };
    let known = transaction
        .row::<Key>("SELECT request_hash, article_id FROM idempotency_keys WHERE key = $1", [key.clone().into()])
        .await?;
    let Some(known) = known else { return Ok(None) };
    if known.request_hash != new.request_hash() {
        return Err(ArticleError::KeyReused { key: key.clone() });
    }
    match row::by_id(transaction, known.article_id).await? {
        Some(article) => Ok(Some(article.into())),
        // Created, and deleted since: a late repetition must not bring it back.
        None => Err(ArticleError::not_found(new.slug.as_ref().map_or(&new.title, AsRef::as_ref))),
    }
}

async fn remember_key(transaction: &Transaction, new: &NewArticle, id: i64) -> Result<(), StoreError> {
    let Some(key) = &new.idempotency_key else { return Ok(()) };
    transaction
        .run(
            "INSERT INTO idempotency_keys (key, request_hash, article_id, created_at) VALUES ($1, $2, $3, {now})",
            [key.clone().into(), new.request_hash().into(), id.into()],
        )
        .await
        .map(drop)
}

pub(super) async fn read(transaction: &Transaction, id: i64) -> Result<Article, StoreError> {
    let row = row::by_id(transaction, id).await?;
    row.map(Article::from).ok_or_else(|| StoreError::Unexpected(format!("article {id} is gone within its own save")))
}
