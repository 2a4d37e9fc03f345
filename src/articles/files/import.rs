//! Files become articles.

use std::{
    io,
    path::PathBuf,
    sync::Arc,
};

use afterword_actors::store::{StoreError, Transaction, sql::Sql};
use futures_util::{StreamExt, stream};
use tokio::sync::Semaphore;

use super::{
    OnConflict,
    content::{self, Content},
    decode, hash,
    plan::{self, Action, Facts},
    report::{FileProblem, ImportReport, ImportedFile},
    resolve::{self, Asked, Resolved},
    root::Root,
    scan::{self, Scanned},
    source::{self, Known, Occupant},
    walk,
};
use crate::articles::{
    ArticleError, Articles, Changes, NewArticle, Saved, create, folder::Folder, names, row, slug::Slug, update,
};

/// Files saved at the same time: they share commits.
const AT_ONCE: usize = 16;
/// Files read at the same time.
const READ_AT_ONCE: usize = 4;
/// Of all files that are saved at the same time. *Units:* KiB.
const ROOM: u32 = 256 << 10;
/// How often a file is planned again because something else was faster.
const ROUNDS: usize = 6;

/// What to import, and how.
#[derive(Debug, Clone)]
pub struct Import {
    /// The folder of files.
    pub directory: PathBuf,
    /// Below which folder the articles stand.
    pub folder: Folder,
    /// The source's name, if a person gave one: then it is the same wherever it is.
    pub source: Option<String>,
    /// What to do about articles that exist and did not come from these files.
    pub on_conflict: OnConflict,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// Imports a folder. `progress` hears how many files are done, and of how many.
///
/// # Errors
/// [`io::Error`] if the folder cannot be opened, [`StoreError`] if the database cannot be asked. What is wrong with one
/// file is in the report, and the others go on.
pub async fn import(
    articles: &Articles,
    import: &Import,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<ImportReport, ImportError> {
    let open = |source| ImportError::Folder { path: import.directory.clone(), source };
    let (directory, empty) = (import.directory.clone(), open(io::ErrorKind::NotADirectory.into()));
    let (root, walked) = blocking(move || {
        let root = Root::open(&directory)?;
        let walked = walk::walk(&root);
        Ok::<_, io::Error>((Arc::new(root), walked))
    })
    .await
    .ok_or(empty)?
    .map_err(open)?;
    let mut report = ImportReport { dry_run: import.dry_run, left_out: walked.left_out, ..ImportReport::default() };
    report.failed = walked.failed;
    let mut files = scanned(articles, import, &root, &walked.files, &mut report).await;
    let asked = Asked { root: root.place(), above: &import.folder, name: import.source.as_deref() };
    let present = walked.files.iter().cloned().collect();
    let mut run = Run { articles, import, root: Arc::clone(&root), source: 0, prefix: String::new() };
    let mut facts = Facts { present, ..Facts::default() };
    let (total, mut done) = (files.len(), 0);
    for round in 0..ROUNDS {
        let resolved = resolve::resolve(articles.database.reader(), &asked, &files).await?;
        if round == 0 {
            report.notes.extend(resolved.note.clone());
        }
        if !import.dry_run {
            run.source = run.settled(&resolved).await?;
        }
        run.prefix = resolved.prefix.clone();
        run.learn(&mut facts, resolved, &files).await?;
        let actions = plan::plan(&files, &facts, import.on_conflict);
        files = run.carry_out(files, actions, &mut report, &mut |files| progress(done + files, total)).await;
        done = total - files.len();
        if files.is_empty() {
            break;
        }
    }
    let late = "something else kept changing the same articles; import it again";
    report.failed.extend(files.into_iter().map(|file| FileProblem::new(file.file, late)));
    report.failed.sort_by(|a, b| a.file.cmp(&b.file));
    report.files.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(report)
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The folder.
    #[error("{} cannot be read: {source}", path.display())]
    Folder {
        /// Where it is.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why one file was not saved.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("{0}")]
    Read(String),
    #[error(transparent)]
    Article(#[from] ArticleError),
    /// Something else was faster: the plan no longer holds.
    #[error("was overtaken")]
    Overtaken,
}

impl From<StoreError> for FileError {
    fn from(error: StoreError) -> Self {
        Self::Article(error.into())
    }
}

async fn scanned(
    articles: &Articles,
    import: &Import,
    root: &Arc<Root>,
    files: &[String],
    report: &mut ImportReport,
) -> Vec<Scanned> {
    let read = stream::iter(files.to_vec()).map(|file| {
        let (root, above, limits) = (Arc::clone(root), import.folder.clone(), articles.limits);
        let name = file.clone();
        async move {
            let scanned = blocking(move || scan::scan(&root, &file, &above, limits)).await;
            scanned.unwrap_or_else(|| Err(FileProblem::new(name, "made the program panic while it was read")))
        }
    });
    let mut read = read.buffered(READ_AT_ONCE);
    let mut scanned = Vec::with_capacity(files.len());
    while let Some(file) = read.next().await {
        match file {
            Ok(file) => {
                report.warnings.extend(file.warnings.iter().map(|text| FileProblem::new(&file.file, text)));
                scanned.push(file);
            }
            Err(problem) => report.failed.push(problem),
        }
    }
    scanned
}

/// Runs what waits for the disk, or computes, on a thread of its own; `None` if it panicked.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

/// One import.
struct Run<'a> {
    articles: &'a Articles,
    import: &'a Import,
    root: Arc<Root>,
    /// Where new files belong.
    source: i64,
    /// Where the folder lies in that source.
    prefix: String,
}

impl Run<'_> {
    /// The source of new files, made if there is none.
    async fn settled(&self, resolved: &Resolved) -> Result<i64, StoreError> {
        let database = &self.articles.database;
        let machine = resolve::machine(database.reader());
        let root = self.root.place().to_string_lossy().into_owned();
        let (name, folder) = (self.import.source.clone(), self.import.folder.to_string());
        let (known, moved) = (resolved.source, resolved.was_moved || self.import.source.is_some());
        if let (Some(id), false) = (known, moved) {
            return Ok(id);
        }
        database
            .write(move |transaction| {
                Box::pin(async move {
                    match known {
                        Some(id) => source::moved(transaction, id, &machine, &root).await.map(|()| id),
                        None => source::add(transaction, name.as_deref(), &machine, &root, &folder).await,
                    }
                })
            })
            .await
    }

    async fn learn(&self, facts: &mut Facts, resolved: Resolved, files: &[Scanned]) -> Result<(), StoreError> {
        let reader = self.articles.database.reader();
        (facts.known, facts.is_copy) = (resolved.known, resolved.is_copy);
        let at = |known: &Known| (known.article_id, known.revision);
        let later = facts.known.values().filter(|known| known.present.is_some_and(|present| present != known.revision));
        let later: Vec<_> = later.map(at).collect();
        facts.unedited =
            if later.is_empty() { Vec::new() } else { source::unedited(reader, &later).await? }.into_iter().collect();
        let asked = facts.asked(files);
        let occupants = if asked.is_empty() { Vec::new() } else { source::occupants(reader, &asked).await? };
        facts.occupants = occupants.into_iter().map(|occupant| (occupant.name.clone(), occupant)).collect();
        Ok(())
    }

    /// Does what is planned, or, in a dry run, says it. Answers the files whose plan no longer held.
    async fn carry_out(
        &self,
        files: Vec<Scanned>,
        actions: Vec<Action>,
        report: &mut ImportReport,
        progress: &mut dyn FnMut(usize),
    ) -> Vec<Scanned> {
        let room = Semaphore::new(ROOM as usize);
        let work = stream::iter(files.into_iter().zip(actions)).map(|(file, action)| {
            let room = &room;
            async move {
                let size = u32::try_from(file.size >> 10).unwrap_or(ROOM).clamp(1, ROOM);
                let held = room.acquire_many(size).await;
                let done = if self.import.dry_run { Ok(()) } else { self.carry_out_one(&file, &action).await };
                drop(held);
                (file, action, done)
            }
        });
        let mut work = std::pin::pin!(work.buffered(AT_ONCE));
        let (mut overtaken, mut count) = (Vec::new(), 0);
        while let Some((file, action, done)) = work.next().await {
            match done {
                Ok(()) => tell(report, &file.file, action),
                Err(FileError::Overtaken) => {
                    overtaken.push(file);
                    continue;
                }
                Err(error) => report.failed.push(FileProblem::new(&file.file, error)),
            }
            count += 1;
            progress(count);
        }
        overtaken
    }

    async fn carry_out_one(&self, file: &Scanned, action: &Action) -> Result<(), FileError> {
        match action {
            Action::Create { slug, former_slugs, again } => {
                let (content, hash) = self.content(file).await?;
                let known = self.noted(file, again.as_deref(), hash);
                self.create(content, slug.clone(), former_slugs.clone(), known, again.is_some()).await
            }
            Action::Update { known, has_moved } => {
                let (content, hash) = self.content(file).await?;
                let (id, revision) = (known.article_id, known.present.unwrap_or(known.revision));
                let before = has_moved.then(|| known.as_ref().clone());
                let noted = self.noted(file, Some(known.as_ref()).filter(|_| !has_moved), hash);
                self.update(content, id, revision, before, noted).await
            }
            Action::Replace { occupant } => {
                let (content, hash) = self.content(file).await?;
                self.update(content, occupant.id, occupant.revision, None, self.noted(file, None, hash)).await
            }
            Action::Adopt { occupant } => {
                let (content, hash) = self.content(file).await?;
                self.adopt(content, occupant, self.noted(file, None, hash)).await
            }
            Action::Follow { known } => {
                let (old, new) = (known.as_ref().clone(), self.followed(file, known));
                self.articles
                    .database
                    .write(move |transaction| {
                        Box::pin(async move {
                            source::forget(transaction, old.source_id, &old.path).await?;
                            source::record(transaction, &new, true).await.map(drop)
                        })
                    })
                    .await
                    .map_err(|error: StoreError| error.into())
            }
            Action::Unchanged { .. } | Action::Skip { .. } | Action::Deleted { .. } => Ok(()),
            Action::Refuse(refusal) => Err(FileError::Read(refusal.to_string())),
        }
    }

    /// Reads the file again, to save it as it is now.
    async fn content(&self, file: &Scanned) -> Result<(Content, String), FileError> {
        let (root, name) = (Arc::clone(&self.root), file.file.clone());
        let (above, limits) = (self.import.folder.clone(), self.articles.limits);
        let read = blocking(move || {
            let bytes = root.read(&name, limits.max_size).map_err(|error| error.to_string())?;
            let hash = hash(&bytes);
            let text = decode::text(bytes).map_err(|error| error.to_string())?;
            Ok::<_, String>((content::read(&text, &name, &above, limits), hash))
        });
        let panicked = || FileError::Read("made the program panic while it was read".to_owned());
        read.await.ok_or_else(panicked)?.map_err(FileError::Read)
    }

    /// What is noted of a file that had no article.
    fn noted(&self, file: &Scanned, before: Option<&Known>, file_hash: String) -> Known {
        let path = super::place::joined(&self.prefix, &file.file);
        let (source_id, path) = before.map_or((self.source, path), |known| (known.source_id, known.path.clone()));
        Known {
            source_id,
            path,
            article_id: 0,
            file_hash,
            revision: 1,
            slug: String::new(),
            folder: String::new(),
            written: false,
            present: None,
            present_slug: None,
        }
    }

    /// What is known of a file at its new place.
    fn followed(&self, file: &Scanned, known: &Known) -> Known {
        let Known { source_id, path, .. } = self.noted(file, None, String::new());
        Known { source_id, path, ..known.clone() }
    }

    async fn create(
        &self,
        content: Content,
        slug: Slug,
        former: Vec<Slug>,
        known: Known,
        again: bool,
    ) -> Result<(), FileError> {
        let new = NewArticle {
            title: content.title,
            body: content.body,
            slug: Some(slug),
            folder: content.folder,
            front_matter: content.head,
            skip_embedding: content.skip_embedding,
            created_at: content.created,
            updated_at: content.updated,
            ..NewArticle::default()
        };
        let new = new.checked(self.articles.limits)?;
        let settings = self.articles.settings();
        let saved = self
            .articles
            .database
            .write(move |transaction| {
                Box::pin(async move {
                    if !former.is_empty() {
                        names::alone(transaction).await?;
                    }
                    let saved = create::create(transaction, new, settings).await.map_err(overtaken)?;
                    lead_here(transaction, saved.article.id, &former).await?;
                    note(transaction, known, &saved, again).await?;
                    Ok::<_, FileError>(saved)
                })
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
        before: Option<Known>,
        known: Known,
    ) -> Result<(), FileError> {
        let former = content.former_slugs.clone();
        let changes = changes(content, revision).checked(self.articles.limits)?;
        let settings = self.articles.settings();
        let saved = self
            .articles
            .database
            .write(move |transaction| {
                Box::pin(async move {
                    if !former.is_empty() {
                        names::alone(transaction).await?;
                    }
                    let slug = slug_of(transaction, id).await?;
                    let saved = update::update(transaction, &slug, changes, settings).await.map_err(overtaken)?;
                    if saved.article.id != id {
                        return Err(FileError::Overtaken);
                    }
                    lead_here(transaction, id, &former).await?;
                    if let Some(before) = before {
                        source::forget(transaction, before.source_id, &before.path).await?;
                    }
                    note(transaction, known, &saved, true).await?;
                    Ok(saved)
                })
            })
            .await?;
        self.articles.follow_up(saved).await?;
        Ok(())
    }

    /// Takes an article that says the same for the file's. Only its front matter is new, which is no new revision.
    async fn adopt(&self, content: Content, occupant: &Occupant, known: Known) -> Result<(), FileError> {
        let (id, revision, former) = (occupant.id, occupant.revision, content.former_slugs);
        self.articles
            .database
            .write(move |transaction| {
                Box::pin(async move {
                    if !former.is_empty() {
                        names::alone(transaction).await?;
                    }
                    let sql = "UPDATE articles SET front_matter = $3, extra = '' WHERE id = $1 AND revision = $2";
                    let adopted = transaction.run(sql, [id.into(), revision.into(), content.head.into()]).await?;
                    let article = row::by_id(transaction, id).await?;
                    let Some(article) = article.filter(|_| adopted == 1) else { return Err(FileError::Overtaken) };
                    lead_here(transaction, id, &former).await?;
                    let saved = Saved { article: article.into(), task_id: None, changed: false };
                    note(transaction, known, &saved, false).await
                })
            })
            .await
    }
}

fn changes(content: Content, revision: i64) -> Changes {
    Changes {
        title: Some(content.title),
        body: Some(content.body),
        folder: Some(content.folder),
        front_matter: Some(content.head),
        skip_embedding: Some(content.skip_embedding),
        created_at: content.created,
        updated_at: content.updated,
        expected_revision: Some(revision),
        ..Changes::default()
    }
}

async fn slug_of(transaction: &Transaction, id: i64) -> Result<String, FileError> {
    let article = row::by_id(transaction, id).await?;
    article.map(|article| article.slug).ok_or(FileError::Overtaken)
}

/// Former slugs lead to the article, unless another has them.
async fn lead_here(transaction: &Transaction, id: i64, former: &[Slug]) -> Result<(), StoreError> {
    for slug in former {
        let sql = "INSERT INTO slug_aliases (slug, article_id, created_at) SELECT $1, $2, {now}
                   WHERE NOT EXISTS (SELECT 1 FROM articles WHERE slug = $1) ON CONFLICT DO NOTHING";
        transaction.run(sql, [slug.as_ref().into(), id.into()]).await?;
    }
    Ok(())
}

async fn note(transaction: &Transaction, known: Known, saved: &Saved, replaces: bool) -> Result<(), FileError> {
    let article = &saved.article;
    let known = Known {
        article_id: article.id,
        revision: article.revision,
        slug: article.slug.clone(),
        folder: article.folder.clone(),
        ..known
    };
    if source::record(transaction, &known, replaces).await? { Ok(()) } else { Err(FileError::Overtaken) }
}

/// What another was faster with is planned again; everything else is an error of the file.
fn overtaken(error: ArticleError) -> FileError {
    match error {
        ArticleError::Exists { .. }
        | ArticleError::FormerName { .. }
        | ArticleError::Conflict { .. }
        | ArticleError::NotFound { .. } => FileError::Overtaken,
        other => other.into(),
    }
}

/// Counts what was done.
fn tell(report: &mut ImportReport, file: &str, action: Action) {
    let (slug, result) = match action {
        Action::Create { slug, .. } => (slug.to_string(), "created"),
        Action::Update { known, has_moved: _ } => (known.present_slug.unwrap_or(known.slug), "updated"),
        Action::Replace { occupant } => (occupant.slug, "updated"),
        Action::Follow { known } => (known.present_slug.unwrap_or(known.slug), "unchanged"),
        Action::Adopt { occupant } => (occupant.slug, "unchanged"),
        Action::Unchanged { slug } => (slug, "unchanged"),
        Action::Skip { slug } => (slug, "skipped"),
        Action::Deleted { slug } => (slug, "deleted"),
        Action::Refuse(refusal) => return report.failed.push(FileProblem::new(file, refusal)),
    };
    let count = match result {
        "created" => &mut report.created,
        "updated" => &mut report.updated,
        "unchanged" => &mut report.unchanged,
        "skipped" => &mut report.skipped,
        _ => &mut report.deleted,
    };
    *count += 1;
    report.files.push(ImportedFile { file: file.to_owned(), slug, result });
}
