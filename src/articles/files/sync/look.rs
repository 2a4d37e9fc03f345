//! A look at both sides, before anything is planned.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use afterword_actors::store::{StoreError, sql::Sql};

use super::{
    super::{
        export_plan::Listed,
        import::{
            Import,
            run::{Run, Times},
        },
        naming::naming,
        plan::Facts,
        report::FileProblem,
        resolve::{self, Asked},
        root::Root,
        scan::Scanned,
        source::{self, Known, Source},
        walk,
    },
    aside::{self, Passed, Unseen},
    disk::blocking,
    error::SyncError,
    foreseen::Text,
    kept,
    memory::Memory,
    report::Sync,
    similar::similar,
};
use crate::articles::{
    Articles,
    files::OnConflict,
    folder::{Folder, within},
};

/// Both sides, and what they were when they last agreed.
pub(super) struct Looked {
    /// Of the folder; 0 if there is none yet.
    pub(super) source: i64,
    /// The folder of articles.
    pub(super) above: Folder,
    pub(super) sources: HashMap<i64, Source>,
    pub(super) files: Vec<Scanned>,
    /// What is known of this folder, and everything that decides what becomes of a file.
    pub(super) facts: Facts,
    /// Places that hold something that is no note, cannot be read, or stays out now.
    pub(super) aside: HashSet<String>,
    /// Places of known files at which there is nothing.
    pub(super) gone: HashSet<String>,
    /// The articles that are kept in step, by their numbers.
    pub(super) listed: BTreeMap<i64, Listed>,
    /// Files of other folders, by their articles.
    pub(super) elsewhere: HashMap<i64, Vec<Known>>,
    pub(super) naming: HashSet<i64>,
    /// Former slugs, by article.
    pub(super) former: HashMap<i64, Vec<String>>,
    /// What is wrong with files.
    pub(super) failed: Vec<FileProblem>,
    /// What articles would say, in a dry run.
    pub(super) texts: HashMap<i64, Text>,
}

impl Looked {
    /// Whether the article says something else than when it and its file agreed.
    pub(super) fn is_edited(&self, known: &Known) -> bool {
        known.present != Some(known.revision) && !self.facts.unedited.contains(&known.article_id)
    }

    /// Whether the file was ever one that its owner made, here or elsewhere.
    pub(super) fn came_from_file(&self, article: i64, here: Option<&Known>) -> bool {
        here.is_some_and(|known| !known.written)
            || self.elsewhere.get(&article).is_some_and(|files| files.iter().any(|file| !file.written))
    }
}

/// What the walk found.
struct Seen {
    files: Vec<Scanned>,
    passed: Passed,
    failed: Vec<FileProblem>,
}

/// Looks at the files and at the articles.
pub(super) async fn look(
    articles: &Articles,
    asked: &Sync,
    root: &Arc<Root>,
    memory: &mut Memory,
) -> Result<Looked, SyncError> {
    let reader = articles.database.reader();
    let Seen { files, passed, mut failed } = seen(articles, asked, root, memory).await?;
    let place = Asked { root: root.place(), above: &asked.folder, name: None };
    let resolved = resolve::own(reader, &place).await?;
    let all = source::all(reader).await?;
    kept::look_around(&all, &resolve::machine(reader), root.place(), asked.folder.as_ref())?;
    let is_kept = |id: &i64| all.iter().any(|source| source.id == *id && source.kept);
    let mut aside: HashSet<String> = passed.places().collect();
    let source = match resolved.source {
        Some(id) if is_kept(&id) => id,
        own if asked.dry_run => own.unwrap_or_default(),
        Some(_) | None => kept::keep(articles, root.place(), &asked.folder).await?,
    };
    let import = importing(asked);
    let run = incoming(articles, &import, root, source);
    let present = files.iter().map(|file| file.file.clone()).chain(aside.iter().cloned()).collect();
    let mut facts = Facts { present, ..Facts::default() };
    run.learn(&mut facts, resolved, &files).await?;
    let Unseen { gone, there } = aside::unseen(root, &facts, &passed, &mut failed).await?;
    aside.extend(there);
    facts.similar = similar(articles, root, &files, &gone, &facts).await?;
    facts.present.extend(aside.iter().cloned());
    let listed = listed(articles, asked).await?;
    owned(&mut facts, &listed);
    let renamed =
        facts.known.values().filter(|known| known.present_slug.as_ref().is_some_and(|slug| *slug != known.slug));
    let naming = naming(reader, renamed.map(|known| known.article_id)).await?;
    let mut elsewhere: HashMap<i64, Vec<Known>> = HashMap::new();
    for known in source::all_files(reader).await?.into_iter().filter(|known| known.source_id != source) {
        elsewhere.entry(known.article_id).or_default().push(known);
    }
    let sources = source::all(reader).await?.into_iter().map(|source| (source.id, source)).collect();
    let former = former(articles).await?;
    let above = asked.folder.clone();
    let texts = HashMap::new();
    Ok(Looked { source, above, sources, files, facts, aside, gone, listed, elsewhere, naming, former, failed, texts })
}

/// Only an article that is kept in step and has no file here may be a file's.
pub(super) fn owned(facts: &mut Facts, listed: &BTreeMap<i64, Listed>) {
    let paired: HashSet<i64> = facts.known.values().map(|known| known.article_id).collect();
    for occupant in facts.occupants.values_mut() {
        occupant.from_file = paired.contains(&occupant.id) || !listed.contains_key(&occupant.id);
    }
}

/// What an import is told that is a part of this.
pub(super) fn importing(asked: &Sync) -> Import {
    Import {
        directory: asked.directory.clone(),
        folder: asked.folder.clone(),
        source: None,
        on_conflict: OnConflict::Fail,
        dry_run: asked.dry_run,
    }
}

/// The import that is a part of this.
pub(super) fn incoming<'a>(articles: &'a Articles, import: &'a Import, root: &Arc<Root>, source: i64) -> Run<'a> {
    Run { articles, import, root: Arc::clone(root), source, prefix: String::new(), times: Times::OfChanges }
}

async fn seen(articles: &Articles, asked: &Sync, root: &Arc<Root>, memory: &mut Memory) -> Result<Seen, StoreError> {
    let (root, above, limits, dry_run) = (Arc::clone(root), asked.folder.clone(), articles.limits, asked.dry_run);
    let mut remembered = std::mem::take(memory);
    let (seen, remembered) = blocking(move || {
        let walked = walk::walk(&root);
        let (files, mut failed) = remembered.scan(&root, &walked.files, &above, limits);
        if !dry_run {
            walked.left_out.iter().for_each(|left_out| root.clear(&left_out.path));
        }
        failed.extend(walked.failed);
        (Seen { files, passed: Passed::new(walked.left_out, &failed), failed }, remembered)
    })
    .await?;
    *memory = remembered;
    Ok(seen)
}

async fn listed(articles: &Articles, asked: &Sync) -> Result<BTreeMap<i64, Listed>, StoreError> {
    let sql = format!("SELECT id, slug, folder FROM articles WHERE {}", within("folder", "$1"));
    let rows: Vec<Listed> = articles.database.reader().rows(&sql, [asked.folder.as_ref().into()]).await?;
    Ok(rows.into_iter().map(|article| (article.id, article)).collect())
}

async fn former(articles: &Articles) -> Result<HashMap<i64, Vec<String>>, StoreError> {
    let sql = "SELECT slug, article_id FROM slug_aliases ORDER BY created_at, slug";
    let mut former: HashMap<i64, Vec<String>> = HashMap::new();
    for (slug, article) in articles.database.reader().rows::<(String, i64)>(sql, []).await? {
        former.entry(article).or_default().push(slug);
    }
    Ok(former)
}
