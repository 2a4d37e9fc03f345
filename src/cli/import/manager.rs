//! `import --from-manager`

use anyhow::anyhow;

use crate::{
    cli::{progress, session::Session},
    files::{ManagerReport, import_manager},
    plural::count,
    secrets,
};

/// Most problems that are named.
const MAX_NAMED_PROBLEMS: usize = 50;

pub(super) async fn run(session: &Session, url: &str, dry_run: bool) -> anyhow::Result<()> {
    secrets::keep_those_of(url);
    let host = if dry_run { session.making_host().await? } else { session.saving_host().await? };
    let bar = progress::bar(session.output, 0, "importing");
    let report = import_manager(&host.articles, url, dry_run, &|done, of| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    })
    .await;
    bar.finish_and_clear();
    let report = report?;
    session.output.answer(&report, |_| text_of(&report))?;
    for failed in report.failed.iter().take(MAX_NAMED_PROBLEMS) {
        session.output.note(&format!("{}: {}", failed.slug, failed.error));
    }
    match report.failed.len() {
        0 => Ok(()),
        failed => Err(anyhow!("not brought in: {}", count(failed, "article"))),
    }
}

fn text_of(report: &ManagerReport) -> String {
    let ManagerReport { articles, revisions, created, continued, unchanged, edited, deleted, failed, dry_run } = report;
    let lead = if *dry_run { "would be: " } else { "" };
    format!(
        "{} with {} there\n{lead}{created} created, {continued} continued, {unchanged} unchanged, {} edited here, \
         {} deleted here, {} failed",
        count(*articles, "article"),
        count(*revisions, "revision"),
        edited.len(),
        deleted.len(),
        failed.len()
    )
}
