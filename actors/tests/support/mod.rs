//! A database with articles, and a model that tests can hold and break.

#[path = "../../../tests/support/place.rs"]
mod place;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use afterword_actors::{
    Delays, RestartSettings, Runtime, RuntimeSettings,
    embedder::{BatchLimits, Chunk, Chunker, EmbedError, Embedder, Model, ModelIdentity, Purpose, Source, Vector},
    store::{Database, StoreError, sql::Sql, stats, tasks},
    task::{NewTask, Operation, Priority},
};
use async_trait::async_trait;
use tokio::sync::Semaphore;

pub(crate) use place::{File, Place, Server};

/// A model whose calls wait for permits, and which fails for texts that say so.
pub(crate) struct TestModel {
    identity: ModelIdentity,
    /// Calls take one each; closed never.
    pub(crate) gate: Semaphore,
    /// Texts embedded, with how often.
    pub(crate) calls: Mutex<HashMap<String, usize>>,
    running: AtomicUsize,
    /// Most calls that ran at the same time.
    pub(crate) peak: AtomicUsize,
    /// While set, every call fails with it, probes too.
    pub(crate) outage: Mutex<Option<EmbedError>>,
}

impl TestModel {
    pub(crate) fn new(name: &str) -> Arc<Self> {
        let identity = ModelIdentity {
            provider: "test".into(),
            model: name.into(),
            dimension: Some(4),
            document_prefix: String::new(),
            query_prefix: String::new(),
            chunker: "lines-1".into(),
        };
        Arc::new(Self {
            identity,
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            calls: Mutex::default(),
            running: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            outage: Mutex::new(None),
        })
    }

    /// Lets no further call pass until [`TestModel::open`].
    pub(crate) async fn hold(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn open(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    pub(crate) fn model(self: &Arc<Self>) -> Model {
        Model { embedder: Arc::clone(self) as _, chunker: Arc::new(Lines) }
    }
}

#[async_trait]
impl Embedder for TestModel {
    fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits { texts: 8, tokens: 1000 }
    }

    async fn embed(&self, texts: &[String], _purpose: Purpose) -> Result<Vec<Vector>, EmbedError> {
        if let Some(error) = self.outage.lock().expect("the lock").clone() {
            return Err(error);
        }
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(running, Ordering::SeqCst);
        let _leave = Leave(&self.running);
        self.gate.acquire().await.expect("an open gate").forget();
        for text in texts {
            *self.calls.lock().expect("the lock").entry(text.clone()).or_default() += 1;
            if text.contains("PANIC") {
                panic!("asked to panic");
            }
            if text.contains("POISON") {
                return Err(EmbedError::data("poisoned"));
            }
            if text.contains("FLAKY") {
                return Err(EmbedError::transient("flaky"));
            }
        }
        Ok(texts.iter().map(|text| vector_of(text)).collect())
    }
}

struct Leave<'a>(&'a AtomicUsize);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn vector_of(text: &str) -> Vector {
    let mut numbers = vec![1.0_f32; 4];
    for (position, byte) in text.bytes().enumerate() {
        numbers[position % 4] += f32::from(byte);
    }
    Vector::normalised(numbers).expect("a direction")
}

/// A chunk for each line that is not blank.
struct Lines;

impl Chunker for Lines {
    fn chunk(&self, source: Source<'_>) -> Result<Vec<Chunk>, EmbedError> {
        let lines = std::iter::once(source.title).chain(source.body.lines()).filter(|line| !line.trim().is_empty());
        Ok(lines
            .map(|line| Chunk { heading_path: String::new(), text: line.into(), input: line.into(), tokens: 5 })
            .collect())
    }
}

/// A migrated database of its own.
pub(crate) struct Bench<P> {
    pub(crate) database: Database,
    /// Goes with the test.
    _place: P,
}

impl<P: Place> Bench<P> {
    pub(crate) async fn new() -> Self {
        let place = P::fresh().await;
        Self { database: place::open(place.url()).await, _place: place }
    }

    /// Saves an article with its task, as a host does; answers the article's id.
    pub(crate) async fn save(&self, slug: &str, body: &str) -> i64 {
        let (slug, body) = (slug.to_owned(), body.to_owned());
        self.database
            .write::<_, StoreError, _>(move |transaction| {
                Box::pin(async move {
                    let row = transaction
                        .row::<afterword_actors::store::sql::Number>(
                            "INSERT INTO articles (slug, title, body, content_hash, created_at, updated_at)
                             VALUES ($1, $1, $2, $1 || $2, {now}, {now}) RETURNING id AS n",
                            [slug.clone().into(), body.into()],
                        )
                        .await?;
                    let article_id = row.expect("a row").n;
                    tasks::enqueue(transaction, &task(article_id, &slug)).await?;
                    Ok(article_id)
                })
            })
            .await
            .expect("a save")
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let row = self.database.reader().row::<afterword_actors::store::sql::Number>(sql, []).await;
        row.expect("a query").expect("a row").n
    }

    /// Waits until nothing is waiting or in work.
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

pub(crate) fn task(article_id: i64, slug: &str) -> NewTask {
    NewTask {
        article_id,
        slug: slug.to_owned(),
        operation: Operation::Create,
        priority: Priority::Normal,
        revision: 1,
        max_attempts: 3,
        cause: "saved",
        trace_id: None,
    }
}

/// Everything happens soon.
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
