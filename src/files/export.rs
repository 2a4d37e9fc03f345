//! Articles become files: planned once, each then compared with what its place holds, and written if need be.
//!
//! `run` is one export, `work` one of its files. Which place an article gets is planned in `export_plan`.

mod report;
mod request;
mod run;
mod work;

use std::{io, sync::Arc};

use self::{report::ExportError, run::ExportRun};
pub use self::{report::ExportReport, request::Export};
use super::root::{LateWrite, Root, UntouchedBackups};
use crate::articles::Articles;

/// Files noted at a time.
const FILES_PER_TRANSACTION: usize = 200;

/// Exports articles. `progress` hears how many are done, and of how many.
///
/// # Errors
/// `ExportError`. What is wrong with one file is in the report, and the others go on.
pub async fn export(
    articles: &Articles,
    export: &Export,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<ExportReport, ExportError> {
    let root = open_folder(export).map_err(|source| ExportError::Folder { path: export.directory.clone(), source })?;
    let mut report = ExportReport { dry_run: export.dry_run, ..ExportReport::default() };
    if let Some(root) = root.as_ref().filter(|_| !export.dry_run) {
        give_back(root, &mut report).await;
    }
    let mut run = ExportRun::prepare(articles, export, root).await?;
    let planned = run.plan().await?;
    let total = planned.len();
    for (number, page) in planned.chunks(FILES_PER_TRANSACTION).enumerate() {
        let mut noted = Vec::new();
        for (position, planned) in page.iter().enumerate() {
            noted.extend(run.write(planned, &mut report).await?);
            progress(number * FILES_PER_TRANSACTION + position + 1, total);
        }
        run.note(noted, &mut report).await;
    }
    run.tidy(&planned, &mut report).await;
    Ok(report)
}

/// The folder; `None` if nothing is to be done and it is not there.
fn open_folder(export: &Export) -> io::Result<Option<Arc<Root>>> {
    if !export.dry_run {
        return Root::create(&export.directory).map(|root| Some(Arc::new(root)));
    }
    match Root::open(&export.directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(|root| Some(Arc::new(root))),
    }
}

/// Gives back what was written to files after an earlier export had replaced them.
async fn give_back(root: &Arc<Root>, report: &mut ExportReport) {
    let root = Arc::clone(root);
    let late = tokio::task::spawn_blocking(move || root.return_late_writes(&mut UntouchedBackups::default())).await;
    match late.map_err(io::Error::other).flatten() {
        Ok(late) => report.notes.extend(late.into_iter().map(|LateWrite { file, copy }| {
            format!("{file} was saved while an earlier export replaced it: what was saved is {copy}")
        })),
        Err(error) => report.notes.push(format!("files that were replaced earlier cannot be looked at: {error}")),
    }
}
