//! `export`

use anyhow::{Context, anyhow};
use serde::Serialize;

use super::{
    arguments::ExportArguments,
    progress,
    session::{self, Session},
};
use crate::articles::files::{Exported, export_file, exported_path};

/// Articles listed at a time.
const PAGE: u32 = 200;

#[derive(Debug, Default, Serialize)]
struct Report {
    created: usize,
    updated: usize,
    unchanged: usize,
    skipped: usize,
    existing: Vec<String>,
    dry_run: bool,
}

pub(super) async fn run(session: &Session, arguments: ExportArguments) -> anyhow::Result<()> {
    let articles = session.host().await?.articles;
    let folder = session::folder(&arguments.folder)?;
    let mut report = Report { dry_run: arguments.dry_run, ..Report::default() };
    let mut cursor: Option<String> = None;
    let bar = progress::bar(session.output, 0, "exporting");
    loop {
        let page = articles.list(&folder, cursor.as_deref(), PAGE).await?;
        bar.set_length(u64::try_from(page.total).unwrap_or(0));
        for summary in &page.articles {
            let article = articles.read(&summary.slug).await?;
            let path = exported_path(&article, &arguments.directory);
            let on_conflict = arguments.on_conflict.into();
            let exported = export_file(&article, &arguments.directory, on_conflict, arguments.dry_run)
                .with_context(|| format!("{} cannot be written", path.display()))?;
            match exported {
                Exported::Created => report.created += 1,
                Exported::Updated => report.updated += 1,
                Exported::Unchanged => report.unchanged += 1,
                Exported::Skipped => report.skipped += 1,
                Exported::Exists => report.existing.push(path.display().to_string()),
            }
            bar.inc(1);
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    bar.finish_and_clear();
    finish(session, &report)
}

fn finish(session: &Session, report: &Report) -> anyhow::Result<()> {
    session.output.answer(report, || {
        let Report { created, updated, unchanged, skipped, existing, dry_run } = report;
        let lead = if *dry_run { "would be: " } else { "" };
        let failed = existing.len();
        format!("{lead}{created} created, {updated} updated, {unchanged} unchanged, {skipped} skipped, {failed} failed")
    })?;
    for file in &report.existing {
        session.output.note(&format!("{file} exists with another content"));
    }
    match report.existing.len() {
        0 => Ok(()),
        failed => Err(anyhow!("{failed} files were left as they are (--on-conflict skip or update)")),
    }
}
