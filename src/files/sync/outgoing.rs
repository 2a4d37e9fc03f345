//! Writes what changed in articles to their files.

use std::{io, sync::Arc};

use afterword_actors::store::StoreError;
use futures_util::{StreamExt, stream};

use super::{
    super::{
        hash,
        render::{Rendered, keeps_both_blocks, render},
        root::{Before, ReadError},
        scan,
        source::FileRecord,
        walk,
    },
    disk::blocking,
    plan::Outgoing,
    report::SyncReport,
    run::{SyncRun, awaited_record, problem},
};
use crate::articles::Article;

/// Files noted at a time.
const FILES_PER_TRANSACTION: usize = 200;
/// Files written at the same time: each waits for the disk.
const AT_ONCE: usize = 8;

/// An article that was read, and its file.
struct Ready<'p> {
    outgoing: &'p Outgoing,
    article: Article,
}

/// What became of a file.
enum Put {
    /// It holds the article.
    Written(FileRecord),
    /// It held the article already.
    Holds(FileRecord),
    /// Something else was faster.
    Overtaken,
    Failed(io::Error),
}

impl SyncRun<'_> {
    /// Writes files. What something else was faster with, the next round looks at again.
    pub(super) async fn write_out(&self, outgoing: &[Outgoing], report: &mut SyncReport) -> Result<bool, StoreError> {
        let mut did = false;
        for page in outgoing.chunks(FILES_PER_TRANSACTION) {
            did |= self.write_page(page, report).await?;
        }
        Ok(did)
    }

    async fn write_page(&self, page: &[Outgoing], report: &mut SyncReport) -> Result<bool, StoreError> {
        let mut ready = Vec::with_capacity(page.len());
        for outgoing in page {
            if let Some(article) = self.article(outgoing.planned.id).await? {
                if self.is_left_out(outgoing).await? {
                    report.left_out.push(article.slug);
                } else {
                    ready.push(Ready { outgoing, article });
                }
            }
        }
        // A file is recorded before it is written: an unknown one would be taken for a new article.
        let new = ready.iter().filter(|ready| ready.outgoing.here.is_none());
        self.record_all(new.map(|ready| awaited_record(&self.row(ready, String::new()))).collect()).await?;
        let puts = stream::iter(ready.iter()).map(|ready| async move { (ready, self.put(ready).await) });
        let puts: Vec<_> = puts.buffered(AT_ONCE).collect().await;
        let (mut did, mut noted, mut left) = (false, Vec::new(), Vec::new());
        for (ready, put) in puts {
            let place = &ready.outgoing.planned.place;
            match put? {
                Put::Written(row) => {
                    did = true;
                    report.files.written.push(place.clone());
                    noted.push(row);
                    left.extend(&ready.outgoing.leaves);
                }
                Put::Holds(row) => {
                    did = true;
                    noted.push(row);
                    left.extend(&ready.outgoing.leaves);
                }
                Put::Overtaken => did = true,
                Put::Failed(error) => report.failed.push(problem(place, "cannot be written", &error)),
            }
        }
        self.record_all(noted).await?;
        for record in left {
            did |= self.leave(record, report).await?;
        }
        Ok(did)
    }

    /// Whether rules of the folder leave a new file out: it would be gone at the next look.
    async fn is_left_out(&self, outgoing: &Outgoing) -> Result<bool, StoreError> {
        if outgoing.here.is_some() {
            return Ok(false);
        }
        let (root, place) = (Arc::clone(self.root), outgoing.planned.place.clone());
        blocking(move || walk::passes_by(&root, &place)).await
    }

    async fn put(&self, ready: &Ready<'_>) -> Result<Put, StoreError> {
        let Ready { outgoing, article } = ready;
        let none = Vec::new();
        let former_slugs = self.looked.former.get(&article.id).unwrap_or(&none).clone();
        let came_from_file = self.looked.came_from_file(article.id, outgoing.here.as_ref().or(outgoing.leaves.first()));
        let held_at = outgoing.here.as_ref().or(outgoing.leaves.first()).map(|record| record.path.clone());
        let (article, above, limits) = (article.clone(), self.looked.above.clone(), self.articles.limits);
        let (planned, wanted, is_foreseen) =
            (outgoing.planned.clone(), outgoing.before.clone(), self.foreseen.is_some());
        let root = Arc::clone(self.root);
        let done = blocking(move || {
            let rendered = Rendered {
                article: &article,
                place: &planned.place,
                before: planned.before.as_ref(),
                came_from_file,
                keeps_both_blocks: keeps_both_blocks(&article, planned.before.as_ref(), || {
                    root.text(&held_at?, limits.max_size)
                }),
                former_slugs: &former_slugs,
                above: &above,
            };
            let text = render(&rendered, limits);
            let (file_hash, size) = (hash(text.as_bytes()), text.len() as u64);
            let holds = match &wanted {
                None => true,
                Some(Before::Hash(present)) => *present == file_hash,
                Some(Before::Nothing) => false,
            };
            let put = match &wanted {
                // It could not be read again.
                Some(_) if !holds && size > limits.max_size => {
                    Err(io::Error::other(ReadError::TooLarge { size, limit: limits.max_size }))
                }
                Some(before) if !holds && !is_foreseen => {
                    root.put(&planned.place, text.as_bytes(), before, article.updated_at.0)
                }
                Some(_) | None => Ok(true),
            };
            let would_be = (is_foreseen && !holds && put.is_ok())
                .then(|| scan::of_text(&text, &planned.place, "", &above, limits));
            (put, holds, file_hash, would_be)
        });
        let (put, holds, file_hash, would_be) = done.await?;
        if let (Some(foreseen), Some(would_be)) = (self.foreseen, would_be) {
            foreseen.file(would_be);
        }
        Ok(match put {
            Ok(true) if outgoing.before.is_none() => {
                Put::Holds(outgoing.here.clone().unwrap_or_else(|| self.row(ready, file_hash)))
            }
            Ok(true) if holds => Put::Holds(self.row(ready, file_hash)),
            Ok(true) => Put::Written(self.row(ready, file_hash)),
            Ok(false) => Put::Overtaken,
            Err(error) => Put::Failed(error),
        })
    }

    /// What is noted of a file that holds an article.
    fn row(&self, ready: &Ready<'_>, file_hash: String) -> FileRecord {
        let Ready { outgoing, article } = ready;
        let before = outgoing.here.as_ref().or(outgoing.leaves.first());
        let row = FileRecord::without_article(self.looked.source, outgoing.planned.place.clone(), file_hash);
        FileRecord {
            // A file that its owner made stays one.
            written: before.is_none_or(|before| before.written),
            present: Some(article.revision),
            present_slug: Some(article.slug.clone()),
            ..row.with_article(article)
        }
    }

    /// Removes the file of an article that has another one now, if it holds still what the article said.
    async fn leave(&self, record: &FileRecord, report: &mut SyncReport) -> Result<bool, StoreError> {
        if self.looked.gone.contains(&record.path) {
            return self.forget(record).await.map(|()| true);
        }
        self.remove_file(&FileRecord { present: Some(record.revision), ..record.clone() }, report).await
    }
}
