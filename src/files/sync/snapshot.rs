//! A look at both sides, before anything is planned.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io,
    sync::Arc,
};

use afterword_actors::store::{
    StoreError,
    sql::{self, Sql},
};

use super::{
    super::{
        export_plan::ExportedArticle,
        import::{
            Import,
            run::{ImportRun, Times},
        },
        layouts::{self, Layout, Reading},
        naming::naming,
        plan::ImportFacts,
        report::{FileProblem, LeftOut},
        resolve::{self, ResolvedFolder},
        root::{Root, Stamp},
        scan::ScannedFile,
        source::{self, FileRecord, Occupant, Source, resting},
        walk,
    },
    aside::{self, SkippedPlaces, UnseenPlaces},
    disk::blocking,
    dry_run::Text,
    error::{KeptFolder, SyncError},
    kept,
    memory::Memory,
    report::SyncRequest,
    rest::{self, RestPartition, RestingPairs},
    similar::similar,
};
use crate::articles::{
    Articles,
    folder::{Folder, within},
};
use crate::files::OnConflict;

/// Both sides, and what they were when they last agreed.
pub(super) struct SyncSnapshot {
    /// Of the folder; 0 if there is none yet.
    pub(super) source: i64,
    /// The folder of articles.
    pub(super) above: Folder,
    pub(super) sources: HashMap<i64, Source>,
    /// What rests: all that follows is about the others.
    pub(super) rest: RestingPairs,
    pub(super) files: Vec<ScannedFile>,
    /// What is known of this folder, and everything that decides what becomes of a file.
    pub(super) facts: ImportFacts,
    /// Places that hold something that is no note, cannot be read, or stays out now.
    pub(super) aside: HashSet<String>,
    /// Places of known files at which there is nothing.
    pub(super) gone: HashSet<String>,
    /// The articles that are kept in step, by their numbers.
    pub(super) listed: BTreeMap<i64, ExportedArticle>,
    /// Files of other folders, by their articles.
    pub(super) elsewhere: HashMap<i64, Vec<FileRecord>>,
    pub(super) naming: HashSet<i64>,
    /// Former slugs, by article.
    pub(super) former: HashMap<i64, Vec<String>>,
    /// What is wrong with files.
    pub(super) failed: Vec<FileProblem>,
    /// What articles would say, in a dry run.
    pub(super) texts: HashMap<i64, Text>,
    /// What there is to know about a folder that has not been kept in step before.
    pub(super) note: Option<String>,
}

impl SyncSnapshot {
    /// Whether the article says something else than when it and its file agreed.
    pub(super) fn is_edited(&self, record: &FileRecord) -> bool {
        record.present != Some(record.revision) && !self.facts.unedited.contains(&record.article_id)
    }

    /// Whether the file was ever one that its owner made, here or elsewhere.
    pub(super) fn came_from_file(&self, article: i64, here: Option<&FileRecord>) -> bool {
        here.is_some_and(|record| !record.written)
            || self.elsewhere.get(&article).is_some_and(|files| files.iter().any(|file| !file.written))
    }
}

/// What the walk found.
struct WalkResult {
    there: Vec<(String, Option<Stamp>)>,
    left_out: Vec<LeftOut>,
    failed: Vec<FileProblem>,
}

/// Looks at the files and at the articles. `earlier` is the number that the folder had at the last look.
pub(super) async fn look(
    articles: &Articles,
    request: &SyncRequest,
    root: &Arc<Root>,
    memory: &mut Memory,
    earlier: Option<i64>,
) -> Result<SyncSnapshot, SyncError> {
    let reader = articles.database.reader();
    let FolderIdentity { own, source, is_kept } = identify(articles, request, root, earlier).await?;
    let WalkResult { there, left_out, mut failed } = walk_folder(request, root).await?;
    let note = if is_kept { None } else { told_of_layout(&there, &left_out) };
    let RestPartition { rest, records, unchanged, files } = rest::part(reader, own, &request.folder, there).await?;
    let (files, unread) = read_files(articles, request, root, memory, files).await?;
    failed.extend(unread);
    if !request.dry_run {
        rest::note(articles, source, &files, &records, &unchanged, memory).await?;
    }
    let passed = SkippedPlaces::new(left_out, &failed);
    let mut aside: HashSet<String> = passed.places().collect();
    let import = importing(request);
    let run = incoming(articles, &import, root, source);
    let present = files.iter().map(|file| file.file.clone()).chain(aside.iter().cloned()).collect();
    let mut facts = ImportFacts { present, ..ImportFacts::default() };
    run.learn(&mut facts, ResolvedFolder { records, ..ResolvedFolder::default() }, &files).await?;
    let UnseenPlaces { gone, there } = aside::find_unseen(root, &facts, &files, &passed, &mut failed).await?;
    aside.extend(there);
    facts.similar = similar(articles, root, &files, &gone, &facts).await?;
    facts.present.extend(aside.iter().cloned());
    let listed = list_articles(articles, request, &rest).await?;
    facts.alike = alike(articles, &facts, &files, &listed).await?;
    mark_owned(&mut facts, &listed, &rest);
    let ids: HashSet<i64> =
        facts.records.values().map(|record| record.article_id).chain(listed.keys().copied()).collect();
    let ids: Vec<i64> = ids.into_iter().collect();
    Ok(SyncSnapshot {
        source,
        above: request.folder.clone(),
        naming: naming_of(reader, &facts).await?,
        elsewhere: files_elsewhere(reader, source, &ids).await?,
        sources: source::all(reader).await?.into_iter().map(|source| (source.id, source)).collect(),
        former: former(articles, &ids).await?,
        files,
        facts,
        aside,
        gone,
        rest,
        listed,
        failed,
        texts: HashMap::new(),
        note,
    })
}

/// Which folder it is, as far as the database knows it.
struct FolderIdentity {
    /// The folder that was known here before this look.
    own: Option<i64>,
    /// Its number now; 0 if there is none yet.
    source: i64,
    /// Whether it was kept in step before this look.
    is_kept: bool,
}

/// Finds the folder, or begins to keep it in step.
async fn identify(
    articles: &Articles,
    request: &SyncRequest,
    root: &Arc<Root>,
    earlier: Option<i64>,
) -> Result<FolderIdentity, SyncError> {
    let reader = articles.database.reader();
    let all = source::all(reader).await?;
    let machine = resolve::machine(reader);
    kept::look_around(&all, &machine, root.place(), request.folder.as_ref())?;
    let own = resolve::own(&all, &machine, root.place(), &request.folder);
    let is_kept = own.is_some_and(|id| all.iter().any(|source| source.id == id && source.kept));
    let source = match own {
        Some(id) if is_kept => id,
        own if request.dry_run => own.unwrap_or_default(),
        // Begun anew, it would be another folder, and each text that differs would be kept twice.
        Some(_) | None => match earlier {
            Some(earlier) => return Err(lost(&all, earlier, request, root)),
            None => kept::keep(articles, root.place(), &request.folder).await?,
        },
    };
    Ok(FolderIdentity { own, source, is_kept })
}

/// Articles that were renamed since their files were written and whose files may be named after them.
async fn naming_of(reader: &impl Sql, facts: &ImportFacts) -> Result<HashSet<i64>, StoreError> {
    let is_renamed = |record: &&FileRecord| record.present_slug.as_ref().is_some_and(|slug| *slug != record.slug);
    naming(reader, facts.records.values().filter(is_renamed).map(|record| record.article_id)).await
}

/// Files that these articles are in other folders, by their articles.
async fn files_elsewhere(
    reader: &impl Sql,
    source: i64,
    articles: &[i64],
) -> Result<HashMap<i64, Vec<FileRecord>>, StoreError> {
    let mut elsewhere: HashMap<i64, Vec<FileRecord>> = HashMap::new();
    for record in resting::elsewhere(reader, source, articles).await? {
        elsewhere.entry(record.article_id).or_default().push(record);
    }
    Ok(elsewhere)
}

/// Why the folder is not the one that had the number `earlier` at the last look. As long as that one is kept in step,
/// nobody has forgotten it, and it may be here again at the next look.
fn lost(all: &[Source], earlier: i64, request: &SyncRequest, root: &Root) -> SyncError {
    let Some(kept) = all.iter().find(|source| source.id == earlier && source.kept) else {
        return SyncError::Forgotten(KeptFolder::of(request));
    };
    let why = format!(
        "it leads to {} now, and what is kept in step under this name is {}; lead it there again, or, to keep the other folder \
         in step as a new one, end this and begin anew",
        root.place().display(),
        kept.root
    );
    SyncError::Folder { path: request.directory.clone(), source: io::Error::other(why) }
}

/// Returns a note about a folder that an import would read in the layout of another program; `None` if it is a plain
/// one.
fn told_of_layout(there: &[(String, Option<Stamp>)], left_out: &[LeftOut]) -> Option<String> {
    let files: Vec<String> = there.iter().map(|(file, _)| file.clone()).collect();
    let others = left_out.iter().map(|left| left.path.as_str()).collect();
    let layout = layouts::recognise(&files, &others).in_words()?;
    Some(format!(
        "the folder is {layout}, and each file is read as it stands: properties are text; a file that was imported stays as it \
         was read then until it is changed"
    ))
}

/// Only an article that is kept in step and has no file here may be a file's.
pub(super) fn mark_owned(facts: &mut ImportFacts, listed: &BTreeMap<i64, ExportedArticle>, rest: &RestingPairs) {
    let paired: HashSet<i64> = facts.records.values().map(|record| record.article_id).collect();
    for occupant in facts.occupants.values_mut().chain(&mut facts.alike) {
        let has_file = paired.contains(&occupant.id) || rest.has(occupant.id);
        occupant.from_file = has_file || !listed.contains_key(&occupant.id);
    }
}

/// Articles without a file here that say what new files say.
async fn alike(
    articles: &Articles,
    facts: &ImportFacts,
    files: &[ScannedFile],
    listed: &BTreeMap<i64, ExportedArticle>,
) -> Result<Vec<Occupant>, StoreError> {
    let new = files.iter().filter(|file| !facts.records.contains_key(&file.file));
    let hashes: HashSet<&str> = new.map(|file| file.content_hash.as_str()).collect();
    let paired: HashSet<i64> = facts.records.values().map(|record| record.article_id).collect();
    let alone: Vec<i64> = listed.keys().filter(|id| !paired.contains(id)).copied().collect();
    if hashes.is_empty() || alone.is_empty() {
        return Ok(Vec::new());
    }
    source::alike(articles.database.reader(), &alone, &hashes.into_iter().collect::<Vec<_>>()).await
}

/// What an import is told that is a part of this.
pub(super) fn importing(request: &SyncRequest) -> Import {
    Import {
        directory: request.directory.clone(),
        folder: request.folder.clone(),
        source: None,
        on_conflict: OnConflict::Fail,
        // Files are to stay as they are.
        layout: Some(Layout::Plain),
        dry_run: request.dry_run,
    }
}

/// The import that is a part of this.
pub(super) fn incoming<'a>(articles: &'a Articles, import: &'a Import, root: &Arc<Root>, source: i64) -> ImportRun<'a> {
    let (root, prefix, reading) = (Arc::clone(root), String::new(), Arc::new(Reading::default()));
    ImportRun { articles, import, root, source, prefix, reading, times: Times::OfChanges }
}

async fn walk_folder(request: &SyncRequest, root: &Arc<Root>) -> Result<WalkResult, StoreError> {
    let (root, dry_run) = (Arc::clone(root), request.dry_run);
    blocking(move || {
        let walked = walk::walk(&root);
        if !dry_run {
            walked.left_out.iter().for_each(|left_out| root.clear(&left_out.path));
        }
        WalkResult { there: root.stamps(walked.files), left_out: walked.left_out, failed: walked.failed }
    })
    .await
}

async fn read_files(
    articles: &Articles,
    request: &SyncRequest,
    root: &Arc<Root>,
    memory: &mut Memory,
    files: Vec<(String, Option<Stamp>)>,
) -> Result<(Vec<ScannedFile>, Vec<FileProblem>), StoreError> {
    let (root, above, limits) = (Arc::clone(root), request.folder.clone(), articles.limits);
    let mut remembered = std::mem::take(memory);
    let (read, remembered) = blocking(move || {
        let read = remembered.scan(&root, &files, &above, limits);
        (read, remembered)
    })
    .await?;
    *memory = remembered;
    Ok(read)
}

/// The articles that are kept in step and do not rest.
async fn list_articles(
    articles: &Articles,
    request: &SyncRequest,
    rest: &RestingPairs,
) -> Result<BTreeMap<i64, ExportedArticle>, StoreError> {
    /// Articles read at a time.
    const ARTICLES_PER_READ: i64 = 5000;
    let sql = format!(
        "SELECT id, slug, folder FROM articles WHERE id > $2 AND {} ORDER BY id LIMIT {ARTICLES_PER_READ}",
        within("folder", "$1")
    );
    let (mut listed, mut last) = (BTreeMap::new(), 0);
    loop {
        let page = [request.folder.as_ref().into(), last.into()];
        let page: Vec<ExportedArticle> = articles.database.reader().rows(&sql, page).await?;
        let Some(end) = page.last() else { return Ok(listed) };
        last = end.id;
        listed.extend(page.into_iter().filter(|article| !rest.has(article.id)).map(|article| (article.id, article)));
    }
}

async fn former(articles: &Articles, ids: &[i64]) -> Result<HashMap<i64, Vec<String>>, StoreError> {
    let sql = "SELECT s.slug, s.article_id FROM {ids $1} j CROSS JOIN slug_aliases s WHERE s.article_id = j.id
               ORDER BY s.created_at, s.slug";
    let ids = sql::json(ids)?;
    let mut former: HashMap<i64, Vec<String>> = HashMap::new();
    for (slug, article) in articles.database.reader().rows::<(String, i64)>(sql, [ids]).await? {
        former.entry(article).or_default().push(slug);
    }
    Ok(former)
}
