//! Files become articles: walked, read, planned by `plan`, and saved, many at a time.
//!
//! `run` is one import, `save` what becomes of one file. A file that another writer changes meanwhile is planned again.

mod blocking;
mod error;
mod found;
mod request;
pub(super) mod run;
mod save;

use std::{io, sync::Arc};

use futures_util::{StreamExt, stream};

use self::{
    blocking::blocking,
    error::ImportError,
    found::prepare_files,
    run::{ImportRun, Times},
};
use super::{
    OnConflict,
    plan::{self, ImportFacts, Policy},
    report::{FileProblem, ImportReport},
    resolve::{self, FolderQuery},
    root::Root,
    scan::{self, ScannedFile},
    walk,
};
use crate::articles::Articles;

pub use self::request::Import;

/// Files read at the same time.
const READ_AT_ONCE: usize = 8;
/// How often a file is planned again after another writer has changed what the plan expected.
const MAX_ROUNDS: usize = 6;

/// What an import does with its files, one step after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reading and understanding them; nothing is saved yet.
    Reading,
    /// Saving them, as planned.
    Saving,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Files that are done.
    pub done: usize,
    /// All files of this step.
    pub of: usize,
}

/// Imports a folder. `progress` hears how far each step is.
///
/// # Errors
/// [`io::Error`] if the folder cannot be opened, [`afterword_actors::store::StoreError`] if the database cannot be
/// asked. What is wrong with one file is in the report, and the others go on.
pub async fn import(
    articles: &Articles,
    import: &Import,
    progress: &(dyn Fn(Step, Count) + Sync),
) -> Result<ImportReport, ImportError> {
    let open = |source| ImportError::Folder { path: import.directory.clone(), source };
    let directory = import.directory.clone();
    let panicked = || open(io::ErrorKind::NotADirectory.into());
    let (root, walked) = blocking(move || {
        let root = Root::open(&directory)?;
        let walked = walk::walk(&root);
        Ok::<_, io::Error>((Arc::new(root), walked))
    })
    .await
    .ok_or_else(panicked)?
    .map_err(open)?;
    let query = FolderQuery { root: root.place(), above: &import.folder, name: import.source.as_deref() };
    let prefix = resolve::prefix(articles.database.reader(), &query).await?;
    let (folder, within, layout) = (Arc::clone(&root), prefix.clone(), import.layout);
    let found = blocking(move || prepare_files(&folder, walked, &within, layout)).await;
    let (walked, reading) = found.ok_or_else(panicked)?;
    let mut report = ImportReport { dry_run: import.dry_run, left_out: walked.left_out, ..ImportReport::default() };
    report.failed = walked.failed;
    report.read_as = reading.layout().as_str();
    report.notes.extend(reading.layout().in_words().map(told));
    let (root, reading, times) = (Arc::clone(&root), Arc::new(reading), Times::OfFiles);
    let mut run = ImportRun { articles, import, root, source: 0, prefix, reading, times };
    let mut files = scan_files(&run, &walked.files, &mut report, progress).await;
    let present = walked.files.iter().cloned().collect();
    let mut facts = ImportFacts { present, ..ImportFacts::default() };
    let (total, mut done) = (files.len(), 0);
    let tell = |done| progress(Step::Saving, Count { done, of: total });
    let mut is_copy = false;
    for round in 0..MAX_ROUNDS {
        let mut resolved = resolve::resolve(articles.database.reader(), &query, &files).await?;
        if round == 0 {
            report.notes.extend(resolved.note.clone());
        }
        is_copy |= resolved.is_copy;
        if !import.dry_run {
            run.source = run.settle_source(&resolved).await?;
            if resolved.copy_of.is_some() || run.has_taken_over(&resolved).await? {
                resolved = resolve::resolve(articles.database.reader(), &query, &files).await?;
            }
        }
        resolved.is_copy = is_copy;
        run.learn(&mut facts, resolved, &files).await?;
        let actions = plan::plan(&files, &facts, policy(import.on_conflict));
        files = run.carry_out(files, actions, &mut report, &mut |files| tell(done + files)).await;
        done = total - files.len();
        if files.is_empty() {
            break;
        }
    }
    let late = "something else kept changing the same articles; import it again";
    report.failed.extend(files.into_iter().map(|file| FileProblem::new(file.file, late)));
    report.failed.sort_by(|a, b| a.file.cmp(&b.file));
    report.files.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(report)
}

/// What is said of a folder that is not read as it stands.
fn told(layout: &str) -> String {
    format!("read as {layout}; `--as plain` reads the files as they are")
}

fn policy(on_conflict: OnConflict) -> Policy {
    match on_conflict {
        OnConflict::Skip => Policy::Skip,
        OnConflict::Update => Policy::Update,
        OnConflict::Fail => Policy::Fail,
    }
}

async fn scan_files(
    run: &ImportRun<'_>,
    files: &[String],
    report: &mut ImportReport,
    progress: &(dyn Fn(Step, Count) + Sync),
) -> Vec<ScannedFile> {
    let read = stream::iter(files.to_vec()).map(|file| {
        let (root, prefix) = (Arc::clone(&run.root), run.prefix.clone());
        let (above, limits, name) = (run.import.folder.clone(), run.articles.limits, file.clone());
        let reading = Arc::clone(&run.reading);
        async move {
            let scanned = blocking(move || scan::scan(&root, &file, &prefix, &above, limits, &reading)).await;
            scanned.unwrap_or_else(|| Err(FileProblem::new(name, "made the program panic while it was read")))
        }
    });
    let mut read = read.buffered(READ_AT_ONCE);
    let mut scanned = Vec::with_capacity(files.len());
    let mut done = 0;
    while let Some(file) = read.next().await {
        done += 1;
        progress(Step::Reading, Count { done, of: files.len() });
        match file {
            Ok(file) => {
                report.warnings.extend(file.warnings.iter().map(|text| FileProblem::new(&file.file, text)));
                scanned.push(file);
            }
            Err(problem) => report.failed.push(problem),
        }
    }
    scanned
}
