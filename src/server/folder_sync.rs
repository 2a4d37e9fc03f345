//! Folders of files that are synchronised while the server runs. Their troubles do not stop it from serving.

use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{runtime::Handle, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    articles::{Articles, folder::Folder},
    config::SyncedFolder,
    files::{FileProblem, SyncError, SyncReport, SyncRequest, WatchEvent, left_copies, told_of, watch},
    health::{Finding, Health},
};

/// The name of this part in the server's health.
const HEALTH_PART: &str = "folders";
/// The delay before a folder is watched again after its watch has ended.
const RETRY_AFTER: Duration = Duration::from_secs(15);
/// Remarks of one report that are logged; of more, how many there are.
const MAX_LOGGED: usize = 20;

/// The present trouble of each folder.
#[derive(Clone)]
struct Troubles {
    health: Health,
    articles: Articles,
    folders: Arc<Mutex<BTreeMap<PathBuf, String>>>,
    /// What to say of copies; the lock lets one caller compute it.
    copies: Arc<tokio::sync::Mutex<Option<String>>>,
}

/// What was logged of one folder's files, so that it is not logged again at each look.
#[derive(Default)]
struct Logged {
    failed: HashSet<String>,
    others: HashSet<String>,
}

/// Keeps `folders` in step until `stopping`.
pub(super) fn keep(folders: &[SyncedFolder], articles: &Articles, health: &Health, stopping: &CancellationToken) {
    if folders.is_empty() {
        return;
    }
    let (health, articles) = (health.clone(), articles.clone());
    let troubles = Troubles { health, articles: articles.clone(), folders: Arc::default(), copies: Arc::default() };
    troubles.tell(None);
    for folder in folders {
        match Folder::parse(&folder.folder) {
            Err(error) => troubles.note(&folder.path, Some(error.to_string())),
            Ok(articles_folder) => {
                let directory = folder.path.clone();
                let request = SyncRequest { directory, folder: articles_folder, many_deletions: false, dry_run: false };
                tokio::spawn(keep_one(articles.clone(), request, troubles.clone(), stopping.clone()));
            }
        }
    }
}

/// Keeps one folder in step, unless it is forgotten; if the watch ends otherwise, which is a bug, it is started again.
async fn keep_one(articles: Articles, request: SyncRequest, troubles: Troubles, stopping: CancellationToken) {
    while !stopping.is_cancelled() {
        let watching = watched(articles.clone(), request.clone(), troubles.clone(), stopping.clone());
        let ended = watching.await;
        if stopping.is_cancelled() {
            return;
        }
        let reason = match ended {
            Ok(Some(forgotten)) => {
                let next =
                    "take it out of the settings ([[sync]]), or a server that starts keeps it in step as a new folder";
                return troubles.note(&request.directory, Some(format!("{forgotten}; {next}")));
            }
            Ok(None) => "the watch has ended".to_owned(),
            Err(error) => error.to_string(),
        };
        troubles.note(&request.directory, Some(format!("{reason}; it begins anew")));
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(RETRY_AFTER) => {}
        }
    }
}

/// Watches on a separate thread, until `stopping`, or until the folder is forgotten, which is answered.
fn watched(
    articles: Articles,
    request: SyncRequest,
    told: Troubles,
    stopping: CancellationToken,
) -> JoinHandle<Option<SyncError>> {
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        runtime.block_on(async {
            let (directory, mut logged) = (request.directory.clone(), Logged::default());
            tokio::select! {
                () = stopping.cancelled() => None,
                forgotten = watch(&articles, request, |now| told.hear(&directory, now, &mut logged)) => Some(forgotten),
            }
        })
    })
}

impl Troubles {
    fn hear(&self, directory: &Path, told: WatchEvent, logged: &mut Logged) {
        let shown = directory.display();
        match told {
            WatchEvent::Started { without_signs: None, .. } => {
                tracing::info!(folder = %shown, "kept in step");
                self.show();
            }
            WatchEvent::Started { without_signs: Some(reason), .. } => {
                tracing::warn!(folder = %shown, reason, "kept in step by looking every few seconds: it cannot be watched");
                self.show();
            }
            WatchEvent::Recovered => {
                logged.failed.clear();
                self.note(directory, None);
            }
            WatchEvent::Failed(error) => self.note(directory, Some(error.to_string())),
            WatchEvent::Synced(report) => {
                log(directory, &report, logged);
                self.note(directory, failures(&report));
            }
        }
    }

    fn note(&self, directory: &Path, trouble: Option<String>) {
        {
            let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
            match trouble {
                Some(trouble) => drop(folders.insert(directory.to_owned(), trouble)),
                None => drop(folders.remove(directory)),
            }
        }
        self.show();
    }

    /// Shows in the server's health which folders are not in step, and which copies are left in those that are.
    fn show(&self) {
        let troubles = self.clone();
        tokio::spawn(async move {
            let mut copies = troubles.copies.lock().await;
            match left_copies(troubles.articles.database()).await {
                Ok(left) => *copies = told_of(&left),
                Err(error) => tracing::debug!(%error, "copies are looked for again after the next change"),
            }
            troubles.tell(copies.clone());
        });
    }

    fn tell(&self, copies: Option<String>) {
        let folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        let told: Vec<_> = folders.iter().map(|(folder, trouble)| format!("{}: {trouble}", folder.display())).collect();
        self.health.note(match (told.is_empty(), copies) {
            (true, None) => Finding::ready(HEALTH_PART),
            (true, Some(copies)) => Finding::note(HEALTH_PART, copies),
            (false, copies) => {
                Finding::degraded(HEALTH_PART, told.into_iter().chain(copies).collect::<Vec<_>>().join("; "))
            }
        });
    }
}

fn failures(report: &SyncReport) -> Option<String> {
    let first = report.failed.first()?;
    let others = report.failed.len() - 1;
    let more = if others == 0 { String::new() } else { format!(", and {others} more") };
    Some(format!("{} ({}){more}; .afterwordignore can name what is to be left out", first.file, first.error))
}

impl Logged {
    /// What a report says of files and was not logged yet, and how many such remarks there are besides.
    fn news(&mut self, report: &SyncReport) -> (Vec<String>, usize) {
        let line = |problem: &FileProblem| format!("{}: {}", problem.file, problem.error);
        let is_bare =
            |slug: &String| format!("{slug}: has no file, because .gitignore or .afterwordignore names its place");
        let failed = report.failed.iter().map(line).collect();
        let others = report.notes.iter().cloned().chain(report.warnings.iter().map(line));
        let others = others.chain(report.left_out.iter().map(is_bare)).collect();
        let mut news = not_among(&mut self.failed, failed);
        news.extend(not_among(&mut self.others, others));
        let more = news.len().saturating_sub(MAX_LOGGED);
        news.truncate(MAX_LOGGED);
        (news, more)
    }
}

/// Those of `now` that are not among `before`, which they all are then.
fn not_among(before: &mut HashSet<String>, now: Vec<String>) -> Vec<String> {
    let new = now.iter().filter(|line| !before.contains(*line)).cloned().collect();
    *before = now.into_iter().collect();
    new
}

fn log(directory: &Path, report: &SyncReport, logged: &mut Logged) {
    let SyncReport { articles, files, merged, conflicts, .. } = report;
    if report.did_something() {
        tracing::info!(
            folder = %directory.display(),
            created = articles.created.len(),
            updated = articles.updated.len(),
            deleted = articles.deleted.len(),
            written = files.written.len(),
            removed = files.removed.len(),
            merged = merged.len(),
            "brought into step"
        );
    }
    let (news, more) = logged.news(report);
    for note in &news {
        tracing::warn!(folder = %directory.display(), note);
    }
    if more > 0 {
        tracing::warn!(
            folder = %directory.display(),
            more,
            "more is to be known of files: `afterword sync --dry-run -v` with this folder names it all"
        );
    }
    for conflict in conflicts {
        tracing::warn!(
            folder = %directory.display(),
            file = conflict.file,
            copy = conflict.copy,
            "changed on both sides in the same lines: the file holds the article, the copy what the file held"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_to_know_of_files_is_logged_once_and_within_bounds() {
        let problem = |file: &str| FileProblem { file: file.to_owned(), error: "is odd".to_owned() };
        let (failed, warnings) = (vec![problem("a.md")], vec![problem("b.md")]);
        let mut report = SyncReport { failed, warnings, ..SyncReport::default() };
        let mut logged = Logged::default();
        let both = vec!["a.md: is odd".to_owned(), "b.md: is odd".to_owned()];
        assert_eq!(logged.news(&report), (both, 0));
        assert_eq!(logged.news(&report), (Vec::new(), 0));
        report.warnings.extend((0..MAX_LOGGED + 3).map(|number| problem(&format!("{number}.md"))));
        let (news, more) = logged.news(&report);
        assert_eq!((news.len(), more), (MAX_LOGGED, 3));
        assert_eq!(logged.news(&report), (Vec::new(), 0));
        // Only what is over is told anew when it begins again.
        logged.failed.clear();
        assert_eq!(logged.news(&report), (vec!["a.md: is odd".to_owned()], 0));
    }
}
