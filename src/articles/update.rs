//! Changes an article: the revision before becomes a past one, and a task is queued if what is embedded changed.

use afterword_actors::{
    store::{StoreError, Transaction, events, sql::Sql, tasks, vectors},
    task::Operation,
};

use super::{
    ArticleError, ArticlePatch, SaveResult,
    create::{self, Settings},
    front_matter, links, names,
    properties::{self, Properties},
    reading::BodyReading,
    request,
    row::{self, ArticleRow},
    slug::Slug,
};
use crate::fulltext::{self, Texts};

pub(crate) async fn update(
    transaction: &Transaction,
    slug: &str,
    changes: ArticlePatch,
    read: Option<BodyReading>,
    settings: Settings,
) -> Result<SaveResult, ArticleError> {
    let present = present(transaction, slug, changes.expected_revision).await?;
    let mut next = Next::of(&present, &changes)?;
    // Properties that the text itself names are set there.
    if next.body.len() > present.body.len() {
        next.body = request::checked_body(next.body, settings.limits)?;
    }
    if next.is_same(&present) {
        return Ok(SaveResult { article: row::with_tags(transaction, present).await?, task_id: None, changed: false });
    }
    archive(transaction, present.id, Ending::Superseded).await?;
    write(transaction, &present, &next).await?;
    record(transaction, create::SAVED, present.id, &present.slug, present.revision + 1).await?;
    note(transaction, &present, &next, read).await?;
    let task_id = follow(transaction, &present, &next, &changes, settings).await?;
    Ok(SaveResult { article: create::read(transaction, present.id).await?, task_id, changed: true })
}

async fn record(transaction: &Transaction, event: &str, id: i64, slug: &str, revision: i64) -> Result<(), StoreError> {
    events::record_article_act_of_caller(transaction, id, event, &format!("{slug}, revision {revision}")).await
}

/// Returns the article, if it is at the revision that the caller expects.
pub(super) async fn present(
    transaction: &Transaction,
    slug: &str,
    expected: Option<i64>,
) -> Result<ArticleRow, ArticleError> {
    let present = row::by_slug_held(transaction, slug).await?.ok_or_else(|| ArticleError::not_found(slug))?;
    match expected {
        Some(expected) if expected != present.revision => {
            Err(ArticleError::Conflict { slug: present.slug, expected, present: present.revision, changed: None })
        }
        Some(_) | None => Ok(present),
    }
}

struct Next {
    title: String,
    body: String,
    folder: String,
    front_matter: String,
    skip_embedding: bool,
    content_hash: String,
    /// Given by the caller.
    created_at: Option<i64>,
    /// Given by the caller; `None`: now.
    updated_at: Option<i64>,
}

impl Next {
    fn of(present: &ArticleRow, changes: &ArticlePatch) -> Result<Self, ArticleError> {
        let title = changes.title.clone().unwrap_or_else(|| present.title.clone());
        let body = changes.body.clone().unwrap_or_else(|| present.body.clone());
        let front_matter = match &changes.front_matter {
            Some(given) => given.clone(),
            None => front_matter::kept(&present.front_matter, &present.body, &body).into_owned(),
        };
        let (front_matter, body) = request::set(front_matter, body, &changes.properties)?;
        Ok(Self {
            folder: changes.folder.as_ref().map_or_else(|| present.folder.clone(), ToString::to_string),
            front_matter,
            skip_embedding: changes.skip_embedding.unwrap_or(present.skip_embedding),
            content_hash: request::content_hash(&title, &body),
            created_at: changes.created_at,
            updated_at: changes.updated_at,
            title,
            body,
        })
    }

    fn is_same(&self, present: &ArticleRow) -> bool {
        self.content_hash == present.content_hash
            && self.folder == present.folder
            && self.front_matter == present.front_matter
            && self.skip_embedding == present.skip_embedding
            && self.created_at.is_none_or(|at| at == present.created_at)
            && self.updated_at.is_none_or(|at| at == present.updated_at)
    }
}

async fn write(transaction: &Transaction, present: &ArticleRow, next: &Next) -> Result<(), StoreError> {
    transaction
        .later(
            "UPDATE articles SET title = $2, body = $3, folder = $4, front_matter = $5, extra = '',
                 skip_embedding = $6, content_hash = $7, revision = revision + 1,
                 created_at = coalesce($8, created_at), updated_at = coalesce($9, {now}) WHERE id = $1",
            [
                present.id.into(),
                next.title.clone().into(),
                next.body.clone().into(),
                next.folder.clone().into(),
                next.front_matter.clone().into(),
                next.skip_embedding.into(),
                next.content_hash.clone().into(),
                next.created_at.into(),
                next.updated_at.into(),
            ],
        )
        .await?;
    if next.updated_at.is_some() {
        events::record_article_act(transaction, present.id, create::IMPORTED, &present.slug).await?;
    }
    Ok(())
}

/// Writes its words and what the article says about itself, if they may have changed. `read` is what was read ahead.
async fn note(
    transaction: &Transaction,
    present: &ArticleRow,
    next: &Next,
    read: Option<BodyReading>,
) -> Result<(), StoreError> {
    let says_the_same = next.body == present.body && next.front_matter == present.front_matter;
    if says_the_same && next.title == present.title {
        return Ok(());
    }
    let BodyReading { text, terms, .. } = BodyReading::ahead_or_now(read, &next.body);
    let said = Properties::of_reading(&next.front_matter, &text);
    let texts = Texts { title: &next.title, about: &said.about(), body: &next.body };
    fulltext::replace(transaction, present.id, texts, terms).await?;
    if says_the_same {
        return Ok(());
    }
    properties::write(transaction, present.id, properties::ExistingRows::Possible, &said).await?;
    links::write(transaction, present.id, properties::ExistingRows::Possible, &text.links(&next.front_matter)).await
}

/// Queues or cancels embedding, as the change requires.
async fn follow(
    transaction: &Transaction,
    present: &ArticleRow,
    next: &Next,
    changes: &ArticlePatch,
    settings: Settings,
) -> Result<Option<i64>, StoreError> {
    if next.skip_embedding {
        // The waiting task is not needed any more, the stored vectors are removed, and a running attempt is refused at
        // its end.
        tasks::withdraw(transaction, present.id, "embedding skipped").await?;
        vectors::remove(transaction, &[present.id]).await?;
        return Ok(None);
    }
    if next.content_hash == present.content_hash && !present.skip_embedding {
        return Ok(None);
    }
    let written = (present.id, present.slug.as_str(), present.revision + 1);
    settings.queue(transaction, Operation::Update, written, changes.priority).await.map(Some)
}

/// What ends a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The next revision.
    Superseded,
    /// The deletion of its article.
    Deleted,
}

/// Stores the present revision as a past one.
pub(super) async fn archive(transaction: &Transaction, id: i64, ending: Ending) -> Result<(), StoreError> {
    let is_deleted = ending == Ending::Deleted;
    transaction
        .later(
            "INSERT INTO article_versions
                 (article_id, revision, slug, title, folder, body, extra, front_matter, content_hash, skip_embedding,
                  created_at, updated_at, superseded_at, deleted)
             SELECT id, revision, slug, title, folder, body, extra, front_matter, content_hash, skip_embedding,
                    created_at, updated_at, {now}, $2
             FROM articles WHERE id = $1",
            [id.into(), is_deleted.into()],
        )
        .await
}

/// Renames the article; the old slug keeps working. Waiting tasks refer to the article's number and are not touched.
pub(super) async fn rename(
    transaction: &Transaction,
    slug: &str,
    to: &Slug,
    expected_revision: Option<i64>,
) -> Result<SaveResult, ArticleError> {
    names::alone(transaction).await?;
    let present = present(transaction, slug, expected_revision).await?;
    if present.slug == to.as_ref() {
        return Ok(SaveResult { article: row::with_tags(transaction, present).await?, task_id: None, changed: false });
    }
    if let Some(owner) = row::by_slug(transaction, to.as_ref()).await?
        && owner.id != present.id
        && let Some(taken) = create::find_taken(transaction, to, &present.title).await?
    {
        return Err(taken.error);
    }
    archive(transaction, present.id, Ending::Superseded).await?;
    transaction.run("DELETE FROM slug_aliases WHERE slug = $1", [to.as_ref().into()]).await?;
    transaction
        .run(
            "UPDATE articles SET slug = $2, revision = revision + 1, updated_at = {now} WHERE id = $1",
            [present.id.into(), to.as_ref().into()],
        )
        .await?;
    transaction
        .run(
            "INSERT INTO slug_aliases (slug, article_id, created_at) VALUES ($1, $2, {now})",
            [present.slug.clone().into(), present.id.into()],
        )
        .await?;
    record(transaction, "article renamed", present.id, to.as_ref(), present.revision + 1).await?;
    Ok(SaveResult { article: create::read(transaction, present.id).await?, task_id: None, changed: true })
}
