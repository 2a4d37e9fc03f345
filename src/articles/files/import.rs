//! Files become articles.

mod run;
mod save;

use std::{io, path::PathBuf, sync::Arc};

use afterword_actors::store::StoreError;
use futures_util::{StreamExt, stream};

use self::run::Run;
use super::{
    OnConflict,
    plan::{self, Facts},
    report::{FileProblem, ImportReport},
    resolve::{self, Asked},
    root::Root,
    scan::{self, Scanned},
    walk,
};
use crate::articles::{Articles, folder::Folder};

/// Files read at the same time.
const READ_AT_ONCE: usize = 4;
/// How often a file is planned again because something else was faster.
const ROUNDS: usize = 6;

/// What to import, and how.
#[derive(Debug, Clone)]
pub struct Import {
    /// The folder of files.
    pub directory: PathBuf,
    /// Below which folder the articles stand.
    pub folder: Folder,
    /// The source's name, if a person gave one: then it is the same wherever it is.
    pub source: Option<String>,
    /// What to do about articles that exist and did not come from these files.
    pub on_conflict: OnConflict,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// Imports a folder. `progress` hears how many files are done, and of how many.
///
/// # Errors
/// [`io::Error`] if the folder cannot be opened, [`StoreError`] if the database cannot be asked. What is wrong with one
/// file is in the report, and the others go on.
pub async fn import(
    articles: &Articles,
    import: &Import,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<ImportReport, ImportError> {
    let open = |source| ImportError::Folder { path: import.directory.clone(), source };
    let (directory, empty) = (import.directory.clone(), open(io::ErrorKind::NotADirectory.into()));
    let (root, walked) = blocking(move || {
        let root = Root::open(&directory)?;
        let walked = walk::walk(&root);
        Ok::<_, io::Error>((Arc::new(root), walked))
    })
    .await
    .ok_or(empty)?
    .map_err(open)?;
    let mut report = ImportReport { dry_run: import.dry_run, left_out: walked.left_out, ..ImportReport::default() };
    report.failed = walked.failed;
    let asked = Asked { root: root.place(), above: &import.folder, name: import.source.as_deref() };
    let prefix = resolve::prefix(articles.database.reader(), &asked).await?;
    let mut run = Run { articles, import, root: Arc::clone(&root), source: 0, prefix };
    let mut files = scanned(&run, &walked.files, &mut report).await;
    let present = walked.files.iter().cloned().collect();
    let mut facts = Facts { present, ..Facts::default() };
    let (total, mut done) = (files.len(), 0);
    for round in 0..ROUNDS {
        let mut resolved = resolve::resolve(articles.database.reader(), &asked, &files).await?;
        if round == 0 {
            report.notes.extend(resolved.note.clone());
        }
        if !import.dry_run {
            run.source = run.settled(&resolved).await?;
            if run.has_taken_over(&resolved).await? {
                resolved = resolve::resolve(articles.database.reader(), &asked, &files).await?;
            }
        }
        run.learn(&mut facts, resolved, &files).await?;
        let actions = plan::plan(&files, &facts, import.on_conflict);
        files = run.carry_out(files, actions, &mut report, &mut |files| progress(done + files, total)).await;
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

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The folder.
    #[error("{} cannot be read: {source}", path.display())]
    Folder {
        /// Where it is.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

async fn scanned(run: &Run<'_>, files: &[String], report: &mut ImportReport) -> Vec<Scanned> {
    let read = stream::iter(files.to_vec()).map(|file| {
        let (root, prefix) = (Arc::clone(&run.root), run.prefix.clone());
        let (above, limits, name) = (run.import.folder.clone(), run.articles.limits, file.clone());
        async move {
            let scanned = blocking(move || scan::scan(&root, &file, &prefix, &above, limits)).await;
            scanned.unwrap_or_else(|| Err(FileProblem::new(name, "made the program panic while it was read")))
        }
    });
    let mut read = read.buffered(READ_AT_ONCE);
    let mut scanned = Vec::with_capacity(files.len());
    while let Some(file) = read.next().await {
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

/// Runs what waits for the disk, or computes, on a thread of its own; `None` if it panicked.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
