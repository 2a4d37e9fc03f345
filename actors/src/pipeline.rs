//! One attempt at one task: load, cut, reuse, embed. It writes nothing; what it made is committed by the QueueActor, and
//! what a failed attempt made is given to the next.

mod batches;
mod hashed;

use std::{collections::HashSet, sync::Arc};

use self::hashed::HashedChunk;
use crate::{
    embedder::{EmbedError, Model, Source},
    outcome::Outcome,
    settings::Delays,
    store::{Database, StoreError, vectors},
    task::{ClaimedTask, EmbeddedChunk, EmbeddedSet, Failure, Operation, Subject, Vectors},
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
    /// Between the tries of one request.
    pub(crate) again: Delays,
}

/// Why an attempt has no set of vectors.
enum Stopped {
    Failed(Failure),
    Unread(StoreError),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Unread(error)
    }
}

impl Pipeline {
    /// Works on `task`; every failure is an outcome. `made` holds what an earlier attempt has made, and afterwards what
    /// this one has made too, also if it is dropped before its end.
    pub(crate) async fn run(&self, task: &ClaimedTask, made: &mut Vectors) -> Outcome {
        if let Some(outcome) = without_embedding(task) {
            return outcome;
        }
        match self.embed(task, made).await {
            Ok(outcome) => outcome,
            Err(Stopped::Failed(failure)) => Outcome::Failed(failure),
            Err(Stopped::Unread(error)) => Outcome::Unread(error),
        }
    }

    async fn embed(&self, task: &ClaimedTask, made: &mut Vectors) -> Result<Outcome, Stopped> {
        let text = vectors::text_of(self.database.runtime_reader(), task.article_id).await?;
        let Some(text) = text else { return Ok(Outcome::Discard { cause: "article deleted" }) };
        if text.skip_embedding {
            return Ok(Outcome::Discard { cause: "embedding skipped" });
        }
        afterword_faults::point!("attempt.loaded", StoreError::Failed);
        let (revision, content_hash) = (text.revision, text.content_hash);
        let chunks = self.cut(text.title, text.body).await?;
        afterword_faults::point!("attempt.cut", StoreError::Failed);
        let chunks = self.fill(chunks, made).await?;
        afterword_faults::point!("attempt.embedded", StoreError::Failed);
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
    async fn fill(&self, chunks: Vec<HashedChunk>, made: &mut Vectors) -> Result<Vec<EmbeddedChunk>, Stopped> {
        let hashes: HashSet<&str> = chunks.iter().map(|chunk| chunk.hash.as_str()).collect();
        let known = vectors::known(self.database.runtime_reader(), self.model_id, &hashes).await?;
        let new = first_of_each_hash(&chunks, &known, made);
        batches::embed_all(self.model.embedder.as_ref(), &new, self.again, made).await?;
        Ok(chunks.into_iter().map(|chunk| chunk.with_vector(&known, made)).collect::<Result<_, _>>()?)
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

/// Repeated chunks are embedded once, and those that have a vector not at all.
fn first_of_each_hash<'a>(chunks: &'a [HashedChunk], known: &Vectors, made: &Vectors) -> Vec<&'a HashedChunk> {
    let mut seen = HashSet::new();
    let is_new = |hash: &String| !known.contains_key(hash) && !made.contains_key(hash);
    chunks.iter().filter(|chunk| is_new(&chunk.hash) && seen.insert(chunk.hash.as_str())).collect()
}
