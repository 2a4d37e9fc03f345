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

mod deletions;
mod disk;
mod incoming;
mod look;
mod memory;
mod merge;
mod outgoing;
mod plan;
mod report;
mod run;
mod signs;
mod watch;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::root::{Late, Root};
use crate::articles::Articles;
use disk::blocking;
use memory::Memory;
use run::Run;

pub use report::{Conflict, OfArticles, OfFiles, Sync, SyncError, SyncReport};
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
        if !self.asked.dry_run {
            self.take_back(&root, &mut report).await?;
        }
        for _ in 0..ROUNDS {
            report.begin_round();
            let looked = look::look(articles, &self.asked, &root, &mut self.memory, &mut report).await?;
            let mut plan = plan::plan(&looked);
            report.waiting = self.hold_back(&mut plan);
            report.failed.extend(plan.refused.iter().cloned());
            if !self.asked.many_deletions {
                deletions::ask(&plan, &looked)?;
            }
            if plan.is_empty() {
                break;
            }
            let run = Run { articles, asked: &self.asked, root: &root, looked: &looked };
            let did = run.carry_out(plan, &mut report).await?;
            if !did || self.asked.dry_run {
                break;
            }
        }
        report.sort();
        Ok(report)
    }

    /// What was written to files after they had been replaced becomes files again, before anything is looked at.
    async fn take_back(&self, root: &Arc<Root>, report: &mut SyncReport) -> Result<(), SyncError> {
        let root = Arc::clone(root);
        let late = blocking(move || root.late()).await?;
        let late = late.map_err(|source| SyncError::Folder { path: self.asked.directory.clone(), source })?;
        report.conflicts.extend(late.into_iter().map(|Late { file, copy }| Conflict { file, copy }));
        Ok(())
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
