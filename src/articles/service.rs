//! The article service: every door calls it.

use afterword_actors::{
    RuntimeHandle, RuntimeSettings, embed_now,
    embedder::Model,
    store::{Database, sql::Sql},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use super::{
    Article, ArticleError, ArticleSummary, ChangeFeed, Changes, DeletedPage, FolderCount, Limits, NewArticle, Page,
    Revision, Saved,
    create::{self, Settings},
    delete,
    folder::Folder,
    history,
    properties::{self, Filter, TextReading},
    row,
    slug::{Slug, as_stored},
    subfolders, update,
};
use crate::time::Timestamp;

/// Creates, reads, changes and deletes articles. Cheap to clone.
#[derive(Clone)]
pub struct Articles {
    pub(super) database: Database,
    pub(super) limits: Limits,
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
    pub async fn create(&self, new: NewArticle) -> Result<Saved, ArticleError> {
        let new = new.checked(self.limits)?;
        let settings = self.settings();
        let text = TextReading::of(&new.body).await;
        let saved = self
            .database
            .write(move |transaction| Box::pin(async move { create::create(transaction, new, &text, settings).await }))
            .await?;
        self.follow_up(saved).await
    }

    /// Changes an article; fields that the request does not name stay. A request that changes nothing writes nothing.
    ///
    /// # Errors
    /// [`ArticleError::NotFound`], [`ArticleError::Conflict`], [`ArticleError::Invalid`], [`ArticleError::TooLarge`].
    pub async fn update(&self, slug: &str, changes: Changes) -> Result<Saved, ArticleError> {
        let (slug, changes, settings) = (slug.to_owned(), changes.checked(self.limits)?, self.settings());
        let text = match &changes.body {
            Some(body) => Some(TextReading::of(body).await),
            None => None,
        };
        let saved = self
            .database
            .write(move |transaction| {
                Box::pin(async move { update::update(transaction, &slug, changes, text.as_ref(), settings).await })
            })
            .await;
        let saved = match saved {
            Err(ArticleError::Conflict { slug, expected, present, changed: None }) => {
                let changed = self.changed_since_revision(&slug, expected).await.ok().flatten();
                Err(ArticleError::Conflict { slug, expected, present, changed })
            }
            saved => saved,
        };
        self.follow_up(self.explained(saved).await?).await
    }

    /// Renames an article; the old slug keeps working.
    ///
    /// # Errors
    /// [`ArticleError::NotFound`], [`ArticleError::Exists`], [`ArticleError::FormerName`],
    /// [`ArticleError::Conflict`].
    pub async fn rename(&self, slug: &str, to: Slug, expected_revision: Option<i64>) -> Result<Saved, ArticleError> {
        let slug = slug.to_owned();
        let saved = self
            .database
            .write(move |transaction| {
                Box::pin(async move { update::rename(transaction, &slug, &to, expected_revision).await })
            })
            .await;
        self.explained(saved).await
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
            .write(move |transaction| {
                Box::pin(async move { delete::delete(transaction, &slug, expected_revision).await })
            })
            .await;
        self.explained(deleted).await
    }

    /// Makes a past revision the present one, as a new revision; also of a deleted article, by the slug it had or as
    /// `id:` and its number. If another article has its slug now, it comes back under the same slug with a suffix.
    ///
    /// # Errors
    /// [`ArticleError::NotFound`], [`ArticleError::NoRevision`], [`ArticleError::NoPast`].
    pub async fn restore(&self, slug: &str, revision: Option<i64>) -> Result<Saved, ArticleError> {
        let (slug, settings) = (slug.to_owned(), self.settings());
        let saved = self
            .database
            .write(move |transaction| {
                Box::pin(async move { history::restore(transaction, &slug, revision, settings).await })
            })
            .await;
        self.follow_up(self.explained(saved).await?).await
    }

    /// Returns articles of `folder` and below that were deleted, at `since` or later, and can be restored; the last
    /// deleted first.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn deleted(
        &self,
        folder: &Folder,
        since: Option<Timestamp>,
        limit: u32,
    ) -> Result<DeletedPage, ArticleError> {
        let reader = self.database.reader();
        let articles = history::deleted(reader, folder, since, limit).await?;
        Ok(DeletedPage { articles, total: history::count_deleted(reader, folder, since).await? })
    }

    /// Reads an article by its slug, a former one, or an alias.
    ///
    /// # Errors
    /// [`ArticleError::NotFound`], with a similar name.
    pub async fn read(&self, slug: &str) -> Result<Article, ArticleError> {
        let reader = self.database.reader();
        match row::by_name(reader, slug).await? {
            Some(article) => Ok(row::with_tags(reader, article).await?),
            None => self.explained(Err(ArticleError::not_found(slug))).await,
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

    /// Reads one revision of an article.
    ///
    /// # Errors
    /// [`ArticleError::NotFound`], [`ArticleError::NoRevision`].
    pub async fn read_revision(&self, slug: &str, revision: i64) -> Result<Article, ArticleError> {
        history::revision(self.database.reader(), slug, revision).await
    }

    /// Returns all revisions of an article, the newest first; also of a deleted one.
    ///
    /// # Errors
    /// [`ArticleError::NotFound`]
    pub async fn history(&self, slug: &str) -> Result<Vec<Revision>, ArticleError> {
        let history = history::history(self.database.reader(), slug).await;
        self.explained(history).await
    }

    /// Returns a page of articles in `folder` and below, the last saved first.
    ///
    /// # Errors
    /// [`ArticleError::Invalid`] if the cursor did not come from here.
    pub async fn list(&self, folder: &Folder, cursor: Option<&str>, limit: u32) -> Result<Page, ArticleError> {
        self.list_where(folder, &Filter::default(), cursor, limit).await
    }

    /// The same, of those that match `filter`.
    ///
    /// # Errors
    /// [`ArticleError::Invalid`] if the cursor did not come from here.
    pub async fn list_where(
        &self,
        folder: &Folder,
        filter: &Filter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page, ArticleError> {
        let listed = row::Listed { folder: folder.as_ref(), filter };
        let total = listed.total(self.database.reader()).await?;
        let (articles, next_cursor) = self.page(&listed, cursor, limit, total).await?;
        Ok(Page { articles, total, next_cursor })
    }

    /// Returns a page of articles in `folder` and below, the last saved first, and where the next one begins. They are
    /// not counted in total, so the cost depends only on the page.
    ///
    /// # Errors
    /// [`ArticleError::Invalid`] if the cursor did not come from here.
    pub async fn newest(
        &self,
        folder: &Folder,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<ArticleSummary>, Option<String>), ArticleError> {
        let listed = row::Listed { folder: folder.as_ref(), filter: &Filter::default() };
        self.page(&listed, cursor, limit, 0).await
    }

    /// Returns a page; `total` is how many are listed on all pages, if known.
    async fn page(
        &self,
        listed: &row::Listed<'_>,
        cursor: Option<&str>,
        limit: u32,
        total: i64,
    ) -> Result<(Vec<ArticleSummary>, Option<String>), ArticleError> {
        let after = cursor.map(decode_cursor).transpose()?;
        let reader = self.database.reader();
        let mut rows = listed.page(reader, after, limit.saturating_add(1), total).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next_cursor = rows.last().filter(|_| more).map(|last| encode_cursor(last.updated_at, last.id));
        Ok((row::summaries_with_tags(reader, rows).await?, next_cursor))
    }

    /// Returns up to `limit` folders directly below `folder` that contain articles, themselves or further below, in
    /// order. Each costs a look or two into an index, however many articles there are.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn subfolders(&self, folder: &Folder, limit: usize) -> Result<Vec<Folder>, ArticleError> {
        Ok(subfolders::of(self.database.reader(), folder, limit).await?)
    }

    /// Returns all folders that contain articles, in order.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn folders(&self) -> Result<Vec<FolderCount>, ArticleError> {
        let sql = "SELECT folder, count(*) AS articles FROM articles GROUP BY folder ORDER BY folder";
        let folders: Vec<(String, i64)> = self.database.reader().rows(sql, []).await?;
        Ok(folders.into_iter().map(|(folder, articles)| FolderCount { folder, articles }).collect())
    }

    /// Returns up to `limit` slugs that begin with `start`, in order.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn slugs(&self, start: &str, limit: usize) -> Result<Vec<String>, ArticleError> {
        // Slugs are ASCII: those that begin with a text sort between it and it followed by the last character.
        let sql = "SELECT slug FROM articles WHERE slug >= $1 AND slug < $2 ORDER BY slug LIMIT $3 + 0";
        let end = format!("{start}\u{7f}");
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Ok(self.database.reader().rows(sql, [start.into(), end.into(), limit.into()]).await?)
    }

    /// Looks for changes by any caller.
    pub fn changes(&self) -> ChangeFeed {
        ChangeFeed::new(self.database.clone())
    }

    /// The database that the service works on.
    pub fn database(&self) -> &Database {
        &self.database
    }

    pub(super) fn settings(&self) -> Settings {
        Settings { max_attempts: self.max_attempts, trace_id: Uuid::now_v7().simple().to_string() }
    }

    /// Runs after the commit: the caller gets its article whatever the result.
    pub(super) async fn follow_up(&self, saved: Saved) -> Result<Saved, ArticleError> {
        let Some(task_id) = saved.task_id else { return Ok(saved) };
        match &self.after {
            AfterSave::Wake(runtime) => runtime.wake(),
            AfterSave::Poll => self.database.announce(),
            AfterSave::EmbedNow(model, settings) => {
                let embedded = embed_now(&self.database, model, settings, task_id).await;
                match embedded {
                    Ok(_) => return Ok(Saved { article: self.read(&saved.article.slug).await?, ..saved }),
                    // The article is saved, and its task with it; the save must not fail because of the embedding.
                    Err(error) => tracing::warn!(%error, article = saved.article.slug, "not embedded yet"),
                }
            }
        }
        Ok(saved)
    }

    /// Adds a similar name to a [`ArticleError::NotFound`].
    pub(super) async fn explained<T>(&self, result: Result<T, ArticleError>) -> Result<T, ArticleError> {
        match result {
            Err(ArticleError::NotFound { slug, suggestion: None }) => {
                let suggestion = self.near(&slug).await;
                Err(ArticleError::NotFound { slug, suggestion })
            }
            other => other,
        }
    }

    /// Finds a slug that is similar to `slug`, among those that begin alike.
    async fn near(&self, slug: &str) -> Option<String> {
        const LOOKED_AT: i64 = 500;
        /// Longest slug that is compared. *Units:* bytes.
        const LONGEST_GUESSED: usize = 400;
        // Comparing takes the product of the lengths, and no slug is that long.
        if slug.len() > LONGEST_GUESSED {
            return None;
        }
        let meant = Slug::from_title(slug);
        // A folder is not part of a slug, but is often written before it.
        let without_folder = slug.rsplit_once('/').map(|(_, name)| Slug::from_title(name));
        for meant in std::iter::once(&meant).chain(&without_folder) {
            let begin_so = self.slugs(meant.as_ref(), 1).await.ok()?;
            if let Some(same) = begin_so.into_iter().find(|slug| slug == meant.as_ref()) {
                return Some(same);
            }
        }
        let slug = meant.as_ref();
        let start: String = slug.chars().take(1).collect();
        let sql = "SELECT slug FROM articles WHERE substr(slug, 1, 1) = $1 ORDER BY slug LIMIT $2";
        let slugs: Vec<String> = self.database.reader().rows(sql, [start.into(), LOOKED_AT.into()]).await.ok()?;
        let near = slugs.into_iter().map(|other| (strsim::jaro_winkler(&other, slug), other));
        near.filter(|(score, _)| *score > 0.85).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, slug)| slug)
    }
}

fn encode_cursor(updated_at: i64, id: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("{updated_at}:{id}"))
}

fn decode_cursor(cursor: &str) -> Result<(i64, i64), ArticleError> {
    let decoded = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded
        .and_then(|text| text.split_once(':').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?))))
        .ok_or_else(|| ArticleError::invalid("cursor", "is not one that this server gave out; begin without one"))
}
