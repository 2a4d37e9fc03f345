//! Folders of files that are synchronised while the server runs. Their troubles do not stop it from serving.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{runtime::Handle, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    articles::{Articles, folder::Folder},
    config::SyncedFolder,
    files::{Sync, SyncError, SyncReport, Told, left_copies, told_of, watch},
    health::{Finding, Health},
};

/// The name of this part in the server's health.
const PART: &str = "folders";
/// The delay before a folder is watched again after its watch has ended.
const RETRY_AFTER: Duration = Duration::from_secs(15);

/// The present trouble of each folder.
#[derive(Clone)]
struct Troubles {
    health: Health,
    articles: Articles,
    folders: Arc<Mutex<BTreeMap<PathBuf, String>>>,
    /// What to say of copies; the lock lets one caller compute it.
    copies: Arc<tokio::sync::Mutex<Option<String>>>,
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
                let asked = Sync { directory, folder: articles_folder, many_deletions: false, dry_run: false };
                tokio::spawn(keep_one(articles.clone(), asked, troubles.clone(), stopping.clone()));
            }
        }
    }
}

/// Keeps one folder in step, unless it is forgotten; if the watch ends otherwise, which is a bug, it is started again.
async fn keep_one(articles: Articles, asked: Sync, troubles: Troubles, stopping: CancellationToken) {
    while !stopping.is_cancelled() {
        let watching = watched(articles.clone(), asked.clone(), troubles.clone(), stopping.clone());
        let ended = watching.await;
        if stopping.is_cancelled() {
            return;
        }
        let reason = match ended {
            Ok(Some(forgotten)) => {
                let next =
                    "take it out of the settings ([[sync]]), or a server that starts keeps it in step as a new folder";
                return troubles.note(&asked.directory, Some(format!("{forgotten}; {next}")));
            }
            Ok(None) => "the watch has ended".to_owned(),
            Err(error) => error.to_string(),
        };
        troubles.note(&asked.directory, Some(format!("{reason}; it begins anew")));
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(RETRY_AFTER) => {}
        }
    }
}

/// Watches on a separate thread, until `stopping`, or until the folder is forgotten, which is answered.
fn watched(
    articles: Articles,
    asked: Sync,
    told: Troubles,
    stopping: CancellationToken,
) -> JoinHandle<Option<SyncError>> {
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        runtime.block_on(async {
            let directory = asked.directory.clone();
            tokio::select! {
                () = stopping.cancelled() => None,
                forgotten = watch(&articles, asked, |now| told.hear(&directory, now)) => Some(forgotten),
            }
        })
    })
}

impl Troubles {
    fn hear(&self, directory: &Path, told: Told) {
        let shown = directory.display();
        match told {
            Told::Begun { without_signs: None, .. } => {
                tracing::info!(folder = %shown, "kept in step");
                self.show();
            }
            Told::Begun { without_signs: Some(reason), .. } => {
                tracing::warn!(folder = %shown, reason, "kept in step by looking every few seconds: it cannot be watched");
                self.show();
            }
            Told::Well => self.note(directory, None),
            Told::Failed(error) => self.note(directory, Some(error.to_string())),
            Told::Did(report) => {
                log(directory, &report);
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
            (true, None) => Finding::ready(PART),
            (true, Some(copies)) => Finding::note(PART, copies),
            (false, copies) => Finding::degraded(PART, told.into_iter().chain(copies).collect::<Vec<_>>().join("; ")),
        });
    }
}

fn failures(report: &SyncReport) -> Option<String> {
    let first = report.failed.first()?;
    let others = report.failed.len() - 1;
    let more = if others == 0 { String::new() } else { format!(", and {others} more") };
    Some(format!("{} ({}){more}; .afterwordignore can name what is to be left out", first.file, first.error))
}

fn log(directory: &Path, report: &SyncReport) {
    let SyncReport { articles, files, merged, conflicts, notes, .. } = report;
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
    for note in notes {
        tracing::warn!(folder = %directory.display(), note);
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
