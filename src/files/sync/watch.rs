//! Keeps a folder and the articles the same, until it is stopped.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    FolderSync,
    error::SyncError,
    file_watcher::FileWatcher,
    report::{SyncReport, SyncRequest},
};
use crate::articles::{Articles, ChangeFeed};

/// So long nothing more must come before a look: what comes together is one look.
const QUIET_BEFORE_LOOK: Duration = Duration::from_millis(150);
/// However much goes on, a look is not put off for longer.
const PUT_OFF: Duration = Duration::from_secs(1);
/// How often the articles are asked what has changed.
const ARTICLES_INTERVAL: Duration = Duration::from_millis(500);
/// How often everything is looked at, whatever signs there were.
const FULL_LOOK_INTERVAL: Duration = Duration::from_secs(300);
/// The same where the system gives no signs.
const WITHOUT_SIGNS: Duration = Duration::from_secs(10);
/// After a failure.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// While many deletions wait for a confirmation.
const CONFIRMATION_INTERVAL: Duration = Duration::from_secs(30);
/// A file that is gone for a shorter time may be about to come back: editors and checkouts replace files so.
const RETURN_GRACE: Duration = Duration::from_secs(2);

/// What is told of a folder that is watched.
#[derive(Debug)]
pub enum WatchEvent {
    /// It is watched; if the system gives no signs of change, why not.
    Started {
        /// The folder.
        directory: PathBuf,
        /// Why it cannot be watched and is checked every few seconds; `None` if it is watched.
        without_signs: Option<String>,
    },
    /// Something was done, goes wrong otherwise than before, or is to be known that was not before.
    Synced(SyncReport),
    /// Both sides are the same, and nothing goes wrong any more.
    Recovered,
    /// Nothing could be done; it is tried again.
    Failed(SyncError),
}

/// Keeps a folder in step until this future is dropped, which is as safe at any moment as a death of the process.
/// Answers why it is kept no longer: it was forgotten.
pub async fn watch(articles: &Articles, request: SyncRequest, mut tell: impl FnMut(WatchEvent) + Send) -> SyncError {
    let directory = request.directory.clone();
    let mut folders = FolderSync { patience: RETURN_GRACE, ..FolderSync::new(request) };
    let (mut signs, mut feed) = (FileWatcher::of(&directory), articles.changes());
    tell(WatchEvent::Started { directory: directory.clone(), without_signs: signs.why_none() });
    let (mut trouble, mut has_failed, mut remarks) = (String::new(), false, HashSet::new());
    loop {
        if signs.are_of_another(&directory).await {
            signs = FileWatcher::of(&directory);
        }
        let done = folders.sync(articles).await;
        let pause = match &done {
            Err(SyncError::ManyDeletions { .. }) => CONFIRMATION_INTERVAL,
            Err(_) => RETRY_AFTER,
            Ok(report) if report.waiting > 0 => RETURN_GRACE,
            Ok(_) if signs.why_none().is_some() => WITHOUT_SIGNS,
            Ok(_) => FULL_LOOK_INTERVAL,
        };
        let (now, is_back) = (trouble_of(&done), has_failed && done.is_ok());
        let has_news = done.as_ref().is_ok_and(|report| has_news(report, &mut remarks));
        has_failed = done.is_err();
        match done {
            Err(forgotten @ SyncError::Forgotten(_)) => return forgotten,
            Err(error) if now != trouble => tell(WatchEvent::Failed(error.of_a_watch())),
            Ok(report) if report.did_something() || has_news || !now.is_empty() && now != trouble => {
                tell(WatchEvent::Synced(report));
            }
            Ok(_) if now.is_empty() && !trouble.is_empty() => tell(WatchEvent::Recovered),
            Ok(_) | Err(_) => {}
        }
        trouble = now;
        if is_back {
            // It is another folder now, under the same name; what was changed before it was watched is seen at once.
            signs = FileWatcher::of(&directory);
            continue;
        }
        a_change(&signs, &mut feed, &directory, pause).await;
    }
}

/// What goes wrong, in a form that can be compared.
fn trouble_of(done: &Result<SyncReport, SyncError>) -> String {
    match done {
        Err(error) => error.to_string(),
        Ok(report) => report.failed.iter().map(|problem| format!("{}: {}\n", problem.file, problem.error)).collect(),
    }
}

/// Whether a report says something that is not among the `remarks` of the one before, which become its own. They are
/// told once: a file that cannot be read as it was meant is looked at each time.
fn has_news(report: &SyncReport, remarks: &mut HashSet<String>) -> bool {
    let warnings = report.warnings.iter().map(|warning| format!("{}: {}", warning.file, warning.error));
    let others = report.notes.iter().chain(&report.left_out).cloned();
    let now: HashSet<String> = warnings.chain(others).collect();
    let has_news = !now.is_subset(remarks);
    *remarks = now;
    has_news
}

/// Waits until something has changed on either side and nothing more comes, or until `pause` is over.
async fn a_change(signs: &FileWatcher, feed: &mut ChangeFeed, directory: &Path, pause: Duration) {
    let end = Instant::now() + pause;
    let mut ask = tokio::time::interval(ARTICLES_INTERVAL);
    ask.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = signs.next() => break,
            () = tokio::time::sleep_until(end) => return,
            _ = ask.tick() => {
                if signs.are_of_another(directory).await {
                    return;
                }
                match feed.next().await {
                    Ok(changes) if changes.is_empty() => {}
                    Ok(_) => return,
                    Err(error) => tracing::debug!(%error, "changes of articles are looked for again"),
                }
            }
        }
    }
    let latest = Instant::now() + PUT_OFF;
    while Instant::now() < latest {
        let quiet = (Instant::now() + QUIET_BEFORE_LOOK).min(latest);
        if tokio::time::timeout_at(quiet, signs.next()).await.is_err() {
            return;
        }
    }
}
