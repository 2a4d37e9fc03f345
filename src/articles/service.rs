//! The article service: every door calls it.

use afterword_actors::{
    RuntimeHandle, RuntimeSettings, embed_now,
    embedder::Model,
    store::{Database, sql::Sql},
};
use uuid::Uuid;

use super::{
    Article, ArticleError, ArticlePatch, ChangeFeed, Limits, NewArticle, Revision, SaveResult,
    create::{self, Settings},
    delete,
    front_matter::Setting,
    history, properties,
    reading::BodyReading,
    request,
    restore::{self, Present},
    row,
    slug::{Slug, as_stored},
    update,
};
use crate::offload;

/// Creates, reads, changes and deletes articles. Cheap to clone.
#[derive(Clone)]
pub struct Articles {
    pub(crate) database: Database,
    pub(crate) limits: Limits,
    max_attempts: u32,
    after: AfterSave,
}

/// What follows a commit.
#[derive(Clone)]
pub enum AfterSave {
    /// Wake the runtime of this process.
    Wake(RuntimeHandle),
    /// Leave it to another process's runtime: PostgreSQL notifies it of the task, on SQLite it finds it at its next
    /// poll.
    Poll,
    /// Embed inside the call: the queue is switched off.
    EmbedNow(Model, Box<RuntimeSettings>),
}

impl Articles {
    /// Makes the service for `database`.
    pub fn new(database: Database, limits: Limits, max_attempts: u32, after: AfterSave) -> Self {
        Self { database, limits, max_attempts, after }
    }

    /// Creates an article. Never overwrites.
    ///
    /// # Errors
    /// [`ArticleError::Exists`] or [`ArticleError::FormerName`] if the slug is taken, [`ArticleError::KeyReused`],
    /// [`ArticleError::Invalid`], [`ArticleError::TooLarge`].
    pub async fn create(&self, new: NewArticle) -> Result<SaveResult, ArticleError> {
        let new = new.checked(self.limits)?;
        let settings = self.settings();
        let read = BodyReading::of(&new.body).await;
        let saved = self
            .database
            .write(async move |transaction| create::create(transaction, new, read, settings).await)
            .await?;
        self.follow_up(saved).await
    }

    /// Changes an article; fields that the request does not name stay. A request that changes nothing writes nothing.
    ///
    /// # Errors
    /// [`ArticleError::NotFound`], [`ArticleError::Conflict`], [`ArticleError::Invalid`], [`ArticleError::TooLarge`].
    pub async fn update(&self, slug: &str, changes: ArticlePatch) -> Result<SaveResult, ArticleError> {
        let (slug, changes, settings) = (slug.to_owned(), changes.checked(self.limits)?, self.settings());
        let read = match &changes.body {
            Some(body) => Some(BodyReading::of(body).await),
            None if changes.are_of_words() => self.read_ahead(&slug, &changes.properties).await,
            None => None,
        };
        let saved = self
            .database
            .write(async move |transaction| update::update(transaction, &slug, changes, read, settings).await)
            .await;
        self.follow_up(self.add_similar_name(self.add_difference(saved).await).await?).await
    }

    /// Reads a body in which at most these values change, if it is long. What could not be read ahead is read when it
    /// is written.
    async fn read_ahead(&self, slug: &str, properties: &[(String, Option<Setting>)]) -> Option<BodyReading> {
        let sql = "SELECT body FROM articles
                   WHERE id = coalesce((SELECT id FROM articles WHERE slug = $1),
                                       (SELECT article_id FROM slug_aliases WHERE slug = $1))
                     AND octet_length(body) > $2 + 0";
        let values =
            [as_stored(slug).as_ref().into(), i64::try_from(offload::SMALL_TEXT_BYTES).unwrap_or(i64::MAX).into()];
        let body = self.database.reader().row::<String>(sql, values).await.ok().flatten()?;
        Some(BodyReading::of(&request::set_in_text(body, properties).ok()?).await)
    }

    /// Renames an article; the old slug keeps working.
    ///
    /// # Errors
    /// [`ArticleError::NotFound`], [`ArticleError::Exists`], [`ArticleError::FormerName`],
    /// [`ArticleError::Conflict`].
    pub async fn rename(
        &self,
        slug: &str,
        to: Slug,
        expected_revision: Option<i64>,
    ) -> Result<SaveResult, ArticleError> {
        let slug = slug.to_owned();
        let saved = self
            .database
            .write(async move |transaction| update::rename(transaction, &slug, &to, expected_revision).await)
            .await;
        self.add_similar_name(self.add_difference(saved).await).await
    }

    /// Deletes an article with its vectors and its waiting task; returns what was deleted. [`Articles::restore`] brings
    /// it back.
    ///
    /// # Errors
    /// [`ArticleError::NotFound`], [`ArticleError::Conflict`].
    pub async fn delete(&self, slug: &str, expected_revision: Option<i64>) -> Result<Article, ArticleError> {
        let slug = slug.to_owned();
        let deleted = self
            .database
            .write(async move |transaction| delete::delete(transaction, &slug, expected_revision).await)
            .await;
        self.add_similar_name(self.add_difference(deleted).await).await
    }

    /// Makes a past revision the present one, as a new revision; also of a deleted article, by the slug it had or as
    /// `id:` and its number. If another article has its slug now, it comes back under the same slug with a suffix.
    ///
    /// # Errors
    /// [`ArticleError::NotFound`], [`ArticleError::NoRevision`], [`ArticleError::NoPast`].
    pub async fn restore(&self, slug: &str, revision: Option<i64>) -> Result<SaveResult, ArticleError> {
        self.restore_revision(slug, revision, Present::Any).await
    }

    /// Brings a deleted article back as it was.
    ///
    /// # Errors
    /// As [`Articles::restore`], and [`ArticleError::NotDeleted`].
    pub async fn undelete(&self, slug: &str) -> Result<SaveResult, ArticleError> {
        self.restore_revision(slug, None, Present::Deleted).await
    }

    /// The same, if the article exists and is at the revision `expected`.
    ///
    /// # Errors
    /// As [`Articles::restore`], and [`ArticleError::Conflict`].
    pub async fn restore_if(
        &self,
        slug: &str,
        revision: Option<i64>,
        expected: Option<i64>,
    ) -> Result<SaveResult, ArticleError> {
        self.restore_revision(slug, revision, expected.map_or(Present::Any, Present::At)).await
    }

    async fn restore_revision(
        &self,
        slug: &str,
        revision: Option<i64>,
        expected: Present,
    ) -> Result<SaveResult, ArticleError> {
        let (slug, settings) = (slug.to_owned(), self.settings());
        let read = match history::body(self.database.reader(), &slug, revision).await {
            Ok(Some(body)) => Some(BodyReading::of(&body).await),
            // What could not be read ahead is read when it is written.
            Ok(None) | Err(_) => None,
        };
        let saved = self
            .database
            .write(async move |transaction| {
                restore::restore(transaction, &slug, (revision, expected), read, settings).await
            })
            .await;
        self.follow_up(self.add_similar_name(self.add_difference(saved).await).await?).await
    }

    /// Reads an article by its slug, a former one, or an alias.
    ///
    /// # Errors
    /// [`ArticleError::NotFound`], with a similar name.
    pub async fn read(&self, slug: &str) -> Result<Article, ArticleError> {
        let reader = self.database.reader();
        match row::by_name(reader, slug).await? {
            Some(article) => Ok(row::with_tags(reader, article).await?),
            None => self.add_similar_name(Err(ArticleError::not_found(slug))).await,
        }
    }

    /// Returns the size of an article's body, without reading it; 0 if there is no such article. *Units:* bytes.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn weight(&self, slug: &str) -> Result<u64, ArticleError> {
        let sql =
            format!("SELECT CAST(octet_length(body) AS BIGINT) AS n FROM articles WHERE id = {}", properties::KNOWN_BY);
        let names = [as_stored(slug).as_ref().into(), properties::alias_of(slug).into()];
        let row = self.database.reader().row::<i64>(&sql, names).await?;
        Ok(row.and_then(|n| u64::try_from(n).ok()).unwrap_or_default())
    }

    /// Returns the revision that an article is at; `None` if there is no such article.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn revision(&self, slug: &str) -> Result<Option<i64>, ArticleError> {
        let sql = format!("SELECT revision AS n FROM articles WHERE id = {}", properties::KNOWN_BY);
        let names = [as_stored(slug).as_ref().into(), properties::alias_of(slug).into()];
        Ok(self.database.reader().row::<i64>(&sql, names).await?)
    }

    /// Returns the size of the largest body that an article has or had, also of a deleted one. *Units:* bytes.
    ///
    /// # Errors
    /// As of [`Articles::history`].
    pub async fn weight_of_past(&self, slug: &str) -> Result<u64, ArticleError> {
        let largest = self.history(slug).await?.into_iter().map(|revision| revision.size).max();
        Ok(u64::try_from(largest.unwrap_or_default()).unwrap_or_default())
    }

    /// Refuses the past of a deleted article, for callers who may not restore it: to them it is gone.
    ///
    /// # Errors
    /// [`ArticleError::NotFound`]
    pub async fn must_exist(&self, slug: &str) -> Result<(), ArticleError> {
        let exists = history::exists(self.database.reader(), slug).await?;
        if exists { Ok(()) } else { self.add_similar_name(Err(ArticleError::not_found(slug))).await }
    }

    /// Reads one revision of an article, also of a deleted one.
    ///
    /// # Errors
    /// [`ArticleError::NotFound`], [`ArticleError::NoRevision`].
    pub async fn read_revision(&self, slug: &str, revision: i64) -> Result<Article, ArticleError> {
        self.add_similar_name(history::revision(self.database.reader(), slug, revision).await).await
    }

    /// Returns all revisions of an article, the newest first; also of a deleted one.
    ///
    /// # Errors
    /// [`ArticleError::NotFound`]
    pub async fn history(&self, slug: &str) -> Result<Vec<Revision>, ArticleError> {
        let history = history::history(self.database.reader(), slug).await;
        self.add_similar_name(history).await
    }

    /// Looks for changes by any caller.
    pub fn changes(&self) -> ChangeFeed {
        ChangeFeed::new(self.database.clone())
    }

    /// The database that the service works on.
    pub fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings { max_attempts: self.max_attempts, trace_id: Uuid::now_v7().simple().to_string(), limits: self.limits }
    }

    /// Runs after the commit: the caller gets its article whatever the result.
    pub(crate) async fn follow_up(&self, saved: SaveResult) -> Result<SaveResult, ArticleError> {
        let Some(task_id) = saved.task_id else { return Ok(saved) };
        match &self.after {
            AfterSave::Wake(runtime) => runtime.wake(),
            AfterSave::Poll => self.database.announce(),
            AfterSave::EmbedNow(model, settings) => {
                let embedded = embed_now(&self.database, model, settings, task_id).await;
                match embedded {
                    // It is saved, whether it can be read at this moment or not.
                    Ok(_) => {
                        if let Ok(article) = self.read(&saved.article.slug).await {
                            return Ok(SaveResult { article, ..saved });
                        }
                    }
                    // The article is saved, and its task with it; the save must not fail because of the embedding.
                    Err(error) => tracing::warn!(%error, article = saved.article.slug, "not embedded yet"),
                }
            }
        }
        Ok(saved)
    }
}
