//! `sync`

use anyhow::anyhow;

use super::{
    arguments::SyncArguments,
    session::{self, Session},
};
use crate::{
    articles::files::{self, FileProblem, Sync, SyncReport},
    plural::count,
};

/// Problems named in full; of more, their number.
const NAMED: usize = 50;

pub(super) async fn run(session: &Session, arguments: SyncArguments) -> anyhow::Result<()> {
    let asked = Sync {
        directory: arguments.directory,
        folder: session::folder(&arguments.folder)?,
        many_deletions: arguments.yes,
        dry_run: arguments.dry_run,
    };
    let host = if asked.dry_run { session.host().await? } else { session.saving_host().await? };
    let report = files::sync(&host.articles, &asked).await?;
    finish(session, &report)
}

fn finish(session: &Session, report: &SyncReport) -> anyhow::Result<()> {
    session.output.answer(report, |_| text_of(report))?;
    for note in &report.notes {
        session.output.note(note);
    }
    for conflict in &report.conflicts {
        session.output.note(&format!(
            "{}: changed here and there in the same lines; it holds the article now, and \"{}\" what it held",
            conflict.file, conflict.copy
        ));
    }
    for slug in &report.left_out {
        session.output.note(&format!("{slug}: has no file, because .gitignore or .afterwordignore names its place"));
    }
    name_all(session, &report.warnings, "warnings");
    name_all(session, &report.failed, "failures");
    match report.failed.len() {
        0 => Ok(()),
        failed => Err(anyhow!("not kept in step: {}", count(failed, "file"))),
    }
}

/// Each on a line of its own, as long as there are few.
fn name_all(session: &Session, problems: &[FileProblem], what: &str) {
    let shown = if session.verbose > 0 { problems.len() } else { problems.len().min(NAMED) };
    for problem in &problems[..shown] {
        session.output.note(&format!("{}: {}", problem.file, problem.error));
    }
    if shown < problems.len() {
        session.output.note(&format!("and {} more {what}; -v names them all", problems.len() - shown));
    }
}

fn text_of(report: &SyncReport) -> String {
    let SyncReport { articles, files, merged, conflicts, dry_run, .. } = report;
    if !report.did_something() {
        return "nothing to do: both sides are the same".to_owned();
    }
    let lead = if *dry_run { "would be: " } else { "" };
    format!(
        "{lead}articles {} created, {} updated, {} deleted; files {} written, {} removed; {} merged, {}",
        articles.created.len(),
        articles.updated.len(),
        articles.deleted.len(),
        files.written.len(),
        files.removed.len(),
        merged.len(),
        count(conflicts.len(), "conflict")
    )
}
