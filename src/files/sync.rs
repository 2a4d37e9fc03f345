//! A folder of files and the articles kept the same, in both directions.
//!
//! What both sides were when they last agreed is in `article_sources`: the file's hash, the article's revision. A run
//! looks at both sides, plans once, and carries the plan out; each step can be repeated, so a run that was killed at
//! any moment is gone on with by the next one. What is in doubt is kept twice, and nothing is ever overwritten that is
//! not what the plan saw.
//!
//! ```text
//! look ── plan ── ask if much would be deleted ── files to articles ── what both changed ── deletions ── articles to files
//! ```
//! Rounds follow until there is nothing to do: the copy of a conflict is an article of its own, and others do not wait.

mod after;
mod aside;
mod deletions;
mod disk;
mod dry_run;
mod error;
mod file_watcher;
mod incoming;
mod kept;
mod left;
mod memory;
mod merge;
mod outgoing;
mod plan;
mod report;
mod rest;
mod run;
mod sides;
mod similar;
mod snapshot;
mod turns;
mod watch;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    decode,
    root::{LateWrite, Returning, Root, UntouchedBackups},
    scan, walk,
};
use crate::articles::Articles;
use disk::blocking;
use dry_run::DryRun;
use memory::Memory;
use run::SyncRun;
use snapshot::SyncSnapshot;

pub use error::{KeptFolder, PendingDeletions, SyncError};
pub use kept::forget;
pub use left::{LeftCopy, left_copies, told_of};
pub use report::{ArticleChanges, Conflict, FileChanges, SyncReport, SyncRequest};
pub use watch::{WatchEvent, watch};

/// Looks of one run. What is still changing then is left to the next.
const MAX_ROUNDS: usize = 6;

/// A folder that is brought to the same state as the articles again and again: what it has read of the files, it need
/// not read again.
pub struct FolderSync {
    request: SyncRequest,
    /// The number of the folder, since it has been kept in step.
    source: Option<i64>,
    memory: Memory,
    unwritten: UntouchedBackups,
    /// Since when files have been gone.
    gone: HashMap<String, Instant>,
    /// A file that is gone for a shorter time may come back.
    patience: Duration,
}

/// Brings a folder and the articles to the same state.
///
/// # Errors
/// [`SyncError`]; what was done before stays done, and the next run goes on. What is wrong with one file is in the
/// report.
pub async fn sync(articles: &Articles, request: &SyncRequest) -> Result<SyncReport, SyncError> {
    FolderSync::new(request.clone()).sync(articles).await
}

impl FolderSync {
    /// One that has not looked yet.
    pub fn new(request: SyncRequest) -> Self {
        let (memory, unwritten) = (Memory::default(), UntouchedBackups::default());
        Self { request, source: None, memory, unwritten, gone: HashMap::new(), patience: Duration::ZERO }
    }

    /// What is asked of it.
    pub fn request(&self) -> &SyncRequest {
        &self.request
    }

    /// Brings both sides to the same state.
    ///
    /// # Errors
    /// As [`sync`].
    pub async fn sync(&mut self, articles: &Articles) -> Result<SyncReport, SyncError> {
        let directory = self.request.directory.clone();
        let opened = blocking(move || Root::open(&directory)).await?;
        let open = |source| SyncError::Folder { path: self.request.directory.clone(), source };
        let root = Arc::new(opened.map_err(open)?);
        let mut report = SyncReport { dry_run: self.request.dry_run, ..SyncReport::default() };
        let mut looked = match self.request.dry_run {
            true => self.look_only(articles, &root, &mut report).await?,
            false => self.take_back(articles, &root, &mut report).await?,
        };
        report.notes.extend(looked.note.clone());
        for _ in 0..MAX_ROUNDS {
            report.begin_round(&looked.failed, &looked.files);
            let mut plan = plan::plan(&looked);
            report.waiting = self.not_yet_certain(&plan, &looked.gone);
            report.failed.extend(plan.refused.iter().cloned());
            match deletions::ask(&plan, &looked, &self.request, &report) {
                // A disk may just have gone: what is written now would be written to the place where it was mounted.
                Err(_) if report.waiting > 0 => plan = plan::Plan::default(),
                question => question?,
            }
            if report.waiting > 0 {
                plan.hold_back(&looked.gone);
            }
            if plan.is_empty() {
                break;
            }
            let foreseen = self.request.dry_run.then(DryRun::default);
            let run =
                SyncRun { articles, request: &self.request, root: &root, looked: &looked, foreseen: foreseen.as_ref() };
            if !run.carry_out(plan, &mut report).await? {
                break;
            }
            looked = match foreseen {
                Some(foreseen) => looked.after(articles, foreseen.into_changes()).await?,
                None => self.look(articles, &root).await?,
            };
        }
        report.sort();
        Ok(report)
    }

    async fn look(&mut self, articles: &Articles, root: &Arc<Root>) -> Result<SyncSnapshot, SyncError> {
        let looked = snapshot::look(articles, &self.request, root, &mut self.memory, self.source).await?;
        self.source = Some(looked.source).filter(|_| !self.request.dry_run);
        Ok(looked)
    }

    /// Files that were taken away by a run that died, and what was written to others after they had been replaced,
    /// become files again before anything is looked at.
    async fn take_back(
        &mut self,
        articles: &Articles,
        root: &Arc<Root>,
        report: &mut SyncReport,
    ) -> Result<SyncSnapshot, SyncError> {
        let (root_of, mut unwritten) = (Arc::clone(root), std::mem::take(&mut self.unwritten));
        let (late, unwritten) = blocking(move || (root_of.return_late_writes(&mut unwritten), unwritten)).await?;
        self.unwritten = unwritten;
        let late = late.map_err(|source| SyncError::Folder { path: self.request.directory.clone(), source })?;
        report.conflicts.extend(late.into_iter().map(|LateWrite { file, copy }| Conflict { file, copy }));
        self.look(articles, root).await
    }

    /// The same, which only says so.
    async fn look_only(
        &mut self,
        articles: &Articles,
        root: &Arc<Root>,
        report: &mut SyncReport,
    ) -> Result<SyncSnapshot, SyncError> {
        let looked = self.look(articles, root).await?;
        let (root, foreseen, above, limits) =
            (Arc::clone(root), DryRun::default(), self.request.folder.clone(), articles.limits);
        let returning = blocking(move || {
            let returning = root.would_return()?;
            for Returning { place, bytes, .. } in &returning {
                if let Ok(text) = decode::text(bytes.clone())
                    && !walk::passes_by(&root, place)
                {
                    foreseen.file(scan::of_text(&text, place, "", &above, limits));
                }
            }
            Ok((returning, foreseen))
        });
        let (returning, foreseen) =
            returning.await?.map_err(|source| SyncError::Folder { path: self.request.directory.clone(), source })?;
        let late = returning.into_iter().filter_map(|returning| returning.late);
        report.conflicts.extend(late.map(|LateWrite { file, copy }| Conflict { file, copy }));
        looked.after(articles, foreseen.into_changes()).await.map_err(SyncError::from)
    }

    /// How many files and articles are gone, as long as one of them has gone just now: files may come back, and what
    /// goes little by little is asked about as a whole.
    fn not_yet_certain(&mut self, plan: &plan::Plan, gone: &HashSet<String>) -> usize {
        let now = Instant::now();
        let before = std::mem::take(&mut self.gone);
        for record in plan.deletions.iter().chain(plan.written_again(gone)).chain(&plan.removals) {
            self.gone.insert(record.path.clone(), before.get(&record.path).copied().unwrap_or(now));
        }
        let patience = self.patience;
        if self.gone.values().all(|since| now.duration_since(*since) >= patience) { 0 } else { self.gone.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::source::FileRecord, *};
    use crate::articles::folder::Folder;

    #[test]
    fn what_goes_little_by_little_is_one_deletion() {
        let request =
            SyncRequest { directory: "notes".into(), folder: Folder::default(), many_deletions: false, dry_run: false };
        let patience = Duration::from_secs(2);
        let long_ago = Instant::now().checked_sub(patience * 2).expect("a clock that runs");
        let mut folders = FolderSync { patience, ..FolderSync::new(request) };
        let mut plan = plan::Plan {
            deletions: vec![FileRecord::sample(1, "a.md"), FileRecord::sample(1, "b.md")],
            removals: vec![FileRecord::sample(1, "c.md")],
            ..plan::Plan::default()
        };
        let gone = ["a.md", "b.md"].map(str::to_owned).into();
        folders.gone = [("a.md".to_owned(), long_ago), ("c.md".to_owned(), long_ago)].into();
        assert_eq!(folders.not_yet_certain(&plan, &gone), 3, "one of them has just gone");
        folders.gone.insert("b.md".to_owned(), long_ago);
        assert_eq!(folders.not_yet_certain(&plan, &gone), 0);
        assert_eq!((plan.deletions.len(), plan.removals.len()), (2, 1));
        plan.hold_back(&gone);
        assert!(plan.is_empty());
    }
}
