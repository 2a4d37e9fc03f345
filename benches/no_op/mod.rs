//! A model that costs nothing, and tasks with nothing to embed: what is left is the queue's own work.

use std::sync::Arc;

use afterword_actors::{
    embedder::{BatchLimits, Chunk, Chunker, EmbedError, Embedder, Model, ModelIdentity, Purpose, Source, Vector},
    store::{Database, StoreError, models, sql::Sql},
};
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

pub(crate) fn free_model() -> Model {
    let model = Arc::new(Free(ModelIdentity {
        provider: "bench".into(),
        model: "free".into(),
        dimension: Some(8),
        asked_dimension: None,
        document_prefix: String::new(),
        query_prefix: String::new(),
        chunker: "whole".into(),
    }));
    Model { embedder: Arc::clone(&model) as _, chunker: model }
}

/// `count` articles that are embedded already, each with a waiting task: nothing to do but the queue's own work.
pub(crate) async fn fill_with_no_ops(database: &Database, count: i64) {
    let identity = free_model().embedder.identity().clone();
    database
        .write::<_, StoreError, _>(async move |transaction| {
            let model = models::offer(transaction, &identity, None).await?;
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
        .await
        .expect("rows");
}
