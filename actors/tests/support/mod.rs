//! A database with articles, and a model that tests can block and break: `model`.
#![allow(dead_code, unused_imports, reason = "shared by test programs that each use a part")]

mod model;
#[path = "../../../tests/support/test_database.rs"]
mod test_database;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use afterword_actors::{
    ActorState, Delays, RestartSettings, Runtime, RuntimeSettings,
    store::{Database, OpenOptions, StoreError, sql::Sql, stats, tasks},
    task::{NewTask, Operation},
};

pub(crate) use model::TestModel;
pub(crate) use test_database::{OnPostgres, OnSqlite, TestDatabase};

/// A migrated database of its own.
pub(crate) struct Fixture<P> {
    pub(crate) database: Database,
    /// Removed with the test.
    place: P,
}

impl<P: TestDatabase> Fixture<P> {
    pub(crate) async fn new() -> Self {
        Self::with(|options| OpenOptions { read_connections: 2, write_connections: 4, ..options }).await
    }

    /// The database is opened with these options.
    pub(crate) async fn with(options: impl FnOnce(OpenOptions) -> OpenOptions) -> Self {
        let place = P::fresh().await;
        let options = options(OpenOptions::new(place.url()));
        Self { database: Database::open(&options).await.expect("a database"), place }
    }

    pub(crate) fn url(&self) -> String {
        self.place.url()
    }

    /// Saves an article with its task, as a host does; returns the article's id.
    pub(crate) async fn save(&self, slug: &str, body: &str) -> i64 {
        self.try_save(&self.database, slug, body, 3).await.expect("a save")
    }

    /// Saves an article by `database`, with a task of this many attempts.
    pub(crate) async fn try_save(
        &self,
        database: &Database,
        slug: &str,
        body: &str,
        max_attempts: u32,
    ) -> Result<i64, StoreError> {
        let (slug, body, hash) = (slug.to_owned(), body.to_owned(), hash_of(slug, body));
        database
            .write::<_, StoreError, _>(async move |transaction| {
                let row = transaction
                    .row::<i64>(
                        "INSERT INTO articles (slug, title, body, content_hash, created_at, updated_at)
                             VALUES ($1, $1, $2, $3, {now}, {now}) RETURNING id AS n",
                        [slug.clone().into(), body.into(), hash.into()],
                    )
                    .await?;
                let article_id = row.expect("a row");
                let task = NewTask { max_attempts, ..task(article_id, &slug) };
                tasks::enqueue(transaction, &task).await?;
                Ok(article_id)
            })
            .await
    }

    /// Runs a statement.
    pub(crate) async fn run(&self, sql: impl Into<String>) {
        let sql = sql.into();
        let done = self.database.write(async move |transaction| transaction.run(&sql, []).await);
        done.await.expect("a statement");
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let row = self.database.reader().row::<i64>(sql, []).await;
        row.expect("a query").expect("a row")
    }

    /// Waits until the actor of this name is in `state`.
    pub(crate) async fn state(&self, runtime: &Runtime, name: &str, state: ActorState) {
        loop {
            let status = runtime.status().await.expect("a tree");
            if status.walk().iter().any(|actor| actor.name == name && actor.state == state) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Waits until every actor runs.
    pub(crate) async fn whole(&self, runtime: &Runtime) {
        let whole = async {
            loop {
                let status = runtime.status().await.expect("a tree");
                if status.is_healthy() && status.walk().len() == 1 + 5 + quick().slots as usize {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        let whole = tokio::time::timeout(Duration::from_secs(30), whole).await;
        assert!(whole.is_ok(), "the tree is whole again: {:#?}", runtime.status().await);
    }

    /// Waits until no task is pending or processing.
    pub(crate) async fn settled(&self, runtime: &Runtime) -> stats::QueueStats {
        let mut events = runtime.subscribe();
        loop {
            let stats = stats::queue(self.database.reader()).await.expect("statistics");
            if stats.pending + stats.processing == 0 {
                return stats;
            }
            // An event, or a moment later if it was missed because an actor was being restarted.
            let _ = tokio::time::timeout(Duration::from_millis(200), events.recv()).await;
        }
    }
}

impl<P: TestDatabase> Fixture<P> {
    /// Queues a task for an article that has been edited.
    pub(crate) async fn enqueue_again(&self, article_id: i64, revision: i64) {
        let task =
            NewTask { revision, operation: Operation::Update, ..task(article_id, &format!("edited {article_id}")) };
        let queued = self.database.write(async move |transaction| tasks::enqueue(transaction, &task).await);
        queued.await.expect("a task");
    }
}

/// As short for a long body: it is indexed.
pub(crate) fn hash_of(slug: &str, body: &str) -> String {
    let mut hasher = DefaultHasher::new();
    (slug, body).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

pub(crate) fn task(article_id: i64, slug: &str) -> NewTask {
    NewTask::created(article_id, slug)
}

/// Settings with short intervals.
pub(crate) fn quick() -> RuntimeSettings {
    let soon = Delays { base: Duration::from_millis(5), max: Duration::from_millis(50) };
    RuntimeSettings {
        slots: 4,
        poll_interval: Duration::from_millis(50),
        retry: soon,
        circuit: soon,
        heartbeat_interval: Duration::from_millis(100),
        metrics_interval: Duration::from_millis(200),
        sweep_interval: Duration::from_millis(500),
        restart: RestartSettings { intensity: 1000, window: Duration::from_secs(60), delays: soon },
        ..RuntimeSettings::default()
    }
}
