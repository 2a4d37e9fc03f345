//! How fast the queue drains, audit trail, counts and status rows included. A plain program:
//! `cargo bench --bench queue [-- SLOTS]`; with SLOTS it prints one number, tasks for each second.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use afterword_actors::{
    Runtime, RuntimeSettings,
    embedder::{BatchLimits, Chunk, Chunker, EmbedError, Embedder, Model, ModelIdentity, Purpose, Source, Vector},
    store::{
        Database, OpenOptions, StoreError, models,
        sql::{Number, Sql},
    },
};
use afterword_migration::{Migrator, MigratorTrait};
use async_trait::async_trait;

/// A model that costs nothing.
struct Free(ModelIdentity);

#[async_trait]
impl Embedder for Free {
    fn identity(&self) -> &ModelIdentity {
        &self.0
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits { texts: 100, tokens: 100_000 }
    }

    async fn embed(&self, texts: &[String], _: Purpose) -> Result<Vec<Vector>, EmbedError> {
        let one = || Vector::normalised(vec![1.0; 8]).map_err(|error| EmbedError::data(error.to_string()));
        texts.iter().map(|_| one()).collect()
    }
}

impl Chunker for Free {
    fn chunk(&self, source: Source<'_>) -> Result<Vec<Chunk>, EmbedError> {
        let text = source.body.to_owned();
        Ok(vec![Chunk { heading_path: String::new(), input: text.clone(), text, tokens: 10 }])
    }
}

fn free_model() -> Model {
    let model = Arc::new(Free(ModelIdentity {
        provider: "bench".into(),
        model: "free".into(),
        dimension: Some(8),
        document_prefix: String::new(),
        query_prefix: String::new(),
        chunker: "whole".into(),
    }));
    Model { embedder: Arc::clone(&model) as _, chunker: model }
}

async fn database(directory: &tempfile::TempDir) -> Database {
    let url = format!("sqlite://{}", directory.path().join("bench.db").display());
    let database = Database::open(&OpenOptions::new(url)).await.expect("a database");
    Migrator::up(database.write_connection(), None).await.expect("a schema");
    database
}

/// `count` articles that are embedded already, each with a waiting task: nothing to do but the queue's own work.
async fn fill_with_no_ops(database: &Database, count: i64) {
    let identity = free_model().embedder.identity().clone();
    database
        .write::<_, StoreError, _>(move |transaction| {
            Box::pin(async move {
                let model = models::register(transaction, &identity).await?;
                transaction
                    .run(
                        "INSERT INTO articles (id, slug, title, body, content_hash, created_at, updated_at)
                         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
                         SELECT i, 'article-' || i, 'Title', 'Body', 'h', {now}, {now} FROM n",
                        [count.into()],
                    )
                    .await?;
                transaction
                    .run(
                        "INSERT INTO article_embeddings
                         SELECT id, $1, 1, 'h', 0, {now} FROM articles",
                        [model.id.into()],
                    )
                    .await?;
                transaction
                    .run(
                        "INSERT INTO embedding_tasks (article_id, slug, operation, status, priority, revision,
                             max_attempts, created_at, updated_at, scheduled_at, queue_key, cause)
                         SELECT id, slug, 'update', 'pending', 'normal', 1, 3, {now}, {now}, {now}, {now}, 'bench'
                         FROM articles",
                        [],
                    )
                    .await
            })
        })
        .await
        .expect("rows");
}

async fn drain(count: i64, slots: u32) -> f64 {
    let directory = tempfile::tempdir().expect("a directory");
    let database = database(&directory).await;
    fill_with_no_ops(&database, count).await;
    // Two halves: while one is committed, the other is worked on.
    let settings = RuntimeSettings { slots, claim_batch: (slots / 2).max(1), ..RuntimeSettings::default() };
    let begun = Instant::now();
    let runtime = Runtime::start(database.clone(), free_model(), settings).await.expect("a runtime");
    let open = "SELECT tasks AS n FROM embedding_task_counts WHERE status = 'completed'";
    while database.reader().row::<Number>(open, []).await.expect("a count").map_or(0, |row| row.n) < count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let rate = count as f64 / begun.elapsed().as_secs_f64();
    runtime.stop(Duration::from_secs(5)).await;
    rate
}

#[tokio::main]
async fn main() {
    if let Some(slots) = std::env::args().skip(1).find_map(|text| text.parse().ok()) {
        println!("{:.0}", drain(30_000, slots).await);
        return;
    }
    for slots in [1, 8, 64, 256, 512] {
        let count = if slots == 1 { 5_000 } else { 50_000 };
        println!("no-op tasks drained, {slots:>3} slots: {:>8.0} /s", drain(count, slots).await);
    }
}
