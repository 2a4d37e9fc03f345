//! `sync`

use anyhow::anyhow;
use tokio::sync::Notify;

use super::{
    arguments::SyncArguments,
    output::{Output, reader_has_left},
    planned::first_of,
    session::{self, Session},
};
use crate::{
    config::SyncedFolder,
    files::{self, FileProblem, SyncError, SyncReport, SyncRequest, WatchEvent},
    plural::count,
    signals::Signals,
};

/// Most problems that are named; of further ones, only their number.
const MAX_NAMED_PROBLEMS: usize = 50;

pub(super) async fn run(session: &Session, arguments: SyncArguments) -> anyhow::Result<()> {
    let request = SyncRequest {
        directory: arguments.directory,
        folder: session::folder(&arguments.folder)?,
        many_deletions: arguments.yes,
        dry_run: arguments.dry_run,
    };
    if arguments.forget {
        return forget(session, &request).await;
    }
    let host = if request.dry_run { session.making_host().await? } else { session.saving_host().await? };
    let teller = SyncReporter { output: session.output, verbose: session.verbose };
    if arguments.watch {
        let (signals, left) = (Signals::install()?, Notify::new());
        let tell = |told| {
            teller.tell(told);
            if reader_has_left() {
                left.notify_one();
            }
        };
        return tokio::select! {
            forgotten = files::watch(&host.articles, request, tell) => Err(forgotten.into()),
            () = signals.stop() => Ok(()),
            () = left.notified() => Err(anyhow!(
                "nobody reads standard output any more, so the folder is not kept in step any longer; to watch without a \
                 reader, send it to /dev/null"
            )),
        };
    }
    let done = files::sync(&host.articles, &request).await;
    if let Err(SyncError::ManyDeletions { files, .. }) = &done
        && session.verbose > 0
    {
        files.all().for_each(|file| session.output.note(file));
    }
    let report = done?;
    teller.report(&report)?;
    match report.failed.len() {
        0 => Ok(()),
        failed => Err(anyhow!("not kept in step: {}", count(failed, "file"))),
    }
}

async fn forget(session: &Session, request: &SyncRequest) -> anyhow::Result<()> {
    let kept = files::forget(&session.host().await?.articles, request).await?;
    session.output.answer(&kept, |_| {
        format!("{} is not kept in step any more; files and articles are as they were", kept.directory.display())
    })?;
    let is_it = |folder: &SyncedFolder| folder.path.canonicalize().is_ok_and(|path| path == kept.directory);
    if session.loaded.settings.sync.iter().any(is_it) {
        session.output.note("the settings name it ([[sync]]): a server that starts keeps it in step as a new folder");
    }
    Ok(())
}

/// Reports what was done.
#[derive(Clone, Copy)]
struct SyncReporter {
    output: Output,
    verbose: u8,
}

impl SyncReporter {
    /// Reports about a watched folder.
    fn tell(self, told: WatchEvent) {
        match told {
            WatchEvent::Started { directory, without_signs } => {
                self.output.note(&format!("{} is kept in step; Ctrl-C ends it", directory.display()));
                if let Some(reason) = without_signs {
                    self.output.note(&format!("it cannot be watched ({reason}), and is looked at every 10 seconds"));
                }
            }
            WatchEvent::Synced(report) => {
                if let Err(error) = self.report(&report) {
                    self.output.error(&error);
                }
            }
            WatchEvent::Recovered => self.output.note("all is well again"),
            WatchEvent::Failed(error) => {
                self.output.error(&error.into());
            }
        }
    }

    fn report(self, report: &SyncReport) -> anyhow::Result<()> {
        let output = self.output;
        output.answer(report, |_| text_of(report) + &self.would_be(report))?;
        report.notes.iter().for_each(|note| output.note(note));
        for conflict in &report.conflicts {
            output.note(&format!(
                "{}: changed on both sides; it says what the article says, and \"{}\" what was written to it",
                conflict.file, conflict.copy
            ));
        }
        for slug in &report.left_out {
            output.note(&format!("{slug}: has no file, because .gitignore or .afterwordignore names its place"));
        }
        self.name_all(&report.warnings, "warnings");
        self.name_all(&report.failed, "failures");
        Ok(())
    }

    /// Names what a dry run would do, each on a line of its own.
    fn would_be(self, report: &SyncReport) -> String {
        if !report.dry_run {
            return String::new();
        }
        let SyncReport { articles, files, merged, .. } = report;
        let acts = [
            ("create the article of", &articles.created),
            ("update the article of", &articles.updated),
            ("delete the article", &articles.deleted),
            ("write", &files.written),
            ("remove", &files.removed),
            ("merge", merged),
        ];
        acts.iter().map(|(act, names)| first_of(act, names, self.verbose)).collect()
    }

    /// Names each problem on a line of its own, up to [`MAX_NAMED_PROBLEMS`].
    fn name_all(self, problems: &[FileProblem], what: &str) {
        let shown = if self.verbose > 0 { problems.len() } else { problems.len().min(MAX_NAMED_PROBLEMS) };
        for problem in &problems[..shown] {
            self.output.note(&format!("{}: {}", problem.file, problem.error));
        }
        if shown < problems.len() {
            self.output.note(&format!("and {} more {what}; -v names them all", problems.len() - shown));
        }
    }
}

fn text_of(report: &SyncReport) -> String {
    let SyncReport { dry_run, failed, left_out, .. } = report;
    if !report.did_something() {
        let are_same = failed.is_empty() && left_out.is_empty();
        return if are_same { "nothing to do: both sides are the same" } else { "nothing was done" }.to_owned();
    }
    let lead = if *dry_run { "would be: " } else { "" };
    format!("{lead}{}", report.summary())
}
