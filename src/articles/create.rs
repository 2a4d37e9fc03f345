//! Creating an article: article, words and task in one transaction; the answer follows the commit.

use afterword_actors::{
    store::{
        StoreError, Transaction, events,
        sql::{FromRow, Sql},
        tasks,
    },
    task::{NewTask, Operation, Priority},
};

use super::{
    Article, ArticleError, NewArticle, SaveResult, links,
    names::{self, NUMBERED},
    properties::{self, Properties},
    reading::BodyReading,
    request::{self, Limits},
    row,
    slug::Slug,
};
use crate::fulltext::{self, Texts};

/// The event in the audit trail for an article that was saved with a time of its own.
pub(super) const IMPORTED: &str = "article imported";

/// The event in the audit trail for a save with a known author.
pub(super) const SAVED: &str = "article saved";

/// What the transaction needs besides the article.
pub(crate) struct Settings {
    pub(super) max_attempts: u32,
    pub(super) trace_id: String,
    pub(super) limits: Limits,
}

impl Settings {
    /// Queues the task of a save that wrote `revision` of the article `id`. Returns its number.
    pub(super) async fn queue(
        self,
        transaction: &Transaction,
        operation: Operation,
        (id, slug, revision): (i64, &str, i64),
        priority: Option<Priority>,
    ) -> Result<i64, StoreError> {
        let created = NewTask::created(id, slug);
        let task = NewTask {
            operation,
            revision,
            priority: priority.unwrap_or(created.priority),
            max_attempts: self.max_attempts,
            trace_id: Some(self.trace_id),
            ..created
        };
        tasks::enqueue(transaction, &task).await
    }
}

/// What the database adds to a new article.
#[derive(FromRow)]
struct Inserted {
    id: i64,
    created_at: i64,
    updated_at: i64,
    /// See [`fulltext::LANGUAGE`]. Read here: each statement makes the saves behind this one wait.
    language: String,
}

pub(crate) async fn create(
    transaction: &Transaction,
    new: NewArticle,
    BodyReading { text, terms, .. }: BodyReading,
    settings: Settings,
) -> Result<SaveResult, ArticleError> {
    names::share(transaction).await?;
    if let Some(first) = find_repeated(transaction, &new).await? {
        return Ok(SaveResult { article: first, task_id: None, changed: false });
    }
    let content_hash = request::content_hash(&new.title, &new.body);
    let (slug, inserted) = insert_named(transaction, &new, &content_hash).await?;
    let id = inserted.id;
    let said = Properties::of_reading(&new.front_matter, &text);
    let texts = Texts { title: &new.title, about: &said.about(), body: &new.body };
    fulltext::add(transaction, id, texts, terms, &inserted.language).await?;
    properties::write(transaction, id, properties::ExistingRows::None, &said).await?;
    links::write(transaction, id, properties::ExistingRows::None, &text.links(&new.front_matter)).await?;
    remember_key(transaction, &new, id).await?;
    if new.updated_at.is_some() {
        // Its time does not tell when it appeared here.
        events::record_article_act(transaction, id, IMPORTED, slug.as_ref()).await?;
    }
    events::record_article_act_of_caller(transaction, id, SAVED, &format!("{slug}, revision 1")).await?;
    let mut task_id = None;
    if !new.skip_embedding {
        let written = (id, slug.as_ref(), 1);
        task_id = Some(settings.queue(transaction, Operation::Create, written, new.priority).await?);
    }
    let mut article = created(new, slug, content_hash, &inserted, task_id);
    article.tags = said.names();
    Ok(SaveResult { article, task_id, changed: true })
}

/// Inserts the article under the requested slug. Without one it gets that of its title, or, if an article with another
/// title has that one already, the same with a suffix.
async fn insert_named(
    transaction: &Transaction,
    new: &NewArticle,
    content_hash: &str,
) -> Result<(Slug, Inserted), ArticleError> {
    let wanted = new.slug.clone().unwrap_or_else(|| Slug::from_title(&new.title));
    let others = new.slug.is_none().then(|| names::distinguished(&wanted, &new.title)).into_iter().flatten();
    let candidates: Vec<Slug> = std::iter::once(wanted.clone()).chain(others).collect();
    for slug in candidates {
        // Once more for a slug that has become free just now.
        for _ in 0..2 {
            if let Some(inserted) = insert(transaction, new, &slug, content_hash).await? {
                return Ok((slug, inserted));
            }
            match find_taken(transaction, &slug, &new.title).await? {
                Some(taken) if new.slug.is_some() || taken.same_title => return Err(taken.error),
                Some(_) => break,
                None => {}
            }
        }
    }
    Err(StoreError::Busy.into())
}

/// Returns the article as a reading would, without reading it: saves wait for each other.
fn created(new: NewArticle, slug: Slug, content_hash: String, inserted: &Inserted, task_id: Option<i64>) -> Article {
    let Inserted { id, created_at, updated_at, .. } = *inserted;
    let row = row::ArticleRow {
        id,
        slug: slug.to_string(),
        title: new.title,
        folder: new.folder.to_string(),
        body: new.body,
        front_matter: new.front_matter,
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
    let sql = format!(
        "INSERT INTO articles
             (slug, title, folder, body, front_matter, content_hash, skip_embedding, created_at, updated_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, coalesce($8, {{now}}), coalesce($9, {{now}})
         WHERE NOT EXISTS (SELECT 1 FROM slug_aliases WHERE slug = $1)
         ON CONFLICT (slug) DO NOTHING RETURNING id, created_at, updated_at, {} AS language",
        fulltext::LANGUAGE
    );
    transaction
        .row(
            &sql,
            [
                slug.as_ref().into(),
                new.title.clone().into(),
                new.folder.as_ref().into(),
                new.body.clone().into(),
                new.front_matter.clone().into(),
                content_hash.into(),
                new.skip_embedding.into(),
                new.created_at.into(),
                new.updated_at.into(),
            ],
        )
        .await
}

/// A slug that another article has.
pub(super) struct SlugConflict {
    pub(super) error: ArticleError,
    /// Whether that article has the same title, and is perhaps the meant one.
    pub(super) same_title: bool,
}

/// Finds the article that has the slug requested for this title.
pub(super) async fn find_taken(
    transaction: &Transaction,
    slug: &Slug,
    title: &str,
) -> Result<Option<SlugConflict>, StoreError> {
    let Some(owner) = row::by_slug(transaction, slug.as_ref()).await? else { return Ok(None) };
    let (slug, same_title) = (slug.to_string(), names::is_same_title(&owner.title, title));
    let error = if owner.slug == slug {
        ArticleError::Exists { slug, title: owner.title, same_title }
    } else {
        ArticleError::FormerName { slug, present: owner.slug }
    };
    Ok(Some(SlugConflict { error, same_title }))
}

/// Returns the article that was created with the same key, if there is one.
async fn find_repeated(transaction: &Transaction, new: &NewArticle) -> Result<Option<Article>, ArticleError> {
    let Some(key) = &new.idempotency_key else { return Ok(None) };
    names::one_by_one(transaction, key).await?;
    let known = transaction
        .row::<(String, i64)>(
            "SELECT request_hash, article_id FROM idempotency_keys WHERE key = $1",
            [key.clone().into()],
        )
        .await?;
    let Some((request_hash, article_id)) = known else { return Ok(None) };
    if request_hash != new.request_hash() {
        return Err(ArticleError::KeyReused { key: key.clone() });
    }
    match row::by_id(transaction, article_id).await? {
        Some(article) => Ok(Some(row::with_tags(transaction, article).await?)),
        // Created, and deleted since: a late repetition must not restore it.
        None => Err(ArticleError::KeyOfDeleted { key: key.clone(), name: format!("{NUMBERED}{article_id}") }),
    }
}

async fn remember_key(transaction: &Transaction, new: &NewArticle, id: i64) -> Result<(), StoreError> {
    let Some(key) = &new.idempotency_key else { return Ok(()) };
    transaction
        .later(
            "INSERT INTO idempotency_keys (key, request_hash, article_id, created_at) VALUES ($1, $2, $3, {now})",
            [key.clone().into(), new.request_hash().into(), id.into()],
        )
        .await
}

pub(super) async fn read(transaction: &Transaction, id: i64) -> Result<Article, StoreError> {
    match row::by_id(transaction, id).await? {
        Some(row) => row::with_tags(transaction, row).await,
        None => Err(StoreError::Unexpected(format!("article {id} is gone within its own save"))),
    }
}
