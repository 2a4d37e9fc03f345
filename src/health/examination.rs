//! What no look of a running server finds out by itself: whether there is room on the disk, whether the data is sound,
//! what is not embedded, how words are indexed, the copies that wait for their owner, the files of the model.
//!
//! `afterword doctor` and the page say the same.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use afterword_actors::store::{
    Database, StoreError, models,
    sql::{self, Sql},
    stats,
};

use super::Finding;
use crate::{database, files, hosts, model, plural::count};

/// Whether a save is possible: by the database, and by the room beside its file.
pub async fn writable(database: &Database, file: Option<&Path>) -> Finding {
    let folder = file.and_then(Path::parent).map(Path::to_owned);
    let tried = match (rolled_back(database).await, room_in(folder).await) {
        (Err(error), _) => Err(error.to_string()),
        (Ok(()), Err(error)) => Err(format!("no room beside the database: {error}")),
        (Ok(()), Ok(())) => Ok(()),
    };
    match tried {
        Ok(()) => Finding::note("writing", "possible"),
        Err(error) => Finding::unready("writing", error),
    }
}

/// Writes to the database as a save does, and rolls back.
async fn rolled_back(database: &Database) -> Result<(), StoreError> {
    /// Why the transaction ends.
    enum End {
        TakenBack,
        Failed(StoreError),
    }
    impl From<StoreError> for End {
        fn from(error: StoreError) -> Self {
            Self::Failed(error)
        }
    }
    let tried = database
        .write::<(), End, _>(async |transaction| {
            transaction.run("CREATE TABLE afterword_doctor (n INTEGER)", []).await?;
            transaction.run("INSERT INTO afterword_doctor VALUES (1)", []).await?;
            Err(End::TakenBack)
        })
        .await;
    match tried {
        Ok(()) | Err(End::TakenBack) => Ok(()),
        Err(End::Failed(error)) => Err(error),
    }
}

/// As [`room`], on a thread that may wait for the disk.
async fn room_in(folder: Option<PathBuf>) -> std::io::Result<()> {
    let Some(folder) = folder else { return Ok(()) };
    tokio::task::spawn_blocking(move || room(&folder)).await.unwrap_or_else(|broken| Err(std::io::Error::other(broken)))
}

/// A rollback may never reach the disk, so this writes a temporary file through to it.
fn room(folder: &Path) -> std::io::Result<()> {
    /// Room for saves of articles of a usual size. *Units:* bytes.
    const SAVE_ROOM_BYTES: usize = 1 << 20;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(&vec![1; SAVE_ROOM_BYTES])?;
    file.sync_all()
}

/// How many articles are embedded at their present text.
pub async fn coverage(database: &Database) -> Finding {
    let part = "articles";
    let model_id = match models::wanted(database.reader()).await {
        Ok(wanted) => wanted.active.map_or(0, |set| set.id),
        Err(error) => return Finding::unready(part, error.to_string()),
    };
    match stats::coverage(database.reader(), model_id).await {
        Ok(all) if all.missing + all.stale > 0 => Finding::degraded(
            part,
            format!(
                "not embedded at their present text: {} of {}",
                all.missing + all.stale,
                count(all.articles, "article")
            ),
        ),
        Ok(all) => Finding::note(part, format!("{}, all embedded", count(all.articles, "article"))),
        Err(error) => Finding::unready(part, error.to_string()),
    }
}

/// Whether the data is sound.
pub async fn soundness(database: &Database) -> Finding {
    match database::verify(database).await {
        Ok(found) if found.sound => Finding::note("data", "sound"),
        Ok(found) => {
            let first = found.findings.first().map(|finding| finding.message.clone()).unwrap_or_default();
            Finding::unready("data", first)
        }
        Err(error) => Finding::unready("data", error.to_string()),
    }
}

/// Hosts that run, but not on this database: its file was put in the place of theirs, or they cannot write.
pub async fn hosts_elsewhere(database: &Database) -> Option<Finding> {
    let part = "hosts";
    match astray(database).await {
        Ok(hosts) if hosts.is_empty() => None,
        Ok(hosts) => Some(Finding::degraded(
            part,
            format!(
                "{} runs, but has reported nothing to this database for a minute: another process locks it, or the host still has \
                 the file open that had this name before, and takes no more saves; see its log and its /ready, and restart it",
                hosts.join(", ")
            ),
        )),
        Err(error) => Some(Finding::unready(part, error.to_string())),
    }
}

async fn astray(database: &Database) -> Result<Vec<String>, StoreError> {
    /// Hosts report every few seconds. *Units:* milliseconds.
    const LONG_SILENCE: i64 = 60_000;
    let now = sql::now(database.reader()).await?;
    let silent = hosts::living(database).await?.into_iter().filter(|host| now - host.heartbeat_at.0 > LONG_SILENCE);
    let mut astray: Vec<_> = silent.map(|host| format!("process {} on {}", host.pid, host.hostname)).collect();
    let strange = database.hosts_of_another_file().await?;
    astray.extend(strange.into_iter().map(|incarnation| format!("host {incarnation}")));
    Ok(astray)
}

/// The language of the index's stems, which may differ from the setting.
pub async fn words(database: &Database, wanted: &str) -> Finding {
    match database::language(database).await {
        Ok(language) if language == wanted => Finding::note("words", language),
        Ok(language) => Finding::degraded(
            "words",
            format!(
                "indexed as {language}, but search.language is {wanted}; `afterword index rebuild` indexes them again"
            ),
        ),
        Err(error) => Finding::unready("words", error.to_string()),
    }
}

/// What was changed on both sides of a folder that is kept in step, and could not be merged.
pub async fn copies(database: &Database) -> Option<Finding> {
    match files::left_copies(database).await {
        Ok(copies) => files::told_of(&copies).map(|told| Finding::degraded("folders", told)),
        Err(error) => Some(Finding::unready("folders", error.to_string())),
    }
}

/// The finding if the files of a model that can be fetched are not all there; `name` is the model's.
pub fn model_missing(name: &str) -> Finding {
    Finding::degraded("model", format!("{name} is not on this machine; `afterword model fetch` fetches it"))
}

/// Whether the files of the local model `name` are all in `directory`.
pub fn model_files(name: &str, directory: &Path) -> Finding {
    if model::is_complete(directory) { Finding::note("model", "its files are there") } else { model_missing(name) }
}
