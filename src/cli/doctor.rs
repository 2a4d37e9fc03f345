//! `doctor`: is this deployment well, and what is to be done if not.

use afterword_actors::store::{Database, StoreError, stats};
use anyhow::anyhow;
use serde::Serialize;

use super::{session::Session, table::table};
use crate::{
    database,
    health::{Finding, State, diagnosis},
    host::Host,
    hosts,
};

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
    use afterword_actors::store::sql::Sql;
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
            checks.extend(queue(&host).await);
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
            format!("{} tasks wait and no host is running; `afterword bulk start` embeds them", stats.pending);
        checks.push(Check::new("queue", Level::Warning, message));
    } else if queue.detail.is_some() {
        checks.push(Check { level: Level::Warning, ..Check::from(queue) });
    } else if stats.failed > 0 {
        let message = format!(
            "{} tasks failed; `afterword queue list --status failed` says why, `afterword queue retry-failed` tries again",
            stats.failed
        );
        checks.push(Check::new("queue", Level::Warning, message));
    } else {
        let message = format!("{} pending, {} processing", stats.pending, stats.processing);
        checks.push(Check::new("queue", Level::Ok, message));
    }
    checks
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
