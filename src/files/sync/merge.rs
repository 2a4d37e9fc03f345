//! A file and its article that were both changed: joined where their changes are of different lines, else both kept.

use std::{collections::VecDeque, sync::Arc};

use afterword_actors::store::StoreError;

use super::{
    super::{
        content::{self, Content},
        decode, hash, place,
        root::Before,
        scan::{self, ScannedFile},
        source::{self, FileRecord},
        walk,
    },
    disk::blocking,
    report::{Conflict, SyncReport},
    run::{SyncRun, problem},
    sides::{MergeOutcome, Sides, changes, with_changes},
};
use crate::articles::{ArticleError, ArticlePatch, history, names::NUMBERED, reading::BodyReading, row, update};

/// Revisions that are compared with a file, to see whether it is one of them.
const LOOKED_AT: i64 = 20;

impl SyncRun<'_> {
    /// Brings one file and its article together. Answers whether anything came of it.
    pub(super) async fn bring_together(
        &self,
        file: &ScannedFile,
        record: &FileRecord,
        report: &mut SyncReport,
    ) -> Result<bool, StoreError> {
        let Some(sides) = self.sides(file, record).await? else { return Ok(true) };
        let (sides, outcome, theirs) = blocking(move || {
            let theirs = sides.as_file(&sides.article);
            let outcome = sides.compare(&theirs);
            (sides, outcome, theirs)
        })
        .await?;
        match outcome {
            MergeOutcome::Same => self.note(file, &sides, &theirs).await,
            MergeOutcome::Behind => {
                let done = self.replace(file, &theirs, &sides, report).await?;
                if done { self.note(file, &sides, &theirs).await } else { Ok(false) }
            }
            MergeOutcome::Joined(joined) => {
                if let Err(error) = self.joined_changes(file, &sides, &joined) {
                    report.failed.push(problem(&file.file, "cannot be saved", &error));
                    return Ok(false);
                }
                // The file first: if nothing more comes of it, it is joined once more, and says the same.
                let is_new = joined != sides.text;
                if is_new && !self.replace(file, &joined, &sides, report).await? {
                    return Ok(false);
                }
                report.merged.push(file.file.clone());
                self.save(file, &sides, &joined, report).await
            }
            MergeOutcome::Apart => {
                let Some(copy) = self.put_aside(file, &sides, report).await? else { return Ok(false) };
                if !self.replace(file, &theirs, &sides, report).await? {
                    return Ok(false);
                }
                report.conflicts.push(Conflict { file: file.file.clone(), copy });
                self.note(file, &sides, &theirs).await
            }
        }
    }

    async fn sides(&self, file: &ScannedFile, record: &FileRecord) -> Result<Option<Sides>, StoreError> {
        let reader = self.articles.database.reader();
        let Some(article) = self.article(record.article_id).await? else { return Ok(None) };
        let (root, path, wanted) = (Arc::clone(self.root), file.file.clone(), file.hash.clone());
        let limits = self.articles.limits;
        let read = blocking(move || {
            let bytes = root.read(&path, limits.max_size).ok().filter(|bytes| hash(bytes) == wanted)?;
            decode::text(bytes).ok()
        });
        // It has changed since it was looked at.
        let Some(text) = read.await? else { return Ok(None) };
        let mut past = VecDeque::new();
        let newest = record.revision.max(article.revision - LOOKED_AT) + 1..article.revision;
        for revision in std::iter::once(record.revision).chain(newest) {
            match history::revision(reader, &format!("{NUMBERED}{}", record.article_id), revision).await {
                Ok(before) => past.push_back(before),
                Err(ArticleError::Store(error)) => return Err(error),
                // Retention has removed it.
                Err(_) => {}
            }
        }
        Ok(Some(Sides {
            text,
            past,
            came_from_file: self.looked.came_from_file(article.id, Some(record)),
            former_slugs: self.looked.former.get(&article.id).cloned().unwrap_or_default(),
            article,
            record: record.clone(),
            place: file.file.clone(),
            above: self.looked.above.clone(),
            limits,
        }))
    }

    /// Saves the article as the joined text says, and notes that both agree.
    async fn save(
        &self,
        file: &ScannedFile,
        sides: &Sides,
        joined: &str,
        report: &mut SyncReport,
    ) -> Result<bool, StoreError> {
        let content = content::read(joined, &file.file, &self.looked.above, self.articles.limits);
        let row = self.agreed_record(file, sides, joined, &content);
        let before = sides.record.clone();
        let checked = self.joined_changes(file, sides, joined);
        if let (Some(foreseen), Ok(changes)) = (self.foreseen, &checked) {
            let article = with_changes(&sides.article, changes);
            let row = FileRecord { revision: article.revision, ..row };
            foreseen.add_joined(article);
            return self.record_agreement(sides, row).await;
        }
        let saved = match checked {
            Ok(changes) => {
                let settings = self.articles.settings();
                let read = BodyReading::of(changes.body.as_deref().unwrap_or_default()).await;
                let written = self.articles.database.write(async move |transaction| {
                    let Some(present) = row::by_id(transaction, before.article_id).await? else { return Ok(None) };
                    let saved = update::update(transaction, &present.slug, changes, Some(read), settings).await?;
                    if saved.article.id != before.article_id {
                        // Its slug has changed hands since it was read.
                        return Err(ArticleError::not_found(&present.slug));
                    }
                    if before.path != row.path {
                        source::hold(transaction, &before, &row).await?;
                        source::relocate(transaction, &before, &row).await?;
                    }
                    let row = FileRecord { revision: saved.article.revision, ..row };
                    source::record(transaction, &row).await?;
                    Ok::<_, ArticleError>(Some(saved))
                });
                written.await
            }
            Err(error) => Err(error),
        };
        match saved {
            Ok(Some(saved)) => {
                self.articles.follow_up(saved).await.map(drop).or_else(told)?;
                Ok(true)
            }
            // Changed once more: the next round joins that.
            Ok(None) | Err(ArticleError::Conflict { .. } | ArticleError::NotFound { .. }) => Ok(true),
            Err(ArticleError::Store(error)) => Err(error),
            Err(error) => {
                report.failed.push(problem(&file.file, "cannot be saved", &error));
                Ok(false)
            }
        }
    }

    /// What the joined text changes of the article, if the service takes it and the file can be read again.
    fn joined_changes(&self, file: &ScannedFile, sides: &Sides, joined: &str) -> Result<ArticlePatch, ArticleError> {
        let (size, limit) = (joined.len() as u64, self.articles.limits.max_size);
        if size > limit {
            return Err(ArticleError::TooLarge { size, limit });
        }
        let content = content::read(joined, &file.file, &self.looked.above, self.articles.limits);
        changes(content, sides).checked(self.articles.limits)
    }

    /// Writes what the file held beside it. Answers the copy's place.
    async fn put_aside(
        &self,
        file: &ScannedFile,
        sides: &Sides,
        report: &mut SyncReport,
    ) -> Result<Option<String>, StoreError> {
        let (root, text, is_foreseen) = (Arc::clone(self.root), sides.text.clone(), self.foreseen.is_some());
        let names = copies_of(&file.file, &file.hash);
        let copied = blocking(move || {
            let modified = root.modified(&names.0).unwrap_or_default();
            for name in names.1 {
                let holds_it = root.read(&name, u64::MAX - 1).is_ok_and(|bytes| bytes == text.as_bytes());
                if holds_it || is_foreseen && root.is_free(&name) {
                    return Ok(Some((name, !holds_it)));
                }
                if !is_foreseen && root.put(&name, text.as_bytes(), &Before::Nothing, modified)? {
                    return Ok(Some((name, true)));
                }
            }
            Ok::<_, std::io::Error>(None)
        });
        match copied.await? {
            Ok(Some((copy, is_new))) => {
                if is_new {
                    report.files.written.push(copy.clone());
                }
                if is_new {
                    self.would_hold(&copy, &sides.text).await?;
                }
                Ok(Some(copy))
            }
            Ok(None) => {
                report.failed.push(problem(&file.file, "cannot be put aside", &"all names for a copy are taken"));
                Ok(None)
            }
            Err(error) => {
                report.failed.push(problem(&file.file, "cannot be put aside", &error));
                Ok(None)
            }
        }
    }

    /// In a dry run, notes what a file would hold, unless rules of the folder leave it out.
    async fn would_hold(&self, place: &str, text: &str) -> Result<(), StoreError> {
        let Some(foreseen) = self.foreseen else { return Ok(()) };
        let (root, path) = (Arc::clone(self.root), place.to_owned());
        if !blocking(move || walk::passes_by(&root, &path)).await? {
            foreseen.file(scan::of_text(text, place, "", &self.looked.above, self.articles.limits));
        }
        Ok(())
    }

    /// Writes a file if it holds still what it held; answers whether it did.
    async fn replace(
        &self,
        file: &ScannedFile,
        text: &str,
        sides: &Sides,
        report: &mut SyncReport,
    ) -> Result<bool, StoreError> {
        if text != sides.text {
            report.files.written.push(file.file.clone());
        }
        if text == sides.text {
            return Ok(true);
        }
        if self.foreseen.is_some() {
            return self.would_hold(&file.file, text).await.map(|()| true);
        }
        let (root, path, text) = (Arc::clone(self.root), file.file.clone(), text.to_owned());
        let (before, modified) = (Before::Hash(file.hash.clone()), sides.article.updated_at.0);
        match blocking(move || root.put(&path, text.as_bytes(), &before, modified)).await? {
            Ok(done) => Ok(done),
            Err(error) => {
                report.failed.push(problem(&file.file, "cannot be written", &error));
                Ok(false)
            }
        }
    }

    /// Notes that the file holds the article as it was looked at.
    async fn note(&self, file: &ScannedFile, sides: &Sides, text: &str) -> Result<bool, StoreError> {
        let content = content::read(text, &file.file, &self.looked.above, self.articles.limits);
        self.record_agreement(sides, self.agreed_record(file, sides, text, &content)).await
    }

    /// Notes what is known now of a file that may have been elsewhere.
    async fn record_agreement(&self, sides: &Sides, row: FileRecord) -> Result<bool, StoreError> {
        let before = sides.record.clone();
        if let Some(foreseen) = self.foreseen {
            if before.path != row.path {
                foreseen.moved_from(&before.path);
            }
            foreseen.rows(vec![row]);
            return Ok(true);
        }
        self.articles
            .database
            .write(async move |transaction| {
                if before.path != row.path {
                    source::hold(transaction, &before, &row).await?;
                    source::relocate(transaction, &before, &row).await?;
                }
                source::record(transaction, &row).await.map(|()| true)
            })
            .await
    }

    /// What is noted of the file. Its article may stand elsewhere, or be called otherwise: then it is moved by the next
    /// round.
    fn agreed_record(&self, file: &ScannedFile, sides: &Sides, text: &str, content: &Content) -> FileRecord {
        FileRecord {
            path: file.file.clone(),
            file_hash: hash(text.as_bytes()),
            revision: sides.article.revision,
            folder: content.folder.to_string(),
            ..sides.record.clone()
        }
    }
}

/// The article is saved whatever comes of its embedding.
fn told(error: ArticleError) -> Result<(), StoreError> {
    match error {
        ArticleError::Store(error) => Err(error),
        _ => Ok(()),
    }
}

/// The file, and names for a copy of it: the same for the same text, so that a run that was killed makes no second one.
fn copies_of(file: &str, file_hash: &str) -> (String, Vec<String>) {
    let named = |length: usize| place::beside(file, &format!("conflict {}", &file_hash[..length]));
    (file.to_owned(), [8, 16, 64].map(named).to_vec())
}
