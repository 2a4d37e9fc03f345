//! One attempt at one task: load, cut, reuse, embed. It writes nothing; what it made is committed by the QueueActor.

mod batches;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use sha2::{Digest, Sha256};

use crate::{
    embedder::{Chunk, EmbedError, Model, Purpose, Source, Vector},
    store::{Database, StoreError, vectors},
    task::{ClaimedTask, EmbeddedChunk, EmbeddedSet, Failure, Operation, Outcome, Subject},
};

/// What an attempt needs.
#[derive(Clone)]
pub(crate) struct Pipeline {
    /// Where articles and known vectors are read.
    pub(crate) database: Database,
    /// What cuts and embeds.
    pub(crate) model: Model,
    /// The model's row.
    pub(crate) model_id: i64,
}

impl Pipeline {
    /// Works on `task`; every failure is an outcome.
    pub(crate) async fn run(&self, task: &ClaimedTask) -> Outcome {
        if let Some(outcome) = without_embedding(task) {
            return outcome;
        }
        match self.embed(task).await {
            Ok(outcome) => outcome,
            Err(failure) => Outcome::Failed(failure),
        }
    }

    async fn embed(&self, task: &ClaimedTask) -> Result<Outcome, Failure> {
        let text = vectors::text_of(self.database.reader(), task.article_id).await.map_err(store_failed)?;
        let Some(text) = text else { return Ok(Outcome::Discard { cause: "article deleted" }) };
        if text.skip_embedding {
            return Ok(Outcome::Discard { cause: "embedding skipped" });
        }
        let (revision, content_hash) = (text.revision, text.content_hash);
        let chunks = self.cut(text.title, text.body).await?;
        let chunks = self.fill(chunks).await?;
        Ok(Outcome::Embedded(EmbeddedSet { revision, content_hash, chunks }))
    }

    /// Cuts off the async threads: a large text takes seconds.
    async fn cut(&self, title: String, body: String) -> Result<Vec<HashedChunk>, Failure> {
        let chunker = Arc::clone(&self.model.chunker);
        let work = tokio::task::spawn_blocking(move || {
            let chunks = chunker.chunk(Source { title: &title, body: &body })?;
            Ok(chunks.into_iter().map(HashedChunk::from).collect())
        });
        match work.await {
            Ok(result) => result.map_err(|error: EmbedError| error.into()),
            Err(error) => Err(EmbedError::crashed(format!("cutting the article panicked: {error}")).into()),
        }
    }

    /// Gives each chunk its vector: a known one where there is one, else a new one.
    async fn fill(&self, chunks: Vec<HashedChunk>) -> Result<Vec<EmbeddedChunk>, Failure> {
        let hashes: HashSet<&str> = chunks.iter().map(|chunk| chunk.hash.as_str()).collect();
        let mut vectors = vectors::known(self.database.reader(), self.model_id, &hashes).await.map_err(store_failed)?;
        let new = first_of_each_hash(&chunks, &vectors);
        let made = batches::embed_all(self.model.embedder.as_ref(), &new, Purpose::Document).await?;
        vectors.extend(new.iter().map(|chunk| chunk.hash.clone()).zip(made));
        chunks.into_iter().map(|chunk| chunk.with_vector(&vectors)).collect()
    }
}

/// What the claim alone decides, without reading the body.
fn without_embedding(task: &ClaimedTask) -> Option<Outcome> {
    match (task.operation, task.subject) {
        (Operation::Delete, _) => Some(Outcome::Discard { cause: "vectors removed" }),
        (_, Subject::Gone) => Some(Outcome::Discard { cause: "article deleted" }),
        (_, Subject::Skipped) => Some(Outcome::Discard { cause: "embedding skipped" }),
        (_, Subject::Unchanged { revision }) => Some(Outcome::Unchanged { revision }),
        (_, Subject::Changed) => None,
    }
}

fn store_failed(error: StoreError) -> Failure {
    // The database is not the provider, but the document is not to blame either: the attempt is given back.
    EmbedError::unavailable(format!("cannot read the article: {error}")).into()
}

/// A chunk and the hash of what is embedded.
pub(crate) struct HashedChunk {
    chunk: Chunk,
    hash: String,
}

impl From<Chunk> for HashedChunk {
    fn from(chunk: Chunk) -> Self {
        let digest = Sha256::digest(chunk.input.as_bytes());
        let hash = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { chunk, hash }
    }
}

impl HashedChunk {
    fn with_vector(self, vectors: &HashMap<String, Vector>) -> Result<EmbeddedChunk, Failure> {
        let Self { chunk: Chunk { heading_path, text, tokens, .. }, hash } = self;
        let vector = vectors
            .get(&hash)
            .cloned()
            .ok_or_else(|| EmbedError::transient("the provider answered fewer vectors than it was given texts"))?;
        Ok(EmbeddedChunk { heading_path, text, hash, tokens, vector })
    }
}

/// Repeated chunks are embedded once.
fn first_of_each_hash<'a>(chunks: &'a [HashedChunk], known: &HashMap<String, Vector>) -> Vec<&'a HashedChunk> {
    let mut seen = HashSet::new();
    chunks.iter().filter(|chunk| !known.contains_key(&chunk.hash) && seen.insert(chunk.hash.as_str())).collect()
}
