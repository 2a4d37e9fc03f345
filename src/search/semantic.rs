//! The meaning's side: embed the query with the model the index was built with, catch the index up, look.

use std::{sync::Arc, time::Duration};

use afterword_actors::{
    embedder::{Embedder, ModelIdentity, Purpose, Readiness, Vector},
    store::{Database, StoreError, models},
};

use super::{
    question_cache::{EmbeddedQuestion, QuestionCache},
    vectors::{Nearest, NoIndex, VectorIndex, VectorQuery},
};
use crate::fulltext::SearchScope;

/// Gives the embedder that queries need: that of the model the index was built with, reached as it was then.
pub trait QueryModels: Send + Sync + 'static {
    /// An embedder of exactly this identity, reached as was `kept` with its set; `None` if there is none.
    fn embedder_for(&self, identity: &ModelIdentity, kept: Option<&str>) -> Option<Arc<dyn Embedder>>;
}

/// Why the meaning's side has no answer: for people.
#[derive(Debug)]
pub(super) enum SemanticError {
    /// It cannot be searched by meaning now, and this is why.
    Degraded(String),
    /// The database failed, which fails the whole search.
    Store(StoreError),
}

impl From<StoreError> for SemanticError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What the meaning's side answers.
pub(super) struct SemanticHits {
    /// The nearest chunk of each of the nearest articles, the best first.
    pub(super) nearest: Vec<Nearest>,
    /// The question, and the model whose vectors it was compared with.
    pub(super) near: (i64, Vector),
    /// How many tokens the model needs for a word of the question, if it says so.
    pub(super) tokens_per_word: Option<f64>,
}

/// The articles nearest to the question.
pub(super) async fn ranking(
    database: &Database,
    index: &Arc<VectorIndex>,
    models: &Arc<dyn QueryModels>,
    cache: &QuestionCache,
    request: &Request<'_>,
) -> Result<SemanticHits, SemanticError> {
    let Some(active) = models::active(database.reader()).await? else {
        return Err(SemanticError::Degraded("nothing has been embedded yet".to_owned()));
    };
    let identity: ModelIdentity = serde_json::from_str(&active.identity).map_err(|error| {
        let id = active.id;
        SemanticError::Degraded(format!(
            "the model of set {id} is described in a way that this version does not know: {error}"
        ))
    })?;
    let kept = models::record_of(database.reader(), active.id).await?.settings;
    let Some(embedder) = models.embedder_for(&identity, kept.as_deref()) else {
        let name = format!("{} of {}", identity.model, identity.provider);
        return Err(SemanticError::Degraded(format!(
            "the index was built with {name}, which the settings do not offer"
        )));
    };
    let EmbeddedQuestion { vector: query, tokens_per_word } = match cache.of(active.id, request.text) {
        Some(embedded) => embedded,
        None => {
            let vector = embed_query(Arc::clone(&embedder), request.text, request.deadline).await?;
            let embedded = EmbeddedQuestion { vector, tokens_per_word: embedder.tokens_per_word(request.text) };
            cache.keep(active.id, request.text, embedded.clone());
            embedded
        }
    };
    if let Some(dimension) = active.dimension
        && u32::try_from(dimension) != Ok(query.dimension())
    {
        let answered = query.dimension();
        return Err(SemanticError::Degraded(format!(
            "the model answered {answered} numbers, the index has {dimension}"
        )));
    }
    let look = VectorQuery {
        model_id: active.id,
        near: &query,
        among: request.among,
        depth: request.depth,
        patience: request.deadline,
    };
    let nearest = index.nearest(database, look).await.map_err(|error| match error {
        NoIndex::Reading { .. } | NoIndex::Failed(_) => SemanticError::Degraded(error.to_string()),
        NoIndex::Store(error) => SemanticError::Store(error),
    })?;
    Ok(SemanticHits { nearest, near: (active.id, query), tokens_per_word })
}

/// What is looked for.
pub(super) struct Request<'a> {
    pub(super) text: &'a str,
    pub(super) among: &'a SearchScope,
    /// Articles, if there are as many.
    pub(super) depth: usize,
    /// For embedding the query, and as long again for reading vectors that are not in memory yet.
    pub(super) deadline: Duration,
}

/// Waits for a model that is on its way, as long as for one that computes.
async fn embed_query(embedder: Arc<dyn Embedder>, text: &str, deadline: Duration) -> Result<Vector, SemanticError> {
    let texts = [text.to_owned()];
    let mut readiness = embedder.readiness();
    let embedding = async {
        if let Some(readiness) = &mut readiness {
            // An embedder that is gone answers for itself.
            let _ = readiness.wait_for(|state| !matches!(state, Readiness::Loading(_))).await;
        }
        embedder.embed(&texts, Purpose::Query).await
    };
    match tokio::time::timeout(deadline, embedding).await {
        Ok(Ok(mut vectors)) => vectors
            .pop()
            .ok_or_else(|| SemanticError::Degraded("the model answered no vector for the query".to_owned())),
        Ok(Err(error)) => Err(SemanticError::Degraded(error.message)),
        Err(_) => Err(SemanticError::Degraded(match readiness.map(|state| state.borrow().clone()) {
            Some(Readiness::Loading(how)) => how,
            Some(Readiness::Ready | Readiness::Failed(_)) | None => {
                format!("the model did not embed the query within {deadline:?}")
            }
        })),
    }
}
