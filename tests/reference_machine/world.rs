//! The real store, driven one step at a time: real article service, real claims, real attempts, and two hosts that are
//! only their memories.

use std::time::Duration;

use afterword::articles::{
    AfterSave, ArticleError, ArticlePatch, Articles, Limits, NewArticle, SaveResult as Answered, slug::Slug,
};
use afterword_actors::{
    Delays, Retention, RuntimeSettings,
    attempt::{self, EndedAttempt},
    store::{
        Database, Engine, StoreError, Transaction, WriteBody, backlog, bulk,
        claim::{Claim, HostSets, claim, new_token},
        control, hosts, leases, models, retention,
        settle::SettledTask,
        sql::Sql,
        tasks,
    },
    task::{ArticleSnapshot, ClaimedTask, Operation, Priority, Slot},
};

use crate::{
    clock,
    look::{Numbers, body_of},
    machine::{AHEAD, Attempt, KEPT_DELETED, KEPT_TASKS, LEASE, MAX_ATTEMPTS, No, Rows, Saved, SeenArticle},
    model::Scripted,
    step::{Fate, HOSTS, SLUGS, Step},
    step_answer::StepAnswer,
};

/// The tables that a story may change, emptied before each.
const EMPTIED: [&str; 18] = [
    "article_chunks",
    "article_embeddings",
    "embedding_tasks",
    "embedding_task_events",
    "bulk_items",
    "bulk_totals",
    "bulk_operations",
    "embedding_worker_status",
    "embedding_hosts",
    "slug_aliases",
    "idempotency_keys",
    "articles",
    "article_versions",
    "embedding_model_settings",
    "embedding_models",
    "queue_control",
    "embedding_metrics",
    "vector_changes",
];

/// A database, and the memories of two hosts.
pub(crate) struct TestHost {
    database: Database,
    articles: Articles,
    model: Scripted,
    settings: RuntimeSettings,
    numbers: Numbers,
    hosts: Vec<Host>,
    claims: u64,
    now: i64,
}

#[derive(Default)]
struct Host {
    starts: usize,
    incarnation: Option<String>,
    model_id: i64,
    attempts: Vec<HeldAttempt>,
    dead: Vec<String>,
}

struct HeldAttempt {
    task: ClaimedTask,
    claim: u64,
    ended: Option<EndedAttempt>,
}

impl TestHost {
    /// `database` keeps its connections from story to story; its rows are removed.
    pub(crate) async fn new(database: Database) -> Self {
        empty(&database).await;
        clock::turn(&database, clock::BEGINNING).await;
        let articles = Articles::new(database.clone(), Limits::default(), MAX_ATTEMPTS.unsigned_abs(), AfterSave::Poll);
        Self {
            database,
            articles,
            model: Scripted::default(),
            settings: settings(),
            numbers: Numbers::default(),
            hosts: std::iter::repeat_with(Host::default).take(HOSTS).collect(),
            claims: 0,
            now: clock::BEGINNING,
        }
    }

    /// Everything that is stored.
    pub(crate) async fn look(&mut self) -> Rows {
        self.numbers.look(&self.database, self.claims).await
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// Takes a step; returns its answer, and everything that is stored then.
    pub(crate) async fn take(&mut self, step: &Step, slugs: &dyn Fn(No) -> String) -> (StepAnswer, Rows) {
        let raw = self.carry_out(step, slugs).await;
        let rows = self.look().await;
        (self.told(raw), rows)
    }

    async fn carry_out(&mut self, step: &Step, slug_of: &dyn Fn(No) -> String) -> Raw {
        match step.clone() {
            Step::Pass(millis) => {
                self.now += millis;
                clock::turn(&self.database, self.now).await;
                Raw::Nothing
            }
            Step::Save { slug, content, priority, skip } => {
                let new = NewArticle {
                    title: "Title".to_owned(),
                    body: body_of(content),
                    slug: Some(Slug::parse(SLUGS[slug]).expect("a slug")),
                    skip_embedding: skip,
                    priority: Some(priority),
                    ..NewArticle::default()
                };
                saved(self.articles.create(new).await)
            }
            Step::Edit { article, content, priority } => {
                let changes =
                    ArticlePatch { body: Some(body_of(content)), priority: Some(priority), ..ArticlePatch::default() };
                saved(self.articles.update(&slug_of(article), changes).await)
            }
            Step::Skip { article, skip } => {
                let changes = ArticlePatch { skip_embedding: Some(skip), ..ArticlePatch::default() };
                saved(self.articles.update(&slug_of(article), changes).await)
            }
            Step::Rename { article, slug } => {
                let to = Slug::parse(SLUGS[slug]).expect("a slug");
                saved(self.articles.rename(&slug_of(article), to, None).await)
            }
            Step::Delete { article } => {
                self.articles.delete(&slug_of(article), None).await.expect("a deletion");
                Raw::Nothing
            }
            Step::Restore { slug } => saved(self.articles.restore(SLUGS[slug], None).await),
            step => self.run(step).await,
        }
    }

    /// What hosts and operators do.
    async fn run(&mut self, step: Step) -> Raw {
        match step {
            Step::Start { host, model } => self.start(host, model).await,
            Step::Stop { host } => {
                let released = self.release(host).await;
                let incarnation = self.hosts[host].incarnation.take().expect("a host that runs");
                self.hosts[host].attempts.clear();
                self.write(async move |transaction| hosts::end(transaction, &incarnation, "stopped").await).await;
                Raw::Settled(released)
            }
            Step::Crash { host } => {
                let host = &mut self.hosts[host];
                host.attempts.clear();
                host.dead.extend(host.incarnation.take());
                Raw::Nothing
            }
            Step::Bury => {
                let dead: Vec<_> = self.hosts.iter_mut().flat_map(|host| std::mem::take(&mut host.dead)).collect();
                let mut rescued = 0;
                for incarnation in dead {
                    rescued += self
                        .write(async move |transaction| leases::rescue_all_from(transaction, &incarnation).await)
                        .await;
                }
                Raw::Count(rescued as u64)
            }
            Step::Revive { host } => Raw::Settled(self.release(host).await),
            Step::Work { host, attempt, mood } => {
                self.model.say(mood);
                let (model, settings) = (self.model.model(), &self.settings);
                let Host { attempts, .. } = &mut self.hosts[host];
                let held = &mut attempts[attempt];
                let outcome = attempt::work(&self.database, &model, settings, &held.task).await;
                held.ended = Some(attempt::judge(&model, settings, held.task.clone(), Duration::ZERO, outcome).await);
                Raw::Nothing
            }
            Step::Flush { host, claims, fate } => self.flush(host, claims, fate).await,
            Step::Renew { host } => {
                let held: Vec<_> = self.hosts[host].attempts.iter().map(|held| held.task.lease.clone()).collect();
                let lease = self.settings.lease;
                let renewed = self.write(async move |transaction| leases::renew(transaction, &held, lease).await);
                Raw::Count(renewed.await)
            }
            Step::Rescue => {
                Raw::Settled(self.write(async |transaction| leases::rescue_expired(transaction, None).await).await)
            }
            step => self.look_after(step).await,
        }
    }

    /// What people and the maintenance do to the queue.
    async fn look_after(&mut self, step: Step) -> Raw {
        match step {
            Step::Cancel { task } => {
                let id = self.numbers.task_id(task);
                Raw::Change(self.write(async move |transaction| tasks::cancel(transaction, id).await).await)
            }
            Step::Retry { task } => {
                let id = self.numbers.task_id(task);
                Raw::Change(self.write(async move |transaction| tasks::retry(transaction, id).await).await)
            }
            Step::RetryFailed => {
                let retried = self.write(async |transaction| tasks::retry_failed(transaction, 0, 500).await).await;
                Raw::Count(retried.tasks)
            }
            Step::OpenRun { scope } => {
                Raw::Run(self.write(async move |transaction| bulk::open(transaction, scope, "", 0).await).await)
            }
            Step::AdvanceRun { run } => {
                let id = self.numbers.run_id(run);
                let run = bulk::find(self.database.reader(), id).await.expect("an answer").expect("the run");
                let attempts = MAX_ATTEMPTS.unsigned_abs();
                let page =
                    self.write(async move |transaction| bulk::advance(transaction, &run, attempts, AHEAD as u32).await);
                Raw::Page(page.await)
            }
            Step::CloseRun { run } => {
                let id = self.numbers.run_id(run);
                let closed = self.write(async move |transaction| bulk::close_if_done(transaction, id).await).await;
                Raw::Whether(closed.is_some())
            }
            Step::CancelRun { run } => {
                let id = self.numbers.run_id(run);
                Raw::Whether(self.write(async move |transaction| bulk::cancel(transaction, id).await).await)
            }
            Step::Pause => Raw::Whether(self.write(async |transaction| control::pause(transaction).await).await),
            Step::Resume => Raw::Whether(self.write(async |transaction| control::resume(transaction).await).await),
            Step::Sweep { host } => Raw::Count(self.sweep(host).await),
            Step::Switch { host } => {
                let model_id = self.hosts[host].model_id;
                let switched =
                    self.write(async move |transaction| models::activate_if_whole(transaction, model_id).await);
                Raw::Whether(switched.await)
            }
            Step::SwitchTo { model } => {
                let identity = Scripted::identity_of(model);
                let row = self.write(async move |transaction| {
                    models::switch_to(transaction, &identity, None).await?;
                    models::by_fingerprint(transaction, &identity.fingerprint()).await
                });
                let id = row.await.expect("the model").id;
                self.numbers.name_model(id, model);
                Raw::Nothing
            }
            Step::CancelSwitch => {
                let cancelled = self.write(async |transaction| models::cancel(transaction).await).await;
                Raw::Whether(cancelled.is_some())
            }
            Step::Clean => {
                let retention = Retention {
                    tasks: millis(KEPT_TASKS),
                    events: Duration::ZERO,
                    metrics: Duration::ZERO,
                    deleted_articles: millis(KEPT_DELETED),
                    hosts: Duration::ZERO,
                    bulk_runs: Duration::ZERO,
                    versions: Duration::ZERO,
                    ..self.settings.retention
                };
                retention::clean(&self.database, &retention).await.expect("a clean-up");
                Raw::Nothing
            }
            other => panic!("{other} is carried out elsewhere"),
        }
    }

    async fn start(&mut self, host: usize, model: No) -> Raw {
        let starts = self.hosts[host].starts + 1;
        let incarnation = crate::machine::incarnation(host, starts);
        let identity = Scripted::identity_of(model);
        let new = hosts::NewHost { incarnation: incarnation.clone(), hostname: "here".into(), pid: 1, version: "1" };
        let model_id = self
            .write(async move |transaction| {
                hosts::register(transaction, &new).await?;
                Ok(models::offer(transaction, &identity, None).await?.id)
            })
            .await;
        self.numbers.name_model(model_id, model);
        let host = &mut self.hosts[host];
        (host.starts, host.incarnation, host.model_id) = (starts, Some(incarnation), model_id);
        Raw::Nothing
    }

    async fn release(&mut self, host: usize) -> Vec<SettledTask> {
        let Some(incarnation) = self.hosts[host].incarnation.clone() else { return Vec::new() };
        self.write(async move |transaction| leases::release(transaction, &incarnation, &[]).await).await
    }

    async fn flush(&mut self, host: usize, claims: usize, fate: Fate) -> Raw {
        let Host { incarnation, model_id, attempts, .. } = &self.hosts[host];
        let (incarnation, model_id) = (incarnation.clone().expect("a host that runs"), *model_id);
        let ended: Vec<_> = attempts.iter().filter_map(|held| held.ended.clone()).collect();
        let (slots, lease): (Vec<Slot>, _) = ((0..claims as Slot).collect(), self.settings.lease);
        if claims > 0 {
            self.claims += 1;
        }
        let work = self
            .database
            .write_behind::<_, Stopped, _>(async move |transaction| {
                let makes = makes(transaction, model_id).await?;
                let settled = attempt::commit(transaction, &ended).await?;
                let token = new_token();
                let (token, incarnation, slots) = (token.as_str(), incarnation.as_str(), slots.as_slice());
                let request = Claim { token, incarnation, slots, lease, from: None, makes };
                let claimed = if slots.is_empty() { Vec::new() } else { claim(transaction, request).await? };
                if fate == Fate::RolledBack { Err(Stopped::Meant) } else { Ok((settled, claimed)) }
            })
            .await;
        let claim = self.claims;
        let attempts = &mut self.hosts[host].attempts;
        match (work, fate) {
            (Ok((settled, claimed)), Fate::Committed) => {
                attempts.retain(|held| held.ended.is_none());
                attempts.extend(claimed.iter().cloned().map(|task| HeldAttempt { task, claim, ended: None }));
                attempts.sort_by_key(|held| (held.task.lease.task_id, held.claim));
                Raw::Flushed(settled, claimed, claim)
            }
            (Ok(_), _) | (Err(Stopped::Meant), _) => {
                attempts.iter_mut().for_each(|held| held.ended = held.ended.take().map(EndedAttempt::in_doubt));
                Raw::Flushed(Vec::new(), Vec::new(), 0)
            }
            (Err(Stopped::Store(error)), _) => panic!("the store failed: {error}"),
        }
    }

    /// Sweeps as the MaintenanceActor does, with room for all.
    async fn sweep(&self, host: usize) -> u64 {
        let own = self.hosts[host].model_id;
        let made = makes(self.database.reader(), own).await.expect("an answer");
        let mut queued = 0;
        if made.makes_active {
            queued += self.fill(made.active, "sweep").await;
        }
        if made.makes_building {
            queued += self.fill(made.building, "new model").await;
        }
        queued
    }

    async fn fill(&self, model_id: i64, cause: &'static str) -> u64 {
        let articles = backlog::unattended(self.database.reader(), model_id, 0, 500).await.expect("an answer");
        let max_attempts = MAX_ATTEMPTS.unsigned_abs();
        let order = backlog::Order { model_id, priority: Priority::Low, max_attempts, cause };
        let queued = self.write(async move |transaction| backlog::enqueue_all(transaction, &articles, &order).await);
        queued.await.len() as u64
    }

    async fn write<T, F>(&self, body: F) -> T
    where
        T: Send + 'static,
        F: AsyncFnOnce(&Transaction) -> Result<T, StoreError> + for<'c> WriteBody<'c, T, StoreError>,
    {
        self.database.write_behind(body).await.expect("the store")
    }

    /// In the machine's numbers.
    fn told(&self, raw: Raw) -> StepAnswer {
        let settled = |tasks: Vec<SettledTask>| {
            let mut tasks: Vec<_> = tasks
                .into_iter()
                .map(|task| (self.numbers.task(task.task_id), task.status, task.attempts as i32))
                .collect();
            tasks.sort_unstable();
            tasks
        };
        match raw {
            Raw::Nothing => StepAnswer::Nothing,
            Raw::Refused => StepAnswer::Refused,
            Raw::Saved(saved) => {
                let Answered { article, task_id, changed } = *saved;
                let task = task_id.map(|id| self.numbers.task(id));
                StepAnswer::Saved(Saved { revision: article.revision, task, changed })
            }
            Raw::Whether(yes) => StepAnswer::Whether(yes),
            Raw::Count(count) => StepAnswer::Count(count),
            Raw::Change(tasks::Change::AlreadyWaiting(id)) => {
                StepAnswer::Change(tasks::Change::AlreadyWaiting(self.numbers.task(id) as i64))
            }
            Raw::Change(change) => StepAnswer::Change(change),
            Raw::Page(page) => StepAnswer::Page(page),
            Raw::Run(id) => StepAnswer::Run(self.numbers.run(id)),
            Raw::Settled(tasks) => StepAnswer::Settled(settled(tasks)),
            Raw::Flushed(tasks, claimed, claim) => {
                let mut claimed: Vec<_> = claimed.iter().map(|task| self.attempt(task, claim)).collect();
                claimed.sort_by_key(|attempt| attempt.task);
                StepAnswer::Flushed(settled(tasks), claimed)
            }
        }
    }

    fn attempt(&self, task: &ClaimedTask, claim: u64) -> Attempt {
        assert_eq!(self.numbers.claim(&task.lease.token), claim, "the token is the one that is stored");
        let operation: Operation = task.operation;
        Attempt {
            task: self.numbers.task(task.lease.task_id),
            article: self.numbers.article(task.article_id),
            claim,
            number: task.attempt as i32,
            operation,
            model: self.numbers.model(task.model_id),
            seen: match task.subject {
                ArticleSnapshot::Gone => SeenArticle::Gone,
                ArticleSnapshot::Skipped => SeenArticle::Skipped,
                ArticleSnapshot::Unchanged { revision } => SeenArticle::Unchanged(revision),
                ArticleSnapshot::Changed => SeenArticle::Changed,
            },
            made: None,
            in_doubt: false,
        }
    }
}

/// The answer to a step, in the store's own numbers.
enum Raw {
    Nothing,
    Refused,
    Saved(Box<Answered>),
    Whether(bool),
    Count(u64),
    Change(tasks::Change),
    Run(i64),
    Page(bulk::Page),
    Settled(Vec<SettledTask>),
    Flushed(Vec<SettledTask>, Vec<ClaimedTask>, u64),
}

/// Why a transaction did not end.
enum Stopped {
    Meant,
    Store(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The set that a host makes: that of its own model.
async fn makes(connection: &impl Sql, own: i64) -> Result<HostSets, StoreError> {
    let models::WantedSets { active, building } = models::wanted(connection).await?;
    let (active, building) = (active.map_or(0, |set| set.id), building.map_or(0, |set| set.id));
    Ok(HostSets { active, makes_active: active == own, building, makes_building: building == own })
}

fn saved(answer: Result<Answered, ArticleError>) -> Raw {
    match answer {
        Ok(saved) => Raw::Saved(Box::new(saved)),
        Err(ArticleError::Store(error)) => panic!("the store failed: {error}"),
        Err(_) => Raw::Refused,
    }
}

fn settings() -> RuntimeSettings {
    // The text's own wish is longer than any of these delays, which are moved at random.
    let soon = Delays { base: millis(1), max: millis(1) };
    RuntimeSettings { retry: soon, lease: millis(LEASE), ..RuntimeSettings::default() }
}

pub(crate) fn millis(millis: i64) -> Duration {
    Duration::from_millis(millis.unsigned_abs())
}

async fn empty(database: &Database) {
    let engine = database.engine();
    let emptied = database.write_behind::<_, StoreError, _>(async move |transaction| {
        // PostgreSQL has no log of changed vectors.
        let of_this_engine = |table: &&&str| engine == Engine::Sqlite || **table != "vector_changes";
        for table in EMPTIED.iter().filter(of_this_engine) {
            transaction.run(&format!("DELETE FROM {table}"), []).await?;
        }
        if engine == Engine::Postgres {
            transaction.run("DELETE FROM embedding_task_deltas", []).await?;
        }
        Ok(())
    });
    emptied.await.expect("an empty database");
}
