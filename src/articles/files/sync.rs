//! A folder of files and the articles kept the same, in both directions.
//!
//! What both sides were when they last agreed is in `article_sources`: the file's hash, the article's revision. A run looks at
//! both sides, plans once, and carries the plan out; each step can be repeated, so a run that was killed at any moment is gone
//! on with by the next one. What is in doubt is kept twice, and nothing is ever overwritten that is not what the plan saw.
//!
//! ```text
//! look ── plan ── ask if much would be deleted ── files to articles ── what both changed ── deletions ── articles to files
//! ```
//! Rounds follow until there is nothing to do: the copy of a conflict is an article of its own, and others do not wait.

mod after;
mod aside;
mod deletions;
mod disk;
mod error;
mod foreseen;
mod incoming;
mod kept;
mod left;
mod look;
mod memory;
mod merge;
mod outgoing;
mod plan;
mod report;
mod run;
mod signs;
mod similar;
mod watch;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    decode,
    root::{Late, Root},
    scan, walk,
};
use crate::articles::Articles;
use disk::blocking;
use foreseen::Foreseen;
use look::Looked;
use memory::Memory;
use run::Run;

pub use error::{KeptFolder, SyncError};
pub use kept::forget;
pub use left::{LeftCopy, left_copies, told_of};
pub use report::{Conflict, OfArticles, OfFiles, Sync, SyncReport};
pub use watch::{Told, watch};

/// Looks of one run. What is still changing then is left to the next.
const ROUNDS: usize = 6;

/// A folder that is brought to the same state as the articles again and again: what it has read of the files, it need not read
/// again.
pub struct Folders {
    asked: Sync,
    memory: Memory,
    /// Since when files have been gone.
    gone: HashMap<String, Instant>,
    /// A file that is gone for a shorter time may come back.
    patience: Duration,
}

/// Brings a folder and the articles to the same state.
///
/// # Errors
/// [`SyncError`]; what was done before stays done, and the next run goes on. What is wrong with one file is in the report.
pub async fn sync(articles: &Articles, asked: &Sync) -> Result<SyncReport, SyncError> {
    Folders::new(asked.clone()).sync(articles).await
}

impl Folders {
    /// One that has not looked yet.
    pub fn new(asked: Sync) -> Self {
        Self { asked, memory: Memory::default(), gone: HashMap::new(), patience: Duration::ZERO }
    }

    /// What is asked of it.
    pub fn asked(&self) -> &Sync {
        &self.asked
    }

    /// Brings both sides to the same state.
    ///
    /// # Errors
    /// As [`sync`].
    pub async fn sync(&mut self, articles: &Articles) -> Result<SyncReport, SyncError> {
        let directory = self.asked.directory.clone();
        let opened = blocking(move || Root::open(&directory)).await?;
        let open = |source| SyncError::Folder { path: self.asked.directory.clone(), source };
        let root = Arc::new(opened.map_err(open)?);
        let mut report = SyncReport { dry_run: self.asked.dry_run, ..SyncReport::default() };
        let mut looked = match self.asked.dry_run {
            true => self.look_only(articles, &root, &mut report).await?,
            false => self.take_back(articles, &root, &mut report).await?,
        };
        for _ in 0..ROUNDS {
            report.begin_round(&looked.failed, &looked.files);
            let mut plan = plan::plan(&looked);
            report.waiting = self.hold_back(&mut plan);
            report.failed.extend(plan.refused.iter().cloned());
            if !self.asked.many_deletions {
                deletions::ask(&plan, &looked, &report)?;
            }
            if plan.is_empty() {
                break;
            }
            let foreseen = self.asked.dry_run.then(Foreseen::default);
            let run = Run { articles, asked: &self.asked, root: &root, looked: &looked, foreseen: foreseen.as_ref() };
            if !run.carry_out(plan, &mut report).await? {
                break;
            }
            looked = match foreseen {
                Some(foreseen) => looked.after(articles, foreseen.changed()).await?,
                None => self.look(articles, &root).await?,
            };
        }
        report.sort();
        Ok(report)
    }

    async fn look(&mut self, articles: &Articles, root: &Arc<Root>) -> Result<Looked, SyncError> {
        look::look(articles, &self.asked, root, &mut self.memory).await
    }

    /// What was written to files after they had been replaced becomes files again, before anything is looked at.
    async fn take_back(
        &mut self,
        articles: &Articles,
        root: &Arc<Root>,
        report: &mut SyncReport,
    ) -> Result<Looked, SyncError> {
        let late = {
            let root = Arc::clone(root);
            blocking(move || root.late()).await?
        };
        let late = late.map_err(|source| SyncError::Folder { path: self.asked.directory.clone(), source })?;
        report.conflicts.extend(late.into_iter().map(|Late { file, copy }| Conflict { file, copy }));
        self.look(articles, root).await
    }

    /// The same, which only says so.
    async fn look_only(
        &mut self,
        articles: &Articles,
        root: &Arc<Root>,
        report: &mut SyncReport,
    ) -> Result<Looked, SyncError> {
        let looked = self.look(articles, root).await?;
        let (root, foreseen, above, limits) =
            (Arc::clone(root), Foreseen::default(), self.asked.folder.clone(), articles.limits);
        let late = blocking(move || {
            let late = root.would_be_late()?;
            for (Late { copy, .. }, bytes) in &late {
                if let Ok(text) = decode::text(bytes.clone())
                    && !walk::passes_by(&root, copy)
                {
                    foreseen.file(scan::of_text(&text, copy, "", &above, limits));
                }
            }
            Ok((late, foreseen))
        });
        let (late, foreseen) =
            late.await?.map_err(|source| SyncError::Folder { path: self.asked.directory.clone(), source })?;
        report.conflicts.extend(late.into_iter().map(|(Late { file, copy }, _)| Conflict { file, copy }));
        looked.after(articles, foreseen.changed()).await.map_err(SyncError::from)
    }

    /// Takes deletions out of a plan whose files may come back; answers how many.
    fn hold_back(&mut self, plan: &mut plan::Plan) -> usize {
        let now = Instant::now();
        let (before, all) = (std::mem::take(&mut self.gone), plan.deletions.len());
        for known in &plan.deletions {
            self.gone.insert(known.path.clone(), before.get(&known.path).copied().unwrap_or(now));
        }
        let (gone, patience) = (&self.gone, self.patience);
        plan.deletions
            .retain(|known| gone.get(&known.path).is_some_and(|since| now.duration_since(*since) >= patience));
        all - plan.deletions.len()
    }
}
