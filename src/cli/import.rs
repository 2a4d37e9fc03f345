//! `import`: brings files in, waits for their embedding if that is wanted, and reports what became of each.

mod manager;

use std::collections::BTreeMap;

use afterword_actors::store::{backlog, stats::QueueStats};
use anyhow::anyhow;
use indicatif::ProgressBar;

use super::{
    arguments::{ImportArguments, Layout, OnConflict},
    failure::Usage,
    planned, progress,
    session::{self, Session},
};
use crate::{
    articles::Articles,
    files::{self, Count, FileProblem, Import, ImportReport, ImportedFile, LeftOut, Reason, Step},
    host::{Host, RunningHost},
    hosts,
    plural::count,
};

/// Most problems that are named; of further ones, only their number.
const MAX_NAMED_PROBLEMS: usize = 50;

impl From<OnConflict> for files::OnConflict {
    fn from(typed: OnConflict) -> Self {
        match typed {
            OnConflict::Skip => Self::Skip,
            OnConflict::Update => Self::Update,
            OnConflict::Fail => Self::Fail,
        }
    }
}

impl Layout {
    /// The one that was asked for; `None`: that of the folder.
    fn layout(self) -> Option<files::Layout> {
        match self {
            Self::Auto => None,
            Self::Plain => Some(files::Layout::Plain),
            Self::Notion => Some(files::Layout::Notion),
            Self::Logseq => Some(files::Layout::Logseq),
            Self::Jekyll => Some(files::Layout::Jekyll),
        }
    }
}

pub(super) async fn run(session: &Session, arguments: ImportArguments) -> anyhow::Result<()> {
    if let Some(url) = &arguments.from_manager {
        return manager::run(session, url, arguments.dry_run).await;
    }
    let host = if arguments.dry_run { session.making_host().await? } else { session.saving_host().await? };
    if !arguments.wait || arguments.dry_run {
        let report = bring_in(session, &host.articles, &arguments).await?;
        return finish(session, &report);
    }
    let here = !hosts::any_at_work(&host.database).await;
    if !here {
        let report = bring_in(session, &host.articles, &arguments).await?;
        wait_for_others(session, &host).await?;
        return finish(session, &report);
    }
    // Saved first: an import does not wait for a model to be fetched.
    let worker = host.join().await?;
    let rest = "what is not imported yet is brought in by the next import, what is not embedded yet waits in the queue";
    let work = import_and_embed(session, &worker, &arguments);
    let ended = progress::until_told_to_stop(session.output, rest, work).await;
    worker.stop().await;
    let (report, stats) = ended?;
    finish(session, &report)?;
    if stats.failed > 0 {
        return Err(anyhow!(
            "{} could not be embedded; `afterword queue list --status failed` says why",
            count(stats.failed, "article")
        ));
    }
    Ok(())
}

async fn import_and_embed(
    session: &Session,
    worker: &RunningHost,
    arguments: &ImportArguments,
) -> anyhow::Result<(ImportReport, QueueStats)> {
    let report = bring_in(session, &worker.host.articles, arguments).await?;
    session.provision(&worker.host).await?;
    Ok((report, progress::wait_for_queue(worker, session.output).await?))
}

async fn bring_in(session: &Session, articles: &Articles, arguments: &ImportArguments) -> anyhow::Result<ImportReport> {
    if arguments.source.as_deref().is_some_and(|name| name.trim().is_empty()) {
        return Err(Usage("--source needs a name, for example --source notes".to_owned()).into());
    }
    let directory = arguments.directory.clone().unwrap_or_default();
    if directory.is_file() {
        let file = directory.display();
        let message = format!(
            "{file} is a file, and a folder is imported; for one file: `afterword article create TITLE --file {file}`"
        );
        return Err(Usage(message).into());
    }
    let import = Import {
        directory: directory.clone(),
        folder: session::folder(&arguments.folder)?,
        source: arguments.source.clone(),
        on_conflict: arguments.on_conflict.into(),
        layout: arguments.layout.layout(),
        dry_run: arguments.dry_run,
    };
    let bar = progress::bar(session.output, 0, "importing");
    let report = files::import(articles, &import, &|step, Count { done, of }| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
        bar.set_message(match step {
            Step::Reading => "read",
            Step::Saving => "saved",
        });
    })
    .await;
    bar.finish_and_clear();
    let report = report?;
    if report.files.is_empty() && report.failed.is_empty() {
        let left_out = left_out_in_words(&report.left_out);
        return Err(anyhow!("there are no markdown files in {}{left_out}", directory.display()));
    }
    Ok(report)
}

fn finish(session: &Session, report: &ImportReport) -> anyhow::Result<()> {
    session.output.answer(report, |_| text_of(report) + &would_be(report, session.verbose))?;
    for note in &report.notes {
        session.output.note(note);
    }
    name_all(session, &report.warnings, "warnings");
    if session.verbose > 0 {
        for left_out in &report.left_out {
            session.output.note(&format!("left out: {} ({})", left_out.path, left_out.reason.as_str()));
        }
    }
    name_all(session, &report.failed, "failures");
    match report.failed.len() {
        0 => Ok(()),
        failed => Err(anyhow!("not imported: {}", count(failed, "file"))),
    }
}

/// Names each problem on a line of its own, up to [`MAX_NAMED_PROBLEMS`].
fn name_all(session: &Session, problems: &[FileProblem], what: &str) {
    let shown = if session.verbose > 0 { problems.len() } else { problems.len().min(MAX_NAMED_PROBLEMS) };
    for problem in &problems[..shown] {
        session.output.note(&format!("{}: {}", problem.file, problem.error));
    }
    if shown < problems.len() {
        session.output.note(&format!("and {} more {what}; -v names them all", problems.len() - shown));
    }
}

fn text_of(report: &ImportReport) -> String {
    let ImportReport { created, updated, unchanged, skipped, deleted, failed, left_out, dry_run, .. } = report;
    let lead = if *dry_run { "would be: " } else { "" };
    let mut text = format!(
        "{lead}{created} created, {updated} updated, {unchanged} unchanged, {skipped} skipped, {} failed",
        failed.len()
    );
    if *deleted > 0 {
        text.push_str(&format!("\n{deleted} deleted here, and left so (`afterword article list --deleted`)"));
    }
    text + &left_out_in_words(left_out)
}

/// Names what a dry run would do.
fn would_be(report: &ImportReport, verbose: u8) -> String {
    let acts = [("create", "created"), ("update", "updated"), ("skip", "skipped"), ("leave deleted", "deleted")];
    let named = |result: &str| -> Vec<String> {
        let files = report.files.iter().filter(|file| file.result == result);
        files.map(|ImportedFile { file, slug, .. }| format!("{slug} ({file})")).collect()
    };
    let dry_run = acts.iter().filter(|_| report.dry_run);
    dry_run.map(|(act, result)| planned::first_of(act, &named(result), verbose)).collect()
}

/// Says how many there are of each sort.
fn left_out_in_words(left_out: &[LeftOut]) -> String {
    let mut counts: BTreeMap<Reason, usize> = BTreeMap::new();
    for left_out in left_out {
        *counts.entry(left_out.reason).or_default() += 1;
    }
    let counts: Vec<_> = counts.into_iter().map(|(reason, count)| format!("{count} {}", reason.as_str())).collect();
    if counts.is_empty() { String::new() } else { format!("\nleft out: {} (-v names them)", counts.join(", ")) }
}

async fn wait_for_others(session: &Session, host: &Host) -> anyhow::Result<()> {
    session.output.note("a running host embeds them");
    let (bar, mut told) = (ProgressBar::hidden(), progress::ReportedTrouble::default());
    loop {
        // It does not wait for a set that is being built: articles are found without it.
        if !backlog::any_open_for_the_set_in_use(host.database.reader()).await? {
            return Ok(());
        }
        if !hosts::any_running(&host.database).await {
            return Err(anyhow!("the running host has ended; `afterword bulk start` embeds what waits"));
        }
        told.look(&host.database, session.output, &bar).await?;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
}
