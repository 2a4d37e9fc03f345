//! `import`

use afterword_actors::store::stats::{self, QueueStats};
use anyhow::{Context, anyhow};
use futures_util::{StreamExt, stream};
use serde::Serialize;

use super::{
    arguments::{ImportArguments, OnConflict},
    progress,
    session::{self, Session},
};
use crate::{
    articles::{
        Articles,
        files::{self, Imported, import_file, markdown_files},
        folder::Folder,
    },
    host::{Host, Worker},
    hosts,
};

/// Files saved at the same time: they share commits.
const AT_ONCE: usize = 16;

/// What became of all files.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    pub(super) created: usize,
    pub(super) updated: usize,
    pub(super) unchanged: usize,
    pub(super) skipped: usize,
    pub(super) failed: Vec<FailedFile>,
    dry_run: bool,
}

/// A file that did not become an article.
#[derive(Debug, Serialize)]
pub(super) struct FailedFile {
    file: String,
    error: String,
}

impl From<OnConflict> for files::OnConflict {
    fn from(typed: OnConflict) -> Self {
        match typed {
            OnConflict::Skip => Self::Skip,
            OnConflict::Update => Self::Update,
            OnConflict::Fail => Self::Fail,
        }
    }
}

pub(super) async fn run(session: &Session, arguments: ImportArguments) -> anyhow::Result<()> {
    let host = if arguments.dry_run { session.host().await? } else { session.saving_host().await? };
    if !arguments.wait || arguments.dry_run {
        let report = bring_in(session, &host.articles, &arguments).await?;
        return finish(session, &report);
    }
    let here = !hosts::somebody_works(&host.database).await;
    if !here {
        let report = bring_in(session, &host.articles, &arguments).await?;
        wait_for_others(session, &host).await?;
        return finish(session, &report);
    }
    // Saved first: an import does not wait for a model to be fetched.
    let worker = host.start().await?;
    let ended = import_and_embed(session, &worker, &arguments).await;
    worker.stop().await;
    let (report, stats) = ended?;
    finish(session, &report)?;
    if stats.failed > 0 {
        return Err(anyhow!(
            "{} articles could not be embedded; `afterword queue list --status failed` says why",
            stats.failed
        ));
    }
    Ok(())
}

async fn import_and_embed(
    session: &Session,
    worker: &Worker,
    arguments: &ImportArguments,
) -> anyhow::Result<(Report, QueueStats)> {
    let report = bring_in(session, &worker.host.articles, arguments).await?;
    session.provision(&worker.host).await?;
    Ok((report, progress::wait_for_queue(worker, session.output).await?))
}

async fn bring_in(session: &Session, articles: &Articles, arguments: &ImportArguments) -> anyhow::Result<Report> {
    let above = session::folder(&arguments.folder)?;
    directory(session, articles, arguments, &above).await
}

/// Imports all files of a directory.
async fn directory(
    session: &Session,
    articles: &Articles,
    arguments: &ImportArguments,
    above: &Folder,
) -> anyhow::Result<Report> {
    let root = &arguments.directory;
    let files = markdown_files(root).with_context(|| format!("{} cannot be read", root.display()))?;
    if files.is_empty() {
        return Err(anyhow!("there are no *.md files in {}", root.display()));
    }
    let bar = progress::bar(session.output, files.len() as u64, "importing");
    let (on_conflict, dry_run) = (arguments.on_conflict.into(), arguments.dry_run);
    let mut report = Report { dry_run, ..Report::default() };
    let mut results = stream::iter(files)
        .map(|file| async move {
            let result = import_file(articles, &file, root, above, on_conflict, dry_run).await;
            (file, result)
        })
        .buffered(AT_ONCE);
    while let Some((file, result)) = results.next().await {
        bar.inc(1);
        match result {
            Ok(Imported::Created { .. }) => report.created += 1,
            Ok(Imported::Updated { .. }) => report.updated += 1,
            Ok(Imported::Unchanged { .. }) => report.unchanged += 1,
            Ok(Imported::Skipped { .. }) => report.skipped += 1,
            Err(error) => {
                report.failed.push(FailedFile { file: file.display().to_string(), error: error.to_string() });
            }
        }
    }
    bar.finish_and_clear();
    Ok(report)
}

fn finish(session: &Session, report: &Report) -> anyhow::Result<()> {
    session.output.answer(report, || text_of(report))?;
    for failed in &report.failed {
        session.output.note(&format!("{}: {}", failed.file, failed.error));
    }
    match report.failed.len() {
        0 => Ok(()),
        failed => Err(anyhow!("{failed} files were not imported (--on-conflict skip or update for existing articles)")),
    }
}

fn text_of(report: &Report) -> String {
    let Report { created, updated, unchanged, skipped, failed, dry_run } = report;
    let lead = if *dry_run { "would be: " } else { "" };
    format!(
        "{lead}{created} created, {updated} updated, {unchanged} unchanged, {skipped} skipped, {} failed",
        failed.len()
    )
}

async fn wait_for_others(session: &Session, host: &Host) -> anyhow::Result<()> {
    session.output.note("a running host embeds them");
    loop {
        let stats = stats::queue(host.database.reader()).await?;
        if stats.pending + stats.processing == 0 {
            return Ok(());
        }
        if !hosts::somebody_works(&host.database).await {
            return Err(anyhow!("the running host has ended; `afterword bulk start` embeds what waits"));
        }
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
}
