//! `doctor`: checks whether this deployment works, and says what to do if not.

use std::{io::Write, path::Path};

use afterword_actors::{
    embedder::{Purpose, Vector},
    store::{Database, StoreError, models, sql::Sql, stats},
};
use anyhow::anyhow;
use serde::Serialize;

use super::{
    look::Look,
    session::Session,
    table::{name, status, table, text},
};
use crate::{
    articles::files,
    database,
    health::{Finding, State, diagnosis},
    host::{Host, open_options},
    hosts,
    plural::count,
};

/// The result of one check.
#[derive(Serialize)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) level: Level,
    pub(super) message: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Ok,
    Warning,
    Fault,
}

impl Check {
    fn new(name: &'static str, level: Level, message: impl Into<String>) -> Self {
        Self { name, level, message: message.into() }
    }
}

impl From<Finding> for Check {
    fn from(finding: Finding) -> Self {
        let level = match finding.state {
            State::Ready => Level::Ok,
            State::Degraded => Level::Warning,
            State::Unready => Level::Fault,
        };
        Self::new(finding.part, level, finding.detail.unwrap_or_default())
    }
}

pub(super) async fn run(session: &Session) -> anyhow::Result<()> {
    let mut checks = vec![settings(session)];
    checks.extend(folders(session));
    // Opening a database creates it if it is missing, and a check must create nothing.
    let opened = session.present_database().await;
    let open = opened.map_err(|error| Check::new("database", Level::Fault, error.to_string()));
    match open {
        Ok(database) => {
            checks.push(Check::new("database", Level::Ok, database.place()));
            checks.push(writable(session, &database).await);
            checks.extend(with_schema(session, &database).await);
        }
        Err(check) => checks.push(check),
    }
    session.output.list("checks", &checks, |look| list_of(look, &checks))?;
    let faults = checks.iter().filter(|check| check.level == Level::Fault).count();
    if faults > 0 { Err(anyhow!("{}", count(faults, "fault"))) } else { Ok(()) }
}

pub(super) fn list_of(look: Look, checks: &[Check]) -> String {
    let rows = checks.iter().map(|check| {
        let level = match check.level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Fault => "FAULT",
        };
        [level.to_owned(), check.name.to_owned(), check.message.clone()]
    });
    table(look, [status(""), name("part"), text("finding")], rows)
}

fn settings(session: &Session) -> Check {
    let set = session.loaded.origins.len();
    Check::new("settings", Level::Ok, format!("valid, {set} of them set"))
}

/// Checks the folders that a server would keep in step.
fn folders(session: &Session) -> Option<Check> {
    let folders = &session.loaded.settings.sync;
    let (there, missing): (Vec<_>, Vec<_>) = folders.iter().map(|folder| &folder.path).partition(|path| path.is_dir());
    let names = |paths: &[&std::path::PathBuf]| {
        paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    };
    match (there.as_slice(), missing.as_slice()) {
        ([], []) => None,
        (there, []) => {
            Some(Check::new("folders", Level::Ok, format!("{} can be kept in step by a server", names(there))))
        }
        (_, missing) => {
            let message =
                format!("{} is not there, and is not kept in step; make it, or correct [[sync]]", names(missing));
            Some(Check::new("folders", Level::Warning, message))
        }
    }
}

async fn writable(session: &Session, database: &Database) -> Check {
    let file = open_options(&session.loaded.settings).sqlite_file().ok().flatten();
    let room = file.as_deref().and_then(Path::parent).map_or(Ok(()), room);
    let tried = match (rolled_back(database).await, room) {
        (Err(error), _) => Err(error.to_string()),
        (Ok(()), Err(error)) => Err(format!("no room beside the database: {error}")),
        (Ok(()), Ok(())) => Ok(()),
    };
    match tried {
        Ok(()) => Check::new("writing", Level::Ok, "possible"),
        Err(error) => Check::new("writing", Level::Fault, error),
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
        .write::<(), End, _>(|transaction| {
            Box::pin(async move {
                transaction.run("CREATE TABLE afterword_doctor (n INTEGER)", []).await?;
                transaction.run("INSERT INTO afterword_doctor VALUES (1)", []).await?;
                Err(End::TakenBack)
            })
        })
        .await;
    match tried {
        Ok(()) | Err(End::TakenBack) => Ok(()),
        Err(End::Failed(error)) => Err(error),
    }
}

/// A rollback may never reach the disk, so this writes a temporary file through to it.
fn room(folder: &Path) -> std::io::Result<()> {
    /// Room for saves of articles of a usual size. *Units:* bytes.
    const NEEDED: usize = 1 << 20;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(&vec![1; NEEDED])?;
    file.sync_all()
}

async fn with_schema(session: &Session, database: &Database) -> Vec<Check> {
    let steps = match database::migrations(database).await {
        Ok(steps) => steps,
        Err(error) => return vec![Check::new("schema", Level::Fault, error.to_string())],
    };
    let missing = steps.iter().filter(|step| !step.applied).count();
    if missing > 0 {
        let message = format!("{} missing; run `afterword db migrate`", count(missing, "step"));
        return vec![Check::new("schema", Level::Warning, message)];
    }
    let mut checks = vec![Check::new("schema", Level::Ok, "up to date")];
    match session.host().await {
        Ok(host) => {
            checks.push(provider(session, &host).await);
            checks.extend(reranker(&host).await);
            checks.extend(queue(&host).await);
            checks.push(coverage(&host).await);
            checks.push(soundness(&host).await);
            checks.extend(language(session, &host).await);
            checks.extend(copies(&host).await);
        }
        Err(error) => checks.push(Check::new("services", Level::Fault, error.to_string())),
    }
    checks
}

/// What was changed on both sides of a folder that is kept in step, and could not be merged.
async fn copies(host: &Host) -> Option<Check> {
    match files::left_copies(&host.database).await {
        Ok(copies) => files::told_of(&copies).map(|told| Check::new("folders", Level::Warning, told)),
        Err(error) => Some(Check::new("folders", Level::Fault, error.to_string())),
    }
}

/// Checks the local model without fetching it; asks another provider for one vector.
async fn provider(session: &Session, host: &Host) -> Check {
    let identity = host.identity();
    let name = format!("{} of {}", identity.model, identity.provider);
    if let Some(local) = host.backends.preparation()
        && !crate::model::is_complete(local.directory())
    {
        if session.loaded.settings.embedding.model_dir.is_some() {
            let message = format!(
                "there is no complete model in {} (embedding.model_dir, from {}); it needs model.safetensors, tokenizer.json, \
                 config.json and 1_Pooling/config.json. Correct it, or leave it out to use a model that `afterword model fetch` brings",
                local.directory().display(),
                session.loaded.origin("embedding.model_dir"),
            );
            return Check::new("model", Level::Fault, message);
        }
        let message = format!("{name} is not on this machine; `afterword model fetch` fetches it");
        return Check::new("model", Level::Warning, message);
    }
    if let Err(error) = session.provision(host).await {
        return Check::new("model", Level::Fault, format!("{error:#}"));
    }
    let answered = host.backends.model().embedder.embed(&["probe".to_owned()], Purpose::Query).await;
    let answered = match answered {
        Ok(vectors) => vectors.first().map(Vector::dimension),
        Err(error) => return Check::new("model", Level::Fault, error.message),
    };
    let stored = models::by_fingerprint(host.database.reader(), &identity.fingerprint()).await;
    let stored = stored.ok().flatten().and_then(|set| set.dimension).and_then(|stored| u32::try_from(stored).ok());
    match answered.zip(stored) {
        Some((answered, stored)) if answered != stored => {
            let message = format!(
                "{name} answers vectors of {answered} numbers, but its set has vectors of {stored}: another model is behind \
                 the same name; bring back the former one, or change to a model that has another name at the provider"
            );
            Check::new("model", Level::Fault, message)
        }
        _ => Check::new("model", Level::Ok, format!("{name} works")),
    }
}

/// Asks the reranker about two sentences. Without it, searches keep their own order.
async fn reranker(host: &Host) -> Option<Check> {
    Some(match host.search.reranker()?.check().await {
        Ok(()) => Check::new("reranker", Level::Ok, "works"),
        Err(error) => Check::new("reranker", Level::Warning, format!("searches are not reranked: {error}")),
    })
}

async fn queue(host: &Host) -> Vec<Check> {
    let facts = async { Ok((stats::queue(host.database.reader()).await?, hosts::living(&host.database).await?)) };
    let (stats, living) = match facts.await {
        Ok(facts) => facts,
        Err(error) => return vec![Check::new("queue", Level::Fault, StoreError::to_string(&error))],
    };
    let mut checks: Vec<_> = diagnosis::of_hosts(&living).into_iter().map(Check::from).collect();
    let queue = diagnosis::of_queue(&stats, host.settings().health.oldest_due);
    if stats.pending > 0 && !stats.paused && living.is_empty() {
        let message =
            format!("waiting, and no host is running: {}; `afterword bulk start` embeds", count(stats.pending, "task"));
        checks.push(Check::new("queue", Level::Warning, message));
    } else if queue.detail.is_some() {
        checks.push(Check { level: Level::Warning, ..Check::from(queue) });
    } else if stats.failed > 0 {
        let message = format!(
            "{} failed; `afterword queue list --status failed` says why, `afterword queue retry-failed` tries again",
            count(stats.failed, "task")
        );
        checks.push(Check::new("queue", Level::Warning, message));
    } else {
        let message = format!("{} pending, {} processing", stats.pending, stats.processing);
        checks.push(Check::new("queue", Level::Ok, message));
    }
    checks
}

async fn coverage(host: &Host) -> Check {
    let model_id = match models::wanted(host.database.reader()).await {
        Ok(wanted) => wanted.active.map_or(0, |set| set.id),
        Err(error) => return Check::new("articles", Level::Fault, error.to_string()),
    };
    match stats::coverage(host.database.reader(), model_id).await {
        Ok(all) if all.missing + all.stale > 0 => Check::new(
            "articles",
            Level::Warning,
            format!(
                "not embedded at their present text: {} of {}",
                all.missing + all.stale,
                count(all.articles, "article")
            ),
        ),
        Ok(all) => Check::new("articles", Level::Ok, format!("{}, all embedded", count(all.articles, "article"))),
        Err(error) => Check::new("articles", Level::Fault, error.to_string()),
    }
}

/// Checks the language of the index's stems, which may differ from the setting.
async fn language(session: &Session, host: &Host) -> Option<Check> {
    let wanted = &session.loaded.settings.search.language;
    match database::language(&host.database).await {
        Ok(language) if language == *wanted => Some(Check::new("words", Level::Ok, language)),
        Ok(language) => {
            let message = format!(
                "indexed as {language}, but search.language is {wanted}; `afterword index rebuild` indexes them again"
            );
            Some(Check::new("words", Level::Warning, message))
        }
        Err(error) => Some(Check::new("words", Level::Fault, error.to_string())),
    }
}

async fn soundness(host: &Host) -> Check {
    match database::verify(&host.database).await {
        Ok(found) if found.sound => Check::new("data", Level::Ok, "sound"),
        Ok(found) => {
            let first = found.findings.first().map(|finding| finding.message.clone()).unwrap_or_default();
            Check::new("data", Level::Fault, first)
        }
        Err(error) => Check::new("data", Level::Fault, error.to_string()),
    }
}
