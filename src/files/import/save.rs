//! One file of an import: its article and what is noted of the file, in one transaction.

use std::sync::Arc;

use afterword_actors::{
    store::{StoreError, Transaction, sql::Sql},
    task::Priority,
};

use super::{
    super::{
        content::Content,
        decode, hash, place,
        plan::Action,
        scan::ScannedFile,
        source::{self, FileRecord, Occupant},
    },
    blocking::blocking,
    error::FileError,
    run::{ImportRun, Times},
};
use crate::articles::{
    Article, ArticleError, ArticlePatch, NewArticle, SaveResult, create, links,
    names::{self, NUMBERED},
    properties::{self, Properties},
    reading::BodyReading,
    restore, row,
    slug::Slug,
    update,
};
use crate::fulltext::{self, Texts};

impl ImportRun<'_> {
    pub(super) async fn carry_out_one(&self, file: &ScannedFile, action: &Action) -> Result<(), FileError> {
        match action {
            Action::Create { slug, former_slugs, again } => {
                let (content, hash) = self.content(file).await?;
                let record = self.new_record(file, again.as_deref(), hash);
                self.create(content, slug.clone(), former_slugs.clone(), record, again.is_some()).await
            }
            Action::Update { record, has_moved } => {
                let (content, hash) = self.content(file).await?;
                let (id, revision) = (record.article_id, record.present.unwrap_or(record.revision));
                let before = has_moved.then(|| record.as_ref().clone());
                let noted = self.new_record(file, Some(record.as_ref()).filter(|_| !has_moved), hash);
                self.update(content, id, revision, before, noted).await
            }
            Action::Restore { record, slug } => {
                let (content, hash) = self.content(file).await?;
                self.restore(content, record.article_id, slug, self.new_record(file, Some(record.as_ref()), hash)).await
            }
            Action::Replace { occupant } => {
                let (content, hash) = self.content(file).await?;
                self.update(content, occupant.id, occupant.revision, None, self.new_record(file, None, hash)).await
            }
            Action::Adopt { occupant } => {
                let (content, hash) = self.content(file).await?;
                self.adopt(content, occupant, self.new_record(file, None, hash)).await
            }
            Action::Follow { record } => {
                let (old, new) = (record.as_ref().clone(), self.moved_record(file, record));
                self.articles
                    .database
                    .write(async move |transaction| {
                        source::hold(transaction, &old, &new).await?;
                        source::relocate(transaction, &old, &new).await?;
                        source::record(transaction, &new).await
                    })
                    .await
                    .map_err(|error: StoreError| error.into())
            }
            Action::Unchanged { .. } | Action::Skip { .. } | Action::Deleted { .. } | Action::Merge { .. } => Ok(()),
            Action::Refuse(refusal) => Err(FileError::Read(refusal.to_string())),
        }
    }

    /// Reads the file again, to save it as it is now.
    async fn content(&self, file: &ScannedFile) -> Result<(Content, String), FileError> {
        let (root, name) = (Arc::clone(&self.root), file.file.clone());
        let placed = place::join(&self.prefix, &name);
        let (above, limits, times) = (self.import.folder.clone(), self.articles.limits, self.times);
        let reading = Arc::clone(&self.reading);
        let read = blocking(move || {
            let bytes = match root.read(&name, limits.max_size) {
                Err(_) if root.is_free(&name) => return Err(FileError::Overtaken),
                read => read.map_err(|error| FileError::Read(error.to_string()))?,
            };
            let hash = hash(&bytes);
            let text = decode::text(bytes).map_err(|error| FileError::Read(error.to_string()))?;
            let mut content = reading.content(&text, &placed, &above, limits).map_err(FileError::Read)?;
            if times == Times::OfChanges {
                content.updated = content.updated.or_else(|| root.modified(&name));
            }
            Ok((content, hash))
        });
        let panicked = || FileError::Read("made the program panic while it was read".to_owned());
        read.await.ok_or_else(panicked)?
    }

    /// What is noted of a file that had no article.
    fn new_record(&self, file: &ScannedFile, before: Option<&FileRecord>, file_hash: String) -> FileRecord {
        let path = place::join(&self.prefix, &file.file);
        let (source_id, path) = before.map_or((self.source, path), |record| (record.source_id, record.path.clone()));
        FileRecord::without_article(source_id, path, file_hash)
    }

    /// What is known of a file at its new place.
    fn moved_record(&self, file: &ScannedFile, record: &FileRecord) -> FileRecord {
        let FileRecord { source_id, path, .. } = self.new_record(file, None, String::new());
        FileRecord { source_id, path, ..record.clone() }
    }

    async fn create(
        &self,
        content: Content,
        slug: Slug,
        former: Vec<Slug>,
        record: FileRecord,
        had_article: bool,
    ) -> Result<(), FileError> {
        let new = NewArticle {
            title: content.title,
            body: content.body,
            slug: Some(slug),
            folder: content.folder,
            front_matter: content.head,
            skip_embedding: content.skip_embedding,
            created_at: content.created.or(content.updated.filter(|_| self.times == Times::OfChanges)),
            updated_at: content.updated,
            priority: Some(Priority::Low),
            ..NewArticle::default()
        };
        let new = new.checked(self.articles.limits)?;
        let settings = self.articles.settings();
        let read = BodyReading::of(&new.body).await;
        let saved = self
            .articles
            .database
            .write(async move |transaction| {
                if !former.is_empty() {
                    names::alone(transaction).await?;
                }
                let saved = create::create(transaction, new, read, settings).await.map_err(overtaken)?;
                names::lead_to(transaction, saved.article.id, &former).await?;
                match had_article {
                    true => note(transaction, record, &saved).await?,
                    false => note_new(transaction, record, &saved).await?,
                }
                Ok::<_, FileError>(saved)
            })
            .await?;
        self.articles.follow_up(saved).await?;
        Ok(())
    }

    async fn update(
        &self,
        content: Content,
        id: i64,
        revision: i64,
        before: Option<FileRecord>,
        record: FileRecord,
    ) -> Result<(), FileError> {
        let former = content.former_slugs.clone();
        let mut changes = changes(content, revision).checked(self.articles.limits)?;
        let read = BodyReading::of(changes.body.as_deref().unwrap_or_default()).await;
        let (settings, times) = (self.articles.settings(), self.times);
        let saved = self
            .articles
            .database
            .write(async move |transaction| {
                if !former.is_empty() {
                    names::alone(transaction).await?;
                }
                if let Some(before) = &before {
                    source::hold(transaction, before, &record).await?;
                }
                let present = row::by_id(transaction, id).await?.ok_or(FileError::Overtaken)?;
                if times == Times::OfChanges {
                    changes.updated_at = changes.updated_at.filter(|said| *said > present.updated_at);
                }
                let saved = update::update(transaction, &present.slug, changes, Some(read), settings).await;
                let saved = saved.map_err(overtaken)?;
                if saved.article.id != id {
                    return Err(FileError::Overtaken);
                }
                names::lead_to(transaction, id, &former).await?;
                if let Some(before) = before {
                    source::relocate(transaction, &before, &record).await?;
                }
                note(transaction, record, &saved).await?;
                Ok(saved)
            })
            .await?;
        self.articles.follow_up(saved).await?;
        Ok(())
    }

    /// Brings back an article that was deleted, as a new revision if its file says something else than it did then.
    async fn restore(&self, content: Content, id: i64, slug: &Slug, record: FileRecord) -> Result<(), FileError> {
        let (former, slug) = (content.former_slugs.clone(), slug.to_string());
        let mut changes = changes(content, 0).checked(self.articles.limits)?;
        changes.expected_revision = None;
        let read = BodyReading::of(changes.body.as_deref().unwrap_or_default()).await;
        let (settings, again, times) = (self.articles.settings(), self.articles.settings(), self.times);
        let saved = self
            .articles
            .database
            .write(async move |transaction| {
                names::alone(transaction).await?;
                if row::by_id(transaction, id).await?.is_some() {
                    return Err(FileError::Overtaken);
                }
                let name = format!("{NUMBERED}{id}");
                let back = restore::restore(transaction, &name, (None, restore::Present::Deleted), None, settings)
                    .await
                    .map_err(overtaken)?;
                // Dry runs promise what it is called.
                if back.article.slug != slug {
                    return Err(FileError::Overtaken);
                }
                if times == Times::OfChanges {
                    changes.updated_at = None;
                }
                let saved = update::update(transaction, &slug, changes, Some(read), again).await;
                let saved = saved.map_err(overtaken)?;
                names::lead_to(transaction, id, &former).await?;
                note(transaction, record, &saved).await?;
                Ok(SaveResult { task_id: saved.task_id.or(back.task_id), changed: true, ..saved })
            })
            .await?;
        self.articles.follow_up(saved).await?;
        Ok(())
    }

    /// Takes an article that says the same for the file's. Only its front matter is new, which is no new revision.
    async fn adopt(&self, content: Content, occupant: &Occupant, record: FileRecord) -> Result<(), FileError> {
        let (id, revision, former) = (occupant.id, occupant.revision, content.former_slugs);
        let read = BodyReading::of(&content.body).await;
        self.articles
            .database
            .write(async move |transaction| {
                if !former.is_empty() {
                    names::alone(transaction).await?;
                }
                let sql = "UPDATE articles SET front_matter = $3, extra = '' WHERE id = $1 AND revision = $2";
                let adopted = transaction.run(sql, [id.into(), revision.into(), content.head.clone().into()]).await?;
                let article = row::by_id(transaction, id).await?;
                let Some(article) = article.filter(|_| adopted == 1) else { return Err(FileError::Overtaken) };
                names::lead_to(transaction, id, &former).await?;
                let BodyReading { text, terms, .. } = BodyReading::ahead_or_now(Some(read), &article.body);
                let said = Properties::of_reading(&content.head, &text);
                properties::write(transaction, id, properties::ExistingRows::Possible, &said).await?;
                links::write(transaction, id, properties::ExistingRows::Possible, &text.links(&content.head)).await?;
                let texts = Texts { title: &article.title, about: &said.about(), body: &article.body };
                fulltext::replace(transaction, id, texts, terms).await?;
                // Where the file says it stands: if it stands elsewhere, it was put there here.
                let article = Article { folder: content.folder.to_string(), ..article.into() };
                let saved = SaveResult { article, task_id: None, changed: false };
                note_new(transaction, record, &saved).await
            })
            .await
    }
}

fn changes(content: Content, revision: i64) -> ArticlePatch {
    ArticlePatch {
        title: Some(content.title),
        body: Some(content.body),
        folder: Some(content.folder),
        front_matter: Some(content.head),
        properties: Vec::new(),
        skip_embedding: Some(content.skip_embedding),
        created_at: content.created,
        updated_at: content.updated,
        priority: Some(Priority::Low),
        expected_revision: Some(revision),
    }
}

/// Notes which article a file is that nothing was noted of.
async fn note_new(transaction: &Transaction, record: FileRecord, saved: &SaveResult) -> Result<(), FileError> {
    let is_noted = source::record_new(transaction, &record.with_article(&saved.article)).await?;
    if is_noted { Ok(()) } else { Err(FileError::Overtaken) }
}

/// Notes which article a file is now.
async fn note(transaction: &Transaction, record: FileRecord, saved: &SaveResult) -> Result<(), FileError> {
    Ok(source::record(transaction, &record.with_article(&saved.article)).await?)
}

/// What another was faster with is planned again; everything else is an error of the file.
fn overtaken(error: ArticleError) -> FileError {
    match error {
        ArticleError::Exists { .. }
        | ArticleError::FormerName { .. }
        | ArticleError::Conflict { .. }
        | ArticleError::NotFound { .. }
        | ArticleError::NoPast { .. }
        | ArticleError::NotDeleted { .. } => FileError::Overtaken,
        other => other.into(),
    }
}
