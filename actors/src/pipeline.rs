//! One attempt at one task: load, cut, reuse, embed. It writes nothing; the QueueActor commits what it made, and the
//! next attempt is given what a failed one made.

mod batches;
mod body_permits;
mod hashed;
mod reads;

use std::{collections::HashSet, sync::Arc, time::Duration};

use self::hashed::HashedChunk;
use crate::{
    embedder::{Chunker, EmbedError, Model, Source},
    outcome::Outcome,
    requests::{Entry, RequestRank, Requests},
    settings::Delays,
    store::{Database, StoreError, vectors},
    task::{ArticleSnapshot, ClaimedTask, EmbeddedChunk, EmbeddedSet, Failure, Operation, Vectors},
};

use body_permits::BodyPermit;
pub(crate) use body_permits::BodyPermits;
pub(crate) use reads::Reads;

/// What an attempt needs.
#[derive(Clone)]
pub(crate) struct Pipeline {
    /// Long articles are read from it.
    pub(crate) database: Database,
    /// Short articles and known vectors are read by it.
    pub(crate) reads: Arc<Reads>,
    /// Cuts articles into chunks.
    pub(crate) chunker: Arc<dyn Chunker>,
    /// Embeds the chunks.
    pub(crate) requests: Arc<Requests>,
    /// Bounds the memory of the articles that are being processed.
    pub(crate) room: Arc<BodyPermits>,
    /// `embedding_models.id`.
    pub(crate) model_id: i64,
    /// Delays between the tries of one request.
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
    /// Makes one for an attempt that shares nothing with others.
    pub(crate) fn of_one(database: &Database, model: &Model, model_id: i64, again: Delays) -> Self {
        let Model { embedder, chunker } = model.clone();
        let (requests, room) = (Requests::new(embedder, usize::MAX), Arc::default());
        let reads = Arc::new(Reads::new(database));
        Self { database: database.clone(), reads, chunker, requests, room, model_id, again }
    }

    /// Works on `task`; every failure is an outcome. `made` brings the vectors of earlier attempts; afterwards it
    /// contains those of this one too, even if it is dropped before its end. Each step may take as long as `limit`;
    /// embedding begins when the article has its turn at the provider.
    pub(crate) async fn run(&self, task: &ClaimedTask, made: &mut Vectors, limit: Duration) -> Outcome {
        if let Some(outcome) = without_embedding(task) {
            return outcome;
        }
        match self.embed(task, made, limit).await {
            Ok(outcome) => outcome,
            Err(Stopped::Failed(failure)) => Outcome::Failed(failure),
            Err(Stopped::Unread(error)) => Outcome::Unread(error),
        }
    }

    async fn embed(&self, task: &ClaimedTask, made: &mut Vectors, limit: Duration) -> Result<Outcome, Stopped> {
        // A task that has failed before may fail again: others must not wait for it.
        let rank = RequestRank { queue_key: task.queue_key, alone: task.attempt > 1 };
        let entry = self.requests.enter(rank);
        let (text, _room) = self.read(task.article_id).await?;
        let Some(text) = text else { return Ok(Outcome::Discard { cause: "article deleted" }) };
        if text.skip_embedding {
            return Ok(Outcome::Discard { cause: "embedding skipped" });
        }
        afterword_faults::point!("attempt.loaded", StoreError::Failed);
        let (revision, content_hash) = (text.revision, text.content_hash);
        let chunks = within(limit, self.cut(text.title, text.body)).await?;
        afterword_faults::point!("attempt.cut", StoreError::Failed);
        let stored = within(limit, self.stored_vectors(&chunks)).await?;
        let filled = entry.limited(limit, self.fill(&entry, chunks, &stored, made)).await;
        let chunks = filled.unwrap_or_else(|| Err(gave_up(limit).into()))?;
        afterword_faults::point!("attempt.embedded", StoreError::Failed);
        Ok(Outcome::Embedded(EmbeddedSet { revision, content_hash, chunks }))
    }

    /// Whether the provider embeds a harmless text now.
    pub(crate) async fn provider_works(&self) -> bool {
        self.requests.provider_works().await
    }

    /// Reads an article once there is room for it.
    async fn read(&self, article_id: i64) -> Result<(Option<vectors::Text>, Option<BodyPermit>), StoreError> {
        let permit = self.room.take_short().await;
        match self.reads.text(article_id).await? {
            Some(vectors::Reading::Text(text)) => {
                let permit = permit.keep(text.body.len() as u64);
                Ok((Some(text), Some(permit)))
            }
            Some(vectors::Reading::Longer { bytes }) => {
                drop(permit);
                let permit = self.room.take_long(bytes).await;
                Ok((vectors::text_of(self.database.runtime_reader(), article_id).await?, Some(permit)))
            }
            None => Ok((None, None)),
        }
    }

    /// Cuts off the async threads: a large text takes seconds.
    async fn cut(&self, title: String, body: String) -> Result<Vec<HashedChunk>, Failure> {
        let chunker = Arc::clone(&self.chunker);
        let work = tokio::task::spawn_blocking(move || {
            let chunks = chunker.chunk(Source { title: &title, body: &body })?;
            Ok(chunks.into_iter().map(HashedChunk::from).collect())
        });
        match work.await {
            Ok(result) => result.map_err(|error: EmbedError| error.into()),
            Err(error) => Err(EmbedError::crashed(format!("cutting the article panicked: {error}")).into()),
        }
    }

    /// The vectors that were made before, by their hashes.
    async fn stored_vectors(&self, chunks: &[HashedChunk]) -> Result<Vectors, StoreError> {
        let hashes: HashSet<&str> = chunks.iter().map(|chunk| chunk.text.hash.as_str()).collect();
        self.reads.stored_vectors(self.model_id, hashes).await
    }

    /// Gives each chunk its vector: a known one where there is one, else a new one.
    async fn fill(
        &self,
        entry: &Entry,
        chunks: Vec<HashedChunk>,
        stored: &Vectors,
        made: &mut Vectors,
    ) -> Result<Vec<EmbeddedChunk>, Stopped> {
        let new = first_of_each_hash(&chunks, stored, made);
        batches::embed_all(entry, self.requests.limits(), &new, self.again, made).await?;
        Ok(chunks.into_iter().map(|chunk| chunk.with_vector(stored, made)).collect::<Result<_, _>>()?)
    }
}

/// Gives `work` up if it takes longer than `limit`.
async fn within<T, E: Into<Stopped>>(limit: Duration, work: impl Future<Output = Result<T, E>>) -> Result<T, Stopped> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result.map_err(Into::into),
        Err(_) => Err(gave_up(limit).into()),
    }
}

fn gave_up(limit: Duration) -> Failure {
    EmbedError::transient(format!("gave up after {limit:?}, the limit queue.max_processing_time")).into()
}

/// The outcome, if the claim alone decides it and the body need not be read.
fn without_embedding(task: &ClaimedTask) -> Option<Outcome> {
    match (task.operation, task.subject) {
        (Operation::Delete, _) => Some(Outcome::Discard { cause: "vectors removed" }),
        (_, ArticleSnapshot::Gone) => Some(Outcome::Discard { cause: "article deleted" }),
        (_, ArticleSnapshot::Skipped) => Some(Outcome::Discard { cause: "embedding skipped" }),
        (_, ArticleSnapshot::Unchanged { revision }) => Some(Outcome::Unchanged { revision }),
        (_, ArticleSnapshot::Changed) => None,
    }
}

/// The chunks to be embedded: of equal ones the first, and none that has a vector already.
fn first_of_each_hash<'a>(chunks: &'a [HashedChunk], stored: &Vectors, made: &Vectors) -> Vec<&'a HashedChunk> {
    let mut seen = HashSet::new();
    let is_new = |hash: &String| !stored.contains_key(hash) && !made.contains_key(hash);
    chunks.iter().filter(|chunk| is_new(&chunk.text.hash) && seen.insert(chunk.text.hash.as_str())).collect()
}
