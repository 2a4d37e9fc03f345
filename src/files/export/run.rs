//! One export: what is known when it plans, and carrying the plan out.

use std::{
    collections::{HashMap, HashSet},
    io,
    sync::Arc,
};

use afterword_actors::store::{StoreError, sql::Sql};

use super::{
    super::{
        export_plan::{self, ExportFacts, ExportedArticle, PlaceSet, PlannedFile},
        hash,
        naming::naming,
        report::{FileProblem, ImportedFile},
        resolve,
        root::Root,
        source::{self, FileRecord, Source},
        walk,
    },
    report::{ExportError, ExportReport},
    request::Export,
    work::{MAX_COMPARED_BYTES, Work, WriteOutcome},
};
use crate::articles::{
    Article, Articles,
    folder::{Folder, within},
    row,
};

/// One export.
pub(super) struct ExportRun<'a> {
    articles: &'a Articles,
    export: &'a Export,
    root: Option<Arc<Root>>,
    /// The source that is written to; 0 if there is none yet.
    target: i64,
    sources: HashMap<i64, Source>,
    /// By article.
    files: HashMap<i64, Vec<FileRecord>>,
    /// Files of the target, by their places.
    records: HashMap<String, FileRecord>,
    /// Whether nothing was ever imported from there.
    is_ours: bool,
    /// Former slugs, by article.
    former: HashMap<i64, Vec<String>>,
    /// Articles whose new files hold them: only their earlier ones may go.
    articles_with_files: HashSet<i64>,
}

impl<'a> ExportRun<'a> {
    pub(super) async fn prepare(
        articles: &'a Articles,
        export: &'a Export,
        root: Option<Arc<Root>>,
    ) -> Result<Self, ExportError> {
        let reader = articles.database.reader();
        let target = target(articles, export, root.as_deref()).await?;
        let sources = source::all(reader).await?.into_iter().map(|source| (source.id, source)).collect();
        let (mut files, mut records): (HashMap<i64, Vec<FileRecord>>, HashMap<_, _>) = Default::default();
        for file in source::all_files(reader).await? {
            if file.source_id == target {
                records.insert(file.path.clone(), file.clone());
            }
            files.entry(file.article_id).or_default().push(file);
        }
        let mut former: HashMap<i64, Vec<String>> = HashMap::new();
        let aliases = "SELECT slug, article_id FROM slug_aliases ORDER BY created_at, slug";
        for (slug, article) in reader.rows::<(String, i64)>(aliases, []).await? {
            former.entry(article).or_default().push(slug);
        }
        let is_ours = records.values().all(|record| record.written);
        Ok(Self {
            articles,
            export,
            root,
            target,
            sources,
            files,
            records,
            is_ours,
            former,
            articles_with_files: HashSet::new(),
        })
    }

    pub(super) async fn plan(&self) -> Result<Vec<PlannedFile>, StoreError> {
        let reader = self.articles.database.reader();
        let listed: Vec<ExportedArticle> = reader
            .rows(
                &format!("SELECT id, slug, folder FROM articles WHERE {} ORDER BY slug", within("folder", "$1")),
                [self.export.folder.as_ref().into()],
            )
            .await?;
        let (files, sources) = (&self.files, &self.sources);
        let target = Some(self.target).filter(|target| *target != 0);
        let (above, occupied, resting) = (&Folder::default(), &HashSet::new(), &PlaceSet::default());
        let plain = ExportFacts { target, sources, files, naming: &HashSet::new(), above, occupied, resting };
        let is_renamed =
            |article: &&ExportedArticle| plain.before(article).is_some_and(|before| before.slug != article.slug);
        let naming = naming(reader, listed.iter().filter(is_renamed).map(|article| article.id)).await?;
        Ok(export_plan::plan(&listed, &ExportFacts { naming: &naming, ..plain }))
    }

    /// Writes one article; answers what to note of its file.
    pub(super) async fn write(
        &mut self,
        planned: &PlannedFile,
        report: &mut ExportReport,
    ) -> Result<Option<FileRecord>, StoreError> {
        // Deleted since the plan was made.
        let Some(article) = row::by_id(self.articles.database.reader(), planned.id).await? else { return Ok(None) };
        let article = Article::from(article);
        let came_from_file = self.files.get(&article.id).is_some_and(|files| files.iter().any(|file| !file.written));
        let here = self.records.get(&planned.place).filter(|record| record.article_id == article.id);
        let record_of_text = here.or(planned.before.as_ref().filter(|record| record.source_id == self.target));
        let before = self.records.get(&planned.place).filter(|record| record.article_id == article.id).cloned();
        let work = Work {
            former_slugs: self.former.get(&article.id).cloned().unwrap_or_default(),
            record: self.records.get(&planned.place).cloned(),
            planned: planned.clone(),
            limits: self.articles.limits,
            on_conflict: self.export.on_conflict,
            dry_run: self.export.dry_run,
            held_at: record_of_text.map(|record| record.path.clone()),
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
        let wrote = matches!(outcome, WriteOutcome::Created | WriteOutcome::Updated);
        let holds = wrote || matches!(outcome, WriteOutcome::Unchanged);
        self.articles_with_files.extend(holds.then_some(work.article.id));
        let result = if matches!(outcome, WriteOutcome::Created) { "created" } else { "updated" };
        let file = ImportedFile { file: planned.place.clone(), slug: work.article.slug.clone(), result };
        report.files.extend(wrote.then_some(file));
        match outcome {
            WriteOutcome::Created => report.created += 1,
            WriteOutcome::Updated => report.updated += 1,
            WriteOutcome::Unchanged => report.unchanged += 1,
            WriteOutcome::Skipped => report.skipped += 1,
            WriteOutcome::Exists => report.existing.push(planned.place.clone()),
        }
        let row = FileRecord::without_article(self.target, planned.place.clone(), file_hash);
        let row = FileRecord {
            written: wrote || before.as_ref().map_or(self.is_ours, |before| before.written),
            present: before.as_ref().and_then(|before| before.present),
            present_slug: before.as_ref().and_then(|before| before.present_slug.clone()),
            ..row.with_article(&work.article)
        };
        Ok(Some(row).filter(|row| holds && before.as_ref() != Some(row)))
    }

    /// Notes what was written. If it cannot be noted, the files are there all the same.
    pub(super) async fn note(&mut self, noted: Vec<FileRecord>, report: &mut ExportReport) {
        if self.export.dry_run || noted.is_empty() {
            return;
        }
        let rows = noted.clone();
        let written = self
            .articles
            .database
            .write(async move |transaction| {
                for row in &rows {
                    source::record(transaction, row).await?;
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
    pub(super) async fn tidy(&self, planned: &[PlannedFile], report: &mut ExportReport) {
        let Some(root) = &self.root else { return };
        let places: HashSet<&str> = planned.iter().map(|planned| planned.place.as_str()).collect();
        let within = |record: &FileRecord| Folder::of_place(record.folder.split('/')).is_within(&self.export.folder);
        let mut old: Vec<&FileRecord> =
            self.records.values().filter(|record| !places.contains(record.path.as_str())).collect();
        // A table belongs to its owner, although its article is written elsewhere.
        old.retain(|record| walk::is_markdown(&record.path));
        old.retain(|record| {
            within(record)
                && (record.written && record.present.is_none() || self.articles_with_files.contains(&record.article_id))
        });
        old.sort_by(|a, b| a.path.cmp(&b.path));
        for record in old {
            match root.read(&record.path, MAX_COMPARED_BYTES) {
                Ok(bytes) if hash(&bytes) == record.file_hash => {}
                Ok(_) => {
                    report.stale.push(saved_since(record));
                    continue;
                }
                Err(_) => continue,
            }
            if !self.export.prune {
                report.stale.push(record.path.clone());
            } else if self.export.dry_run {
                report.removed.push(record.path.clone());
            } else {
                match take_away(root, record).await {
                    Ok(true) => self.forget(record, report).await,
                    Ok(false) => report.stale.push(saved_since(record)),
                    Err(error) => {
                        report.failed.push(FileProblem::new(&record.path, format!("cannot be removed: {error}")))
                    }
                }
            }
        }
    }

    async fn forget(&self, record: &FileRecord, report: &mut ExportReport) {
        report.removed.push(record.path.clone());
        let (id, path) = (record.source_id, record.path.clone());
        let forgotten: Result<(), StoreError> =
            self.articles.database.write(async move |transaction| source::forget(transaction, id, &path).await).await;
        if let Err(error) = forgotten {
            report.notes.push(format!("{} was removed, but this could not be recorded: {error}", record.path));
        }
    }
}

/// Takes a file away; answers whether it still held what was written.
async fn take_away(root: &Arc<Root>, record: &FileRecord) -> io::Result<bool> {
    let (root, path, hash) = (Arc::clone(root), record.path.clone(), record.file_hash.clone());
    tokio::task::spawn_blocking(move || root.take_away(&path, &hash)).await.map_err(io::Error::other)?
}

fn saved_since(record: &FileRecord) -> String {
    format!("{} (changed since it was written, and left)", record.path)
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
