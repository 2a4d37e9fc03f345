//! Articles become files.

mod work;

use std::{
    collections::{HashMap, HashSet},
    io,
    path::PathBuf,
    sync::Arc,
};

use afterword_actors::store::{StoreError, sql::Sql};
use serde::Serialize;

use self::work::{COMPARED, Outcome, Work};
use super::{
    OnConflict,
    export_plan::{self, ExportedArticle, Facts, PlaceSet, PlannedFile},
    hash,
    naming::naming,
    report::{FileProblem, ImportedFile},
    resolve,
    root::{LateWrite, Root, UntouchedBackups},
    source::{self, FileRecord, Source},
    walk,
};
use crate::articles::{
    Article, Articles,
    folder::{Folder, within},
    row,
};

/// Files noted at a time.
const PAGE: usize = 200;

/// What to export, and how.
#[derive(Debug, Clone)]
pub struct Export {
    /// Where to.
    pub directory: PathBuf,
    /// Only articles of this folder and below.
    pub folder: Folder,
    /// What to do about files that hold something else, and that were not written or read before as they are.
    pub on_conflict: OnConflict,
    /// Remove files that an earlier export wrote, and whose articles are gone or go elsewhere now.
    pub prune: bool,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// What became of all articles.
#[derive(Debug, Default, Serialize)]
pub struct ExportReport {
    /// New files.
    pub created: usize,
    /// Files changed.
    pub updated: usize,
    /// Files that hold the same already.
    pub unchanged: usize,
    /// Files that hold something else, and were left as they are.
    pub skipped: usize,
    /// The same, and that is an error.
    pub existing: Vec<String>,
    /// Articles that could not be written.
    pub failed: Vec<FileProblem>,
    /// Files of earlier exports that were removed.
    pub removed: Vec<String>,
    /// Files of earlier exports whose articles are gone, and which were left.
    pub stale: Vec<String>,
    /// What there is to know besides.
    pub notes: Vec<String>,
    /// Nothing was done.
    pub dry_run: bool,
    /// Files that were written, or would be, each with its article: `created`, `updated`
    pub files: Vec<ImportedFile>,
}

/// Why nothing was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The folder.
    #[error("{} cannot be written to: {source}", path.display())]
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

/// Exports articles. `progress` hears how many are done, and of how many.
///
/// # Errors
/// `ExportError`. What is wrong with one file is in the report, and the others go on.
pub async fn export(
    articles: &Articles,
    export: &Export,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<ExportReport, ExportError> {
    let root = opened(export).map_err(|source| ExportError::Folder { path: export.directory.clone(), source })?;
    let mut report = ExportReport { dry_run: export.dry_run, ..ExportReport::default() };
    if let Some(root) = root.as_ref().filter(|_| !export.dry_run) {
        gives_back(root, &mut report).await;
    }
    let mut run = Run::prepared(articles, export, root).await?;
    let planned = run.plan().await?;
    let total = planned.len();
    for (number, page) in planned.chunks(PAGE).enumerate() {
        let mut noted = Vec::new();
        for (position, planned) in page.iter().enumerate() {
            noted.extend(run.write(planned, &mut report).await?);
            progress(number * PAGE + position + 1, total);
        }
        run.note(noted, &mut report).await;
    }
    run.tidy(&planned, &mut report).await;
    Ok(report)
}

/// The folder; `None` if nothing is to be done and it is not there.
fn opened(export: &Export) -> io::Result<Option<Arc<Root>>> {
    if !export.dry_run {
        return Root::create(&export.directory).map(|root| Some(Arc::new(root)));
    }
    match Root::open(&export.directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(|root| Some(Arc::new(root))),
    }
}

/// One export.
struct Run<'a> {
    articles: &'a Articles,
    export: &'a Export,
    root: Option<Arc<Root>>,
    /// The source that is written to; 0 if there is none yet.
    target: i64,
    sources: HashMap<i64, Source>,
    /// By article.
    files: HashMap<i64, Vec<FileRecord>>,
    /// Files of the target, by their places.
    known: HashMap<String, FileRecord>,
    /// Whether nothing was ever imported from there.
    is_ours: bool,
    /// Former slugs, by article.
    former: HashMap<i64, Vec<String>>,
    /// Articles whose new files hold them: only their earlier ones may go.
    standing: HashSet<i64>,
}

impl<'a> Run<'a> {
    async fn prepared(
        articles: &'a Articles,
        export: &'a Export,
        root: Option<Arc<Root>>,
    ) -> Result<Self, ExportError> {
        let reader = articles.database.reader();
        let target = target(articles, export, root.as_deref()).await?;
        let sources = source::all(reader).await?.into_iter().map(|source| (source.id, source)).collect();
        let (mut files, mut known): (HashMap<i64, Vec<FileRecord>>, HashMap<_, _>) = Default::default();
        for file in source::all_files(reader).await? {
            if file.source_id == target {
                known.insert(file.path.clone(), file.clone());
            }
            files.entry(file.article_id).or_default().push(file);
        }
        let mut former: HashMap<i64, Vec<String>> = HashMap::new();
        let aliases = "SELECT slug, article_id FROM slug_aliases ORDER BY created_at, slug";
        for (slug, article) in reader.rows::<(String, i64)>(aliases, []).await? {
            former.entry(article).or_default().push(slug);
        }
        let is_ours = known.values().all(|known| known.written);
        Ok(Self { articles, export, root, target, sources, files, known, is_ours, former, standing: HashSet::new() })
    }

    async fn plan(&self) -> Result<Vec<PlannedFile>, StoreError> {
        let reader = self.articles.database.reader();
        let listed: Vec<ExportedArticle> = reader
            .rows(
                &format!("SELECT id, slug, folder FROM articles WHERE {} ORDER BY slug", within("folder", "$1")),
                [self.export.folder.as_ref().into()],
            )
            .await?;
        let (files, sources) = (&self.files, &self.sources);
        let target = Some(self.target).filter(|target| *target != 0);
        let (above, occupied, held) = (&Folder::default(), &HashSet::new(), &PlaceSet::default());
        let plain = Facts { target, sources, files, naming: &HashSet::new(), above, occupied, held };
        let is_renamed =
            |article: &&ExportedArticle| plain.before(article).is_some_and(|before| before.slug != article.slug);
        let naming = naming(reader, listed.iter().filter(is_renamed).map(|article| article.id)).await?;
        Ok(export_plan::plan(&listed, &Facts { naming: &naming, ..plain }))
    }

    /// Writes one article; answers what to note of its file.
    async fn write(
        &mut self,
        planned: &PlannedFile,
        report: &mut ExportReport,
    ) -> Result<Option<FileRecord>, StoreError> {
        // Deleted since the plan was made.
        let Some(article) = row::by_id(self.articles.database.reader(), planned.id).await? else { return Ok(None) };
        let article = Article::from(article);
        let came_from_file = self.files.get(&article.id).is_some_and(|files| files.iter().any(|file| !file.written));
        let here = self.known.get(&planned.place).filter(|known| known.article_id == article.id);
        let held = here.or(planned.before.as_ref().filter(|known| known.source_id == self.target));
        let before = self.known.get(&planned.place).filter(|known| known.article_id == article.id).cloned();
        let work = Work {
            former_slugs: self.former.get(&article.id).cloned().unwrap_or_default(),
            known: self.known.get(&planned.place).cloned(),
            planned: planned.clone(),
            limits: self.articles.limits,
            on_conflict: self.export.on_conflict,
            dry_run: self.export.dry_run,
            held_at: held.map(|known| known.path.clone()),
            came_from_file,
            article,
        };
        let root = self.root.clone();
        let Ok((work, done)) = tokio::task::spawn_blocking(move || work.done(root.as_deref())).await else {
            report.failed.push(FileProblem::new(&planned.place, "made the program panic"));
            return Ok(None);
        };
        let (outcome, file_hash) = match done {
            Ok(done) => done,
            Err(error) => {
                report.failed.push(FileProblem::new(&planned.place, format!("cannot be written: {error}")));
                return Ok(None);
            }
        };
        let wrote = matches!(outcome, Outcome::Created | Outcome::Updated);
        let holds = wrote || matches!(outcome, Outcome::Unchanged);
        self.standing.extend(holds.then_some(work.article.id));
        let result = if matches!(outcome, Outcome::Created) { "created" } else { "updated" };
        let file = ImportedFile { file: planned.place.clone(), slug: work.article.slug.clone(), result };
        report.files.extend(wrote.then_some(file));
        match outcome {
            Outcome::Created => report.created += 1,
            Outcome::Updated => report.updated += 1,
            Outcome::Unchanged => report.unchanged += 1,
            Outcome::Skipped => report.skipped += 1,
            Outcome::Exists => report.existing.push(planned.place.clone()),
        }
        let row = FileRecord {
            source_id: self.target,
            path: planned.place.clone(),
            article_id: work.article.id,
            file_hash,
            revision: work.article.revision,
            slug: work.article.slug,
            folder: work.article.folder,
            written: wrote || before.as_ref().map_or(self.is_ours, |before| before.written),
            present: before.as_ref().and_then(|before| before.present),
            present_slug: before.as_ref().and_then(|before| before.present_slug.clone()),
        };
        Ok(Some(row).filter(|row| holds && before.as_ref() != Some(row)))
    }

    /// Notes what was written. If it cannot be noted, the files are there all the same.
    async fn note(&mut self, noted: Vec<FileRecord>, report: &mut ExportReport) {
        if self.export.dry_run || noted.is_empty() {
            return;
        }
        let rows = noted.clone();
        let written = self
            .articles
            .database
            .write(async move |transaction| {
                for row in &rows {
                    source::record(transaction, row, true).await?;
                }
                Ok::<_, StoreError>(())
            })
            .await;
        if let Err(error) = written {
            let note = format!("the written files could not be recorded, so --prune will not know them: {error}");
            if !report.notes.contains(&note) {
                report.notes.push(note);
            }
        }
    }

    /// Removes, or names, files of articles that are gone or go elsewhere now.
    async fn tidy(&self, planned: &[PlannedFile], report: &mut ExportReport) {
        let Some(root) = &self.root else { return };
        let places: HashSet<&str> = planned.iter().map(|planned| planned.place.as_str()).collect();
        let within = |known: &FileRecord| Folder::of_place(known.folder.split('/')).is_within(&self.export.folder);
        let mut old: Vec<&FileRecord> =
            self.known.values().filter(|known| !places.contains(known.path.as_str())).collect();
        // A table belongs to its owner, although its article is written elsewhere.
        old.retain(|known| walk::is_markdown(&known.path));
        old.retain(|known| {
            within(known) && (known.written && known.present.is_none() || self.standing.contains(&known.article_id))
        });
        old.sort_by(|a, b| a.path.cmp(&b.path));
        for known in old {
            match root.read(&known.path, COMPARED) {
                Ok(bytes) if hash(&bytes) == known.file_hash => {}
                Ok(_) => {
                    report.stale.push(saved_since(known));
                    continue;
                }
                Err(_) => continue,
            }
            if !self.export.prune {
                report.stale.push(known.path.clone());
            } else if self.export.dry_run {
                report.removed.push(known.path.clone());
            } else {
                match taken(root, known).await {
                    Ok(true) => self.forget(known, report).await,
                    Ok(false) => report.stale.push(saved_since(known)),
                    Err(error) => {
                        report.failed.push(FileProblem::new(&known.path, format!("cannot be removed: {error}")))
                    }
                }
            }
        }
    }

    async fn forget(&self, known: &FileRecord, report: &mut ExportReport) {
        report.removed.push(known.path.clone());
        let (id, path) = (known.source_id, known.path.clone());
        let forgotten: Result<(), StoreError> =
            self.articles.database.write(async move |transaction| source::forget(transaction, id, &path).await).await;
        if let Err(error) = forgotten {
            report.notes.push(format!("{} was removed, but this could not be recorded: {error}", known.path));
        }
    }
}

/// Takes a file away; answers whether it still held what was written.
async fn taken(root: &Arc<Root>, known: &FileRecord) -> io::Result<bool> {
    let (root, path, hash) = (Arc::clone(root), known.path.clone(), known.file_hash.clone());
    tokio::task::spawn_blocking(move || root.taken(&path, &hash)).await.map_err(io::Error::other)?
}

fn saved_since(known: &FileRecord) -> String {
    format!("{} (changed since it was written, and left)", known.path)
}

/// Gives back what was written to files after an earlier export had replaced them.
async fn gives_back(root: &Arc<Root>, report: &mut ExportReport) {
    let root = Arc::clone(root);
    let late = tokio::task::spawn_blocking(move || root.late(&mut UntouchedBackups::default())).await;
    match late.map_err(io::Error::other).flatten() {
        Ok(late) => report.notes.extend(late.into_iter().map(|LateWrite { file, copy }| {
            format!("{file} was saved while an earlier export replaced it: what was saved is {copy}")
        })),
        Err(error) => report.notes.push(format!("files that were replaced earlier cannot be looked at: {error}")),
    }
}

/// The source that is written to, made if there is none.
async fn target(articles: &Articles, export: &Export, root: Option<&Root>) -> Result<i64, StoreError> {
    let Some(root) = root else { return Ok(0) };
    let reader = articles.database.reader();
    let (machine, place) = (resolve::machine(reader), root.place().to_string_lossy().into_owned());
    let same = |source: &Source| {
        source.name.is_none() && source.machine == machine && source.root == place && source.folder.is_empty()
    };
    if let Some(found) = source::all(reader).await?.iter().find(|source| same(source)) {
        return Ok(found.id);
    }
    if export.dry_run {
        return Ok(0);
    }
    articles.database.write(async move |transaction| source::add(transaction, None, &machine, &place, "").await).await
}
