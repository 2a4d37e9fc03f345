//! `doctor`: is this deployment well, and what is to be done if not.

use afterword_actors::store::{Database, stats};
use anyhow::anyhow;
use serde::Serialize;

use super::{session::Session, table::table};
use crate::{database, host::Host, hosts, time::duration};

/// A task that has been due for so long has nobody to work on it, or too few. *Units:* milliseconds.
const LONG_DUE: i64 = 10 * 60_000;

/// What one look found.
#[derive(Serialize)]
struct Check {
    name: &'static str,
    level: Level,
    message: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    Warning,
    Fault,
}

impl Check {
    fn new(name: &'static str, level: Level, message: impl Into<String>) -> Self {
        Self { name, level, message: message.into() }
    }
}

pub(super) async fn run(session: &Session) -> anyhow::Result<()> {
    let mut checks = vec![settings(session)];
    match session.database().await {
        Ok(database) => {
            checks.push(Check::new("database", Level::Ok, database.place()));
            checks.push(writable(&database).await);
            checks.extend(with_schema(session, &database).await);
        }
        Err(error) => checks.push(Check::new("database", Level::Fault, error.to_string())),
    }
    session.output.answer(&checks, || {
        let rows = checks.iter().map(|check| {
            let level = match check.level {
                Level::Ok => "ok",
                Level::Warning => "warning",
                Level::Fault => "FAULT",
            };
            [level.to_owned(), check.name.to_owned(), check.message.clone()]
        });
        table(["", "part", "finding"], rows)
    })?;
    let faults = checks.iter().filter(|check| check.level == Level::Fault).count();
    if faults > 0 { Err(anyhow!("{faults} faults")) } else { Ok(()) }
}

fn settings(session: &Session) -> Check {
    let set = session.loaded.origins.len();
    Check::new("settings", Level::Ok, format!("valid, {set} of them set"))
}

async fn writable(database: &Database) -> Check {
    use afterword_actors::store::{StoreError, sql::Sql};
    let tried = database
        .write::<_, StoreError, _>(|transaction| {
            Box::pin(async move { transaction.run("CREATE TEMP TABLE IF NOT EXISTS doctor (n INTEGER)", []).await })
        })
        .await;
    match tried {
        Ok(_) => Check::new("writing", Level::Ok, "possible"),
        Err(error) => Check::new("writing", Level::Fault, error.to_string()),
    }
}

async fn with_schema(session: &Session, database: &Database) -> Vec<Check> {
    let steps = match database::migrations(database).await {
        Ok(steps) => steps,
        Err(error) => return vec![Check::new("schema", Level::Fault, error.to_string())],
    };
    let missing = steps.iter().filter(|step| !step.applied).count();
    if missing > 0 {
        let message = format!("{missing} steps missing; run `afterword db migrate`");
        return vec![Check::new("schema", Level::Warning, message)];
    }
    let mut checks = vec![Check::new("schema", Level::Ok, "up to date")];
    match session.host().await {
        Ok(host) => {
            checks.push(provider(session, &host).await);
            checks.push(queue(&host).await);
            checks.push(coverage(&host).await);
            checks.push(soundness(&host).await);
            checks.extend(language(session, &host).await);
        }
        Err(error) => checks.push(Check::new("services", Level::Fault, error.to_string())),
    }
    checks
}

/// The local model is looked at without fetching it; another provider is asked for one vector.
async fn provider(session: &Session, host: &Host) -> Check {
    let identity = host.identity();
    let name = format!("{} of {}", identity.model, identity.provider);
    if let Some(local) = host.backends.provisioning()
        && !crate::model::is_complete(&local.directory)
    {
        let message = format!("{name} is not on this machine; `afterword model fetch` fetches it");
        return Check::new("model", Level::Warning, message);
    }
    if let Err(error) = session.provision(host).await {
        return Check::new("model", Level::Fault, format!("{error:#}"));
    }
    match host.backends.model().embedder.probe().await {
        Ok(()) => Check::new("model", Level::Ok, format!("{name} works")),
        Err(error) => Check::new("model", Level::Fault, error.message),
    }
}

async fn queue(host: &Host) -> Check {
    let stats = match stats::queue(host.database.reader()).await {
        Ok(stats) => stats,
        Err(error) => return Check::new("queue", Level::Fault, error.to_string()),
    };
    if stats.paused {
        return Check::new("queue", Level::Warning, "paused; `afterword queue resume` lets it go on");
    }
    let works = hosts::somebody_works(&host.database).await;
    let due = stats.oldest_due_ms.unwrap_or(0);
    if stats.pending > 0 && !works {
        let message =
            format!("{} tasks wait and no host is running; `afterword bulk start` embeds them", stats.pending);
        return Check::new("queue", Level::Warning, message);
    }
    if due > LONG_DUE {
        let message =
            format!("a task has been due for {}; see `afterword status`, or raise queue.slots", duration(due));
        return Check::new("queue", Level::Warning, message);
    }
    if stats.failed > 0 {
        let message = format!(
            "{} tasks failed; `afterword queue list --status failed` says why, `afterword queue retry-failed` tries again",
            stats.failed
        );
        return Check::new("queue", Level::Warning, message);
    }
    Check::new("queue", Level::Ok, format!("{} pending, {} processing", stats.pending, stats.processing))
}

async fn coverage(host: &Host) -> Check {
    let model_id = match host.model_row().await {
        Ok(row) => row.map_or(0, |row| row.id),
        Err(error) => return Check::new("articles", Level::Fault, error.to_string()),
    };
    match stats::coverage(host.database.reader(), model_id).await {
        Ok(all) if all.missing + all.stale > 0 => Check::new(
            "articles",
            Level::Warning,
            format!("{} of {} are not embedded at their present text", all.missing + all.stale, all.articles),
        ),
        Ok(all) => Check::new("articles", Level::Ok, format!("{}, all embedded", all.articles)),
        Err(error) => Check::new("articles", Level::Fault, error.to_string()),
    }
}

/// A server stems by a language of its own, which the setting may have left behind.
async fn language(session: &Session, host: &Host) -> Option<Check> {
    let wanted = &session.loaded.settings.search.language;
    match database::language(&host.database).await {
        Ok(None) => None,
        Ok(Some(language)) if language == *wanted => Some(Check::new("words", Level::Ok, language)),
        Ok(Some(language)) => {
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
