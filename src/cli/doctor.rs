//! `doctor`: checks whether this deployment works, and says what to do if not.

use afterword_actors::{
    Trouble,
    embedder::{Purpose, Vector},
    store::{Database, StoreError, models, stats},
};
use anyhow::anyhow;
use serde::Serialize;

use super::{
    session::Session,
    table::{name, status, table, text},
    text_style::TextStyle,
};
use crate::{
    articles::{Articles, folder::Folder},
    config::SyncedFolder,
    database,
    files::{SyncRequest, sync},
    health::{self, Finding, State, diagnosis, examination},
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
            let file = open_options(&session.loaded.settings).sqlite_file().ok().flatten();
            checks.push(examination::writable(&database, file.as_deref()).await.into());
            checks.extend(with_schema(session, &database).await);
        }
        Err(check) => checks.push(check),
    }
    session.output.list("checks", &checks, |look| list_of(look, &checks))?;
    let faults = checks.iter().filter(|check| check.level == Level::Fault).count();
    if faults > 0 { Err(anyhow!("{}", count(faults, "fault"))) } else { Ok(()) }
}

pub(super) fn list_of(look: TextStyle, checks: &[Check]) -> String {
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

/// Checks whether a folder waits for an answer or cannot be read: a dry run is refused as a server's run is.
async fn folders_that_wait(session: &Session, articles: &Articles) -> Vec<Check> {
    let mut checks = Vec::new();
    for SyncedFolder { path, folder } in session.loaded.settings.sync.iter().filter(|folder| folder.path.is_dir()) {
        let Ok(folder) = Folder::parse(folder) else { continue };
        let request = SyncRequest { directory: path.clone(), folder, many_deletions: false, dry_run: true };
        let trouble = match sync(articles, &request).await {
            Err(error) => Some(error.to_string()),
            Ok(report) => report.failed.first().map(|first| {
                format!(
                    "{} in {}, the first {}: {}",
                    count(report.failed.len(), "problem"),
                    path.display(),
                    first.file,
                    first.error
                )
            }),
        };
        checks.extend(trouble.map(|trouble| Check::new("folder", Level::Warning, trouble)));
    }
    checks
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
            let model = provider(session, &host).await;
            let works_here = model.level == Level::Ok;
            checks.push(model);
            checks.extend(model_in_use(&host).await);
            checks.extend(reranker(&host).await);
            checks.extend(queue(&host, works_here).await);
            checks.push(examination::coverage(&host.database).await.into());
            checks.push(examination::soundness(&host.database).await.into());
            checks.push(examination::words(&host.database, &session.loaded.settings.search.language).await.into());
            checks.extend(examination::copies(&host.database).await.map(Check::from));
            checks.extend(folders_that_wait(session, &host.articles).await);
        }
        Err(error) => checks.push(Check::new("services", Level::Fault, error.to_string())),
    }
    checks
}

/// Checks the local model without fetching it; asks another provider for one vector.
async fn provider(session: &Session, host: &Host) -> Check {
    let identity = host.identity();
    let name = match host.backends.preparation() {
        Some(_) => format!("the local model {}", identity.model),
        None => format!("{} of the provider {}", identity.model, identity.provider),
    };
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
        return examination::model_missing(&name).into();
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

/// Explains how a running host can find that the provider fails which has just answered here.
fn explain_failures(check: Check) -> Check {
    if check.name != "provider" {
        return check;
    }
    let message = format!(
        "{}; it has just answered this command: the host tries it again at its next probe, or has to be restarted if its own settings \
         (a key) were corrected since",
        check.message
    );
    Check { message, ..check }
}

/// Checks that searches use the model of these settings, or will.
async fn model_in_use(host: &Host) -> Option<Check> {
    let status = match host.sets().status().await {
        Ok(status) if status.not_in_effect.is_empty() => return None,
        Ok(status) => status,
        Err(error) => return Some(Check::new("model", Level::Fault, error.to_string())),
    };
    let in_use = status.in_use.map_or_else(|| "no model".to_owned(), |set| format!("the vectors of {}", set.model));
    let message = format!(
        "searches use {in_use}, which were made with another value of {}; set the former one, or let `afterword model switch` make \
         vectors with these settings",
        status.not_in_effect.join(" and of "),
    );
    Some(Check::new("model", Level::Warning, message))
}

/// Asks the reranker about two sentences. Without it, searches keep their own order.
async fn reranker(host: &Host) -> Option<Check> {
    Some(match host.search.reranker()?.check().await {
        Ok(()) => Check::new("reranker", Level::Ok, "works"),
        Err(error) => Check::new("reranker", Level::Warning, format!("searches are not reranked: {error}")),
    })
}

/// `provider_answers`: that of these settings does, here and now.
async fn queue(host: &Host, provider_answers: bool) -> Vec<Check> {
    let facts = async { Ok((stats::queue(host.database.reader()).await?, hosts::living(&host.database).await?)) };
    let (stats, living) = match facts.await {
        Ok(facts) => facts,
        Err(error) => return vec![Check::new("queue", Level::Fault, StoreError::to_string(&error))],
    };
    let findings = diagnosis::of_hosts(&living).into_iter().map(Check::from);
    let of_another = |trouble: &Trouble| matches!(trouble, Trouble::ProviderInUse { .. });
    let answers = provider_answers && !living.iter().flat_map(|host| &host.trouble).any(of_another);
    let mut checks: Vec<_> = findings.map(|check| if answers { explain_failures(check) } else { check }).collect();
    checks.extend(health::unattended_build(&host.database).await.map(Check::from));
    checks.extend(examination::hosts_elsewhere(&host.database).await.map(Check::from));
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
