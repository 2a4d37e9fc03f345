//! Which source a folder is: one that was imported from the same place, a part of it or around it, or one that has been
//! moved or copied.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::LazyLock,
};

use afterword_actors::{
    hostname,
    store::{Engine, StoreError, sql::Sql},
};

use super::{
    place,
    scan::ScannedFile,
    source::{self, FileRecord, Source},
};
use crate::articles::folder::Folder;

/// Of so many files in a hundred that are the same, place and bytes, it follows that the folder is the same.
const SAME_FILES_PERCENT: usize = 80;

/// What is known of a folder.
#[derive(Debug, Default)]
pub(super) struct ResolvedFolder {
    /// The source; `None` if it is new.
    pub(super) source: Option<i64>,
    /// Where the folder lies in its source.
    pub(super) prefix: String,
    /// Its files, by their places in the folder.
    pub(super) records: HashMap<String, FileRecord>,
    /// The source is somewhere else, where it still is: the files are a copy.
    pub(super) is_copy: bool,
    /// A folder that is kept in step, of which this one is a copy that has no source yet.
    pub(super) copy_of: Option<CopyOf>,
    /// Sources inside the folder, and where: their files are this folder's, too.
    pub(super) inside: Vec<(i64, String)>,
    /// The source was somewhere else, and is here now.
    pub(super) was_moved: bool,
    pub(super) note: Option<String>,
}

/// Files (place and hash) that are a copy of a folder that is kept in step. What is noted of that folder's own files is
/// never changed for them: its next run would take that for a change of those.
#[derive(Debug, Clone)]
pub(super) struct CopyOf {
    pub(super) kept: i64,
    pub(super) files: Vec<(String, String)>,
}

/// The folder that is asked about.
pub(super) struct FolderQuery<'a> {
    pub(super) root: &'a Path,
    pub(super) above: &'a Folder,
    /// Given by a person.
    pub(super) name: Option<&'a str>,
}

/// Finds the source of a folder, from its place, else from what is in it.
pub(super) async fn resolve(
    connection: &impl Sql,
    query: &FolderQuery<'_>,
    files: &[ScannedFile],
) -> Result<ResolvedFolder, StoreError> {
    let sources = source::all(connection).await?;
    if let Some(name) = query.name {
        let found = sources.iter().find(|source| source.name.as_deref() == Some(name));
        return match found {
            Some(found) => of_one(connection, found.id).await,
            None => Ok(ResolvedFolder::default()),
        };
    }
    let machine = machine(connection);
    let near = nearby(&sources, &machine, query);
    match near.is_empty() {
        true => by_content(connection, query, files, &sources, &machine).await,
        false => by_place(connection, &near).await,
    }
}

/// The source that is this very folder, by its place alone: what two copies of a folder last agreed on with the
/// articles is not the same, and the changes of one would be taken back by the other.
pub(super) fn own(sources: &[Source], machine: &str, place: &Path, above: &Folder) -> Option<i64> {
    let place = place.to_string_lossy();
    let is_own = |source: &&Source| {
        let is_here = source.machine == machine && source.root == place;
        source.name.is_none() && is_here && source.folder == above.as_ref()
    };
    sources.iter().find(is_own).map(|own| own.id)
}

/// Where the folder lies in its source; empty if it is the source.
pub(super) async fn prefix(connection: &impl Sql, query: &FolderQuery<'_>) -> Result<String, StoreError> {
    if query.name.is_some() {
        return Ok(String::new());
    }
    let near = nearby(&source::all(connection).await?, &machine(connection), query);
    Ok(target(&near).map(|near| near.prefix.clone()).unwrap_or_default())
}

/// A new file belongs to the source of this very folder, else to the nearest one around it.
fn target(near: &[NearbySource]) -> Option<&NearbySource> {
    near.iter().find(|near| near.rank != Rank::Inside)
}

/// The sources at, around and inside the folder; whose word counts first is first.
fn nearby(sources: &[Source], machine: &str, query: &FolderQuery<'_>) -> Vec<NearbySource> {
    let ours = sources.iter().filter(|source| source.machine == machine && source.folder == query.above.as_ref());
    let mut near: Vec<NearbySource> = ours.filter_map(|source| near(source, query.root)).collect();
    near.sort_by_key(|near| (near.rank, near.offset.len(), near.id));
    if near.iter().any(|near| near.in_use && matches!(near.rank, Rank::Around(_))) {
        // The files of others were taken over by the folder around them.
        near.retain(|near| near.in_use || !matches!(near.rank, Rank::Same | Rank::Around(_)));
    }
    near
}

/// A source that has files in the folder.
struct NearbySource {
    id: i64,
    rank: Rank,
    /// Where the folder lies in the source.
    prefix: String,
    /// Where the source lies in the folder.
    offset: String,
    in_use: bool,
}

/// Whose word counts first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// The same folder.
    Same,
    /// The same folder, imported under a name.
    Named,
    /// A folder around it; the number grows with the distance.
    Around(usize),
    Inside,
}

fn near(source: &Source, root: &Path) -> Option<NearbySource> {
    let place = Path::new(&source.root);
    let near = |rank, prefix, offset| Some(NearbySource { id: source.id, rank, prefix, offset, in_use: source.in_use });
    match (place::below(root, place), place::below(place, root)) {
        (Some(prefix), Some(_)) => {
            near(source.name.as_ref().map_or(Rank::Same, |_| Rank::Named), prefix, String::new())
        }
        (Some(_) | None, _) if source.name.is_some() => None,
        (Some(prefix), None) => near(Rank::Around(prefix.len()), prefix, String::new()),
        (None, Some(offset)) => near(Rank::Inside, String::new(), offset),
        (None, None) => None,
    }
}

/// The files of the sources at and around the folder; what comes first has the last word.
async fn by_place(connection: &impl Sql, near: &[NearbySource]) -> Result<ResolvedFolder, StoreError> {
    let target = target(near).map(|target| (target.id, target.prefix.clone()));
    let (source, prefix) = target.map_or((None, String::new()), |(id, prefix)| (Some(id), prefix));
    let mut resolved = ResolvedFolder { source, prefix, ..ResolvedFolder::default() };
    for NearbySource { id, rank, prefix, offset, in_use: _ } in near {
        if *rank == Rank::Inside {
            resolved.inside.push((*id, offset.clone()));
        }
        let start = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        for record in source::files(connection, *id, &start).await? {
            let file = place::join(offset, &record.path[start.len()..]);
            resolved.records.entry(file).or_insert(record);
        }
    }
    Ok(resolved)
}

/// The files of one source, whose place says nothing.
async fn of_one(connection: &impl Sql, id: i64) -> Result<ResolvedFolder, StoreError> {
    let near = NearbySource { id, rank: Rank::Same, prefix: String::new(), offset: String::new(), in_use: true };
    by_place(connection, &[near]).await
}

/// A folder at a place that nothing is known of: perhaps it was elsewhere before.
async fn by_content(
    connection: &impl Sql,
    query: &FolderQuery<'_>,
    files: &[ScannedFile],
    sources: &[Source],
    machine: &str,
) -> Result<ResolvedFolder, StoreError> {
    let places: Vec<_> = files.iter().map(|file| (file.file.as_str(), file.hash.as_str())).collect();
    let alike = source::most_alike(connection, query.above.as_ref(), &places).await?;
    let Some((id, _)) = alike.filter(|(_, same)| same * 100 >= files.len() * SAME_FILES_PERCENT) else {
        return Ok(ResolvedFolder::default());
    };
    let Some(found) = sources.iter().find(|source| source.id == id) else { return Ok(ResolvedFolder::default()) };
    let mut resolved = of_one(connection, id).await?;
    let is_there = found.machine == machine && Path::new(&found.root).is_dir();
    let verb = if is_there { "are a copy of those in" } else { "were imported before from" };
    resolved.note = Some(format!(
        "the files {verb} {}, and are taken for the same; `--source NAME` imports them as others",
        found.root
    ));
    if found.kept {
        let files: Vec<_> = files.iter().map(|file| (file.file.clone(), file.hash.clone())).collect();
        return Ok(resolved.beside(CopyOf { kept: id, files }));
    }
    (resolved.is_copy, resolved.was_moved) = (is_there, !is_there);
    Ok(resolved)
}

impl ResolvedFolder {
    /// The same of a folder that is to have a source of its own. What it has no file of is none of it.
    fn beside(self, copy_of: CopyOf) -> Self {
        let is_here: HashSet<&str> = copy_of.files.iter().map(|(file, _)| file.as_str()).collect();
        let records = self.records.into_iter().filter(|(file, _)| is_here.contains(file.as_str())).collect();
        Self { source: None, records, is_copy: true, copy_of: Some(copy_of), note: self.note, ..Self::default() }
    }
}

/// The name of this computer, if the database can be reached from others. One that is given while the program runs
/// counts at its next start: a folder is not another one for it.
pub(super) fn machine(connection: &impl Sql) -> String {
    static HOSTNAME: LazyLock<String> = LazyLock::new(hostname);
    match connection.engine() {
        Engine::Sqlite => String::new(),
        Engine::Postgres => HOSTNAME.clone(),
    }
}
