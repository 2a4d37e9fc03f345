//! A world for tests: a database of its own on SQLite or PostgreSQL, the real services, the real runtime, and a
//! scripted provider.
#![allow(dead_code, unused_imports, reason = "each test binary uses its part")]

pub(crate) mod agent;
pub(crate) mod lengthened;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod requirement;
pub(crate) mod reranker;
mod test_database;
pub(crate) mod tool;
pub(crate) mod visitor;

use std::{sync::Arc, time::Duration};

use afterword::{
    articles::{AfterSave, Articles, Limits, NewArticle, slug::Slug},
    chunking::{ApproximateTokens, ChunkLimits, MarkdownChunker},
    embedding::scripted::{Script, ScriptedEmbedder},
    search::{Mode, Query, QueryModels, Search, SearchAnswer, SearchSettings},
};
use afterword_actors::{
    Delays, RestartSettings, Runtime, RuntimeSettings,
    embedder::{Embedder, Model, ModelIdentity},
    store::{Database, sql::Sql, stats},
};

/// A test that waits for something is stuck if nothing happens for this long.
const STUCK: Duration = Duration::from_secs(60);

pub(crate) use test_database::{OnPostgres, OnSqlite, TOKIO, TestDatabase, open};

/// Everything a host has, on a database of its own.
pub(crate) struct TestHost<P> {
    pub(crate) place: Arc<P>,
    pub(crate) database: Database,
    pub(crate) embedder: Arc<ScriptedEmbedder>,
    pub(crate) search: Search,
    pub(crate) settings: RuntimeSettings,
}

/// On SQLite, for tests that do not depend on the engine.
pub(crate) type SqliteTestHost = TestHost<OnSqlite>;

/// The scripted provider answers queries too.
pub(crate) struct OneModel(pub(crate) Arc<ScriptedEmbedder>);

impl QueryModels for OneModel {
    fn embedder_for(&self, identity: &ModelIdentity, _: Option<&str>) -> Option<Arc<dyn Embedder>> {
        (self.0.identity().fingerprint() == identity.fingerprint()).then(|| Arc::clone(&self.0) as _)
    }
}

impl<P: TestDatabase> TestHost<P> {
    pub(crate) async fn new() -> Self {
        Self::with(Script::default(), quick()).await
    }

    pub(crate) async fn with(script: Script, settings: RuntimeSettings) -> Self {
        Self::on(Arc::new(P::fresh().await), ScriptedEmbedder::new(script), settings).await
    }

    async fn on(place: Arc<P>, embedder: Arc<ScriptedEmbedder>, settings: RuntimeSettings) -> Self {
        let database = test_database::open(place.url()).await;
        let models = Arc::new(OneModel(Arc::clone(&embedder)));
        let search = Search::new(database.clone(), models, SearchSettings::default());
        Self { place, database, embedder, search, settings }
    }

    /// The same database as another process sees it: connections, caches and index of its own.
    pub(crate) async fn beside(&self) -> Self {
        Self::on(Arc::clone(&self.place), Arc::clone(&self.embedder), self.settings.clone()).await
    }

    /// The same database with another model.
    pub(crate) async fn beside_with(&self, script: Script) -> Self {
        Self::on(Arc::clone(&self.place), ScriptedEmbedder::new(script), self.settings.clone()).await
    }

    pub(crate) fn model(&self) -> Model {
        let limits = ChunkLimits::new(64);
        let chunker = MarkdownChunker::new(Arc::new(ApproximateTokens), limits).expect("limits");
        Model { embedder: Arc::clone(&self.embedder) as _, chunker: Arc::new(chunker) }
    }

    pub(crate) async fn start(&self) -> Runtime {
        Runtime::start(self.database.clone(), self.model(), self.settings.clone()).await.expect("a runtime")
    }

    /// The article service, waking `runtime` if there is one.
    pub(crate) fn articles(&self, runtime: Option<&Runtime>) -> Articles {
        let after = runtime.map_or(AfterSave::Poll, |runtime| AfterSave::Wake(runtime.handle()));
        Articles::new(self.database.clone(), Limits::default(), self.settings.max_attempts, after)
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.database.reader().row::<i64>(sql, []).await.expect("a query").expect("a row")
    }

    pub(crate) async fn run(&self, sql: impl Into<String>) {
        let sql = sql.into();
        self.database.write(async move |transaction| transaction.run(&sql, []).await).await.expect("a statement");
    }

    pub(crate) async fn stats(&self) -> stats::QueueStats {
        stats::queue(self.database.reader()).await.expect("statistics")
    }

    /// Waits until no task is pending or processing.
    pub(crate) async fn settled(&self, runtime: &Runtime) -> stats::QueueStats {
        let mut events = runtime.subscribe();
        let waiting = async {
            loop {
                let stats = self.stats().await;
                if stats.pending + stats.processing == 0 {
                    return stats;
                }
                // Every change is announced; a missed announcement costs a moment.
                let _ = tokio::time::timeout(Duration::from_millis(50), events.recv()).await;
            }
        };
        match tokio::time::timeout(STUCK, waiting).await {
            Ok(stats) => stats,
            Err(_) => panic!("the queue is stuck: {:?}\n{:#?}", self.stats().await, runtime.status().await),
        }
    }

    pub(crate) async fn find(&self, text: &str, mode: Mode) -> SearchAnswer {
        let query = Query::new(text, mode, 10);
        self.search.search(&query).await.expect("an answer")
    }

    /// The slugs that a search finds.
    pub(crate) async fn found(&self, text: &str, mode: Mode) -> Vec<String> {
        self.find(text, mode).await.hits.into_iter().map(|hit| hit.slug).collect()
    }
}

pub(crate) fn article(slug: &str, body: &str) -> NewArticle {
    NewArticle {
        title: format!("Title of {slug}"),
        body: body.to_owned(),
        slug: Some(Slug::parse(slug).expect("a slug")),
        ..NewArticle::default()
    }
}

/// Settings with short intervals.
pub(crate) fn quick() -> RuntimeSettings {
    let soon = Delays { base: Duration::from_millis(4), max: Duration::from_millis(40) };
    RuntimeSettings {
        slots: 2,
        poll_interval: Duration::from_millis(20),
        retry: soon,
        circuit: soon,
        heartbeat_interval: Duration::from_millis(100),
        metrics_interval: Duration::from_millis(100),
        sweep_interval: Duration::from_millis(200),
        restart: RestartSettings { intensity: 1000, window: Duration::from_secs(60), delays: soon },
        ..RuntimeSettings::default()
    }
}

/// How a drain may end.
pub(crate) const DRAIN: Duration = Duration::from_secs(10);
