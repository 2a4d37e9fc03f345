//! Which folders are kept in step, so that no two of them are in each other's way.
//!
//! A folder within another one, or one that is kept in step with two folders of articles, would have each of its files
//! taken for two articles, and each of those written as a file again.

use std::path::{Component, Path, PathBuf};

use afterword_actors::store::{StoreError, Transaction};

use super::{
    super::{
        place,
        resolve::machine,
        source::{self, Source},
    },
    error::{KeptFolder, SyncError},
    report::SyncRequest,
};
use crate::articles::{Articles, folder::Folder};

/// Forgets a folder that is not to be kept in step any more, whether it is there or not. Files and articles stay as
/// they are.
///
/// # Errors
/// [`SyncError::NotKept`] if it was not kept in step, else [`SyncError::Store`].
pub async fn forget(articles: &Articles, request: &SyncRequest) -> Result<KeptFolder, SyncError> {
    let (directory, folder) = (whole(&request.directory), request.folder.to_string());
    let reader = articles.database.reader();
    let (machine, all) = (machine(reader), source::all(reader).await?);
    let wanted = KeptFolder { directory, folder };
    let kept = all.into_iter().filter(|source| source.kept && source.machine == machine);
    let kept: Vec<(i64, KeptFolder)> = kept.map(|source| (source.id, of(&source))).collect();
    let Some(id) = kept.iter().find(|(_, folder)| *folder == wanted).map(|(id, _)| *id) else {
        let kept = kept.into_iter().map(|(_, folder)| folder).collect();
        return Err(SyncError::NotKept { wanted, kept });
    };
    articles.database.write(async move |transaction| source::remove(transaction, id).await).await?;
    Ok(wanted)
}

/// The number of the folder, noted as one that is kept in step.
pub(super) async fn keep(articles: &Articles, place: &Path, folder: &Folder) -> Result<i64, SyncError> {
    let (place, folder) = (place.to_owned(), folder.to_string());
    articles
        .database
        .write(async move |transaction| {
            alone(transaction).await?;
            let machine = machine(transaction);
            look_around(&source::all(transaction).await?, &machine, &place, &folder)?;
            let id = source::add(transaction, None, &machine, &place.to_string_lossy(), &folder).await?;
            source::keep(transaction, id).await?;
            Ok::<_, SyncError>(id)
        })
        .await
}

/// Refuses a folder that overlaps one that is kept in step.
pub(super) fn look_around(sources: &[Source], machine: &str, place: &Path, folder: &str) -> Result<(), SyncError> {
    let is_itself = |other: &KeptFolder| other.directory == place && other.folder == folder;
    let overlaps = |other: &KeptFolder| {
        place::below(&other.directory, place).is_some() || place::below(place, &other.directory).is_some()
    };
    let kept = sources.iter().filter(|source| source.kept && source.machine == machine).map(of);
    let mut in_the_way = kept.filter(|other| !is_itself(other) && overlaps(other));
    match in_the_way.next() {
        None => Ok(()),
        Some(other) => {
            let wanted = KeptFolder { directory: place.to_owned(), folder: folder.to_owned() };
            Err(SyncError::Overlap { wanted, other })
        }
    }
}

/// Waits until no other process notes a folder.
async fn alone(transaction: &Transaction) -> Result<(), StoreError> {
    use afterword_actors::store::{Engine, sql::Sql};
    match transaction.engine() {
        Engine::Sqlite => Ok(()),
        Engine::Postgres => transaction.run("LOCK TABLE sources IN SHARE ROW EXCLUSIVE MODE", []).await.map(drop),
    }
}

fn of(source: &Source) -> KeptFolder {
    KeptFolder { directory: PathBuf::from(&source.root), folder: source.folder.clone() }
}

/// The place of a folder that may be gone: links are followed as far as it is there.
fn whole(directory: &Path) -> PathBuf {
    let absolute = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    let mut rest = Vec::new();
    let mut there = absolute.as_path();
    loop {
        if let Ok(found) = there.canonicalize() {
            return rest.iter().rev().fold(found, |path, part| path.join(part));
        }
        match (there.components().next_back(), there.parent()) {
            (Some(Component::Normal(part)), Some(above)) => {
                rest.push(part.to_owned());
                there = above;
            }
            _ => return absolute,
        }
    }
}
