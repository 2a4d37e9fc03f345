//! `export`

use anyhow::anyhow;

use super::{
    arguments::ExportArguments,
    failure::Usage,
    planned, progress,
    session::{self, Session},
};
use crate::{
    articles::properties::Filter,
    files::{self, Export, ExportReport},
    plural::count,
};

pub(super) async fn run(session: &Session, arguments: ExportArguments) -> anyhow::Result<()> {
    if arguments.directory.is_file() {
        let file = arguments.directory.display();
        let message =
            format!("{file} is a file, and a folder is written; for one article: `afterword article show SLUG --body`");
        return Err(Usage(message).into());
    }
    let host = session.host().await?;
    let export = Export {
        directory: arguments.directory,
        folder: session::folder(&arguments.folder)?,
        on_conflict: arguments.on_conflict.into(),
        prune: arguments.prune,
        dry_run: arguments.dry_run,
    };
    host.articles.must_be_known(&export.folder, &Filter::default()).await?;
    let bar = progress::bar(session.output, 0, "exporting");
    let report = files::export(&host.articles, &export, &|done, of| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    })
    .await;
    bar.finish_and_clear();
    finish(session, &report?)
}

fn finish(session: &Session, report: &ExportReport) -> anyhow::Result<()> {
    session.output.answer(report, |_| text_of(report) + &would_be(report, session.verbose))?;
    for note in &report.notes {
        session.output.note(note);
    }
    for file in &report.removed {
        session.output.note(&format!("removed: {file}"));
    }
    for file in &report.stale {
        session.output.note(&format!("its article is gone, or goes elsewhere now: {file}"));
    }
    if !report.stale.is_empty() {
        session.output.note("--prune removes such files, unless they were changed");
    }
    for file in &report.existing {
        session
            .output
            .note(&format!("{file}: holds something else; --on-conflict update overwrites it, skip leaves it"));
    }
    for failed in &report.failed {
        session.output.note(&format!("{}: {}", failed.file, failed.error));
    }
    match report.existing.len() + report.failed.len() {
        0 => Ok(()),
        failed => Err(anyhow!("not exported: {}", count(failed, "article"))),
    }
}

/// Names what a dry run would do.
fn would_be(report: &ExportReport, verbose: u8) -> String {
    let acts = [("create", "created"), ("overwrite", "updated")].into_iter().filter(|_| report.dry_run);
    let named = |result: &str| -> Vec<String> {
        report.files.iter().filter(|file| file.result == result).map(|file| file.file.clone()).collect()
    };
    acts.map(|(act, result)| planned::first_of(act, &named(result), verbose)).collect()
}

fn text_of(report: &ExportReport) -> String {
    let ExportReport { created, updated, unchanged, skipped, existing, failed, removed, dry_run, .. } = report;
    let lead = if *dry_run { "would be: " } else { "" };
    let removed = if removed.is_empty() { String::new() } else { format!("{} removed, ", removed.len()) };
    let failed = existing.len() + failed.len();
    format!(
        "{lead}{created} created, {updated} updated, {unchanged} unchanged, {skipped} skipped, {removed}{failed} failed"
    )
}
