//! One request, and what its failure means for its texts.
//!
//! A failed request says nothing about the texts of other attempts that wait for its result. If the provider cannot be
//! reached, asks for a pause, or refuses a harmless text too, all of them get the failure and no document pays.
//! Otherwise the request is to blame, whatever the provider calls it: a firewall refuses one text with 401, a gateway
//! answers 503. A request that several articles share is then divided until the bad text is alone. A failed request of
//! one article is judged by its attempt; it is no longer taken for the provider's fault if it was sent twice and a
//! harmless text was accepted each time.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{messages::Refusal, pool::Item};
use crate::{
    embedder::{EmbedError, Embedder, ErrorKind, Fault, Purpose, Vector},
    panics::catch_panic,
};

/// A probe that takes longer has failed.
const PROBE_TIMEOUT: Duration = Duration::from_secs(120);
/// A shared request that fails sooner than this is sent once more unchanged: most failures are momentary.
const RETRY_WHOLE_BEFORE: Duration = Duration::from_secs(10);
/// Most parts that a refused request is divided into: with two, the texts that are not to blame would wait for more
/// rounds.
const MAX_PARTS: usize = 8;

/// Texts that travel together.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) items: Vec<Item>,
    /// It is a part of a larger request.
    pub(super) is_part: bool,
}

/// A request that brought no vectors.
#[derive(Debug)]
pub(super) enum CallError {
    /// The provider fails as a whole.
    All(Refusal),
    /// These texts are refused.
    These(Refusal),
    /// One text or one article of these is to blame; which is not known.
    Some,
}

impl Request {
    /// Whether a failure is to be expected: it is a part of one that failed, or its article has failed before.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_part || self.items.iter().any(|item| item.alone)
    }

    /// Whether it carries texts of more than one article.
    fn is_shared(&self) -> bool {
        self.items.iter().any(|item| item.attempt != self.items[0].attempt)
    }

    /// Divides it to find the text that is to blame: by articles, and a request of one article by halves.
    pub(super) fn divided(self) -> Vec<Self> {
        if !self.is_shared() {
            let mut left = self.items;
            let right = left.split_off(left.len() / 2);
            return [left, right].map(|items| Self { items, is_part: true }).into();
        }
        let mut items = self.items;
        items.sort_by_key(|item| item.attempt);
        let articles: Vec<_> = items.chunk_by(|a, b| a.attempt == b.attempt).collect();
        let parts = articles.chunks(articles.len().div_ceil(MAX_PARTS));
        parts.map(|part| Self { items: part.concat(), is_part: true }).collect()
    }
}

/// Sends `request`.
pub(super) async fn call(embedder: Arc<dyn Embedder>, request: Arc<Request>) -> Result<Vec<Vector>, CallError> {
    let texts: Vec<_> = request.items.iter().map(|item| item.text.input.clone()).collect();
    let mut is_first = !request.is_part;
    loop {
        let begun = Instant::now();
        let error = match embed(embedder.as_ref(), &texts).await {
            Ok(vectors) => return Ok(vectors),
            Err(error) => error,
        };
        // A wait for a turn, for a place, or for the parts before this one says nothing about the provider.
        let took = error.took.unwrap_or_else(|| begun.elapsed());
        let refusal = Refusal { error, took };
        let of_the_moment = refusal.error.kind == ErrorKind::Transient && refusal.took < RETRY_WHOLE_BEFORE;
        if refusal.error.fault == Fault::Provider {
            if refusal.error.retry_after.is_some() || probe(embedder.as_ref()).await.is_err() {
                return Err(CallError::All(refusal));
            }
            if request.is_shared() {
                return Err(CallError::Some);
            }
            if of_the_moment && std::mem::take(&mut is_first) {
                continue;
            }
            let error = EmbedError { fault: Fault::Unclear, ..refusal.error };
            return Err(CallError::These(Refusal { error, ..refusal }));
        }
        let is_data = refusal.error.kind == ErrorKind::Data;
        if !request.is_shared() {
            return Err(if is_data && texts.len() > 1 { CallError::Some } else { CallError::These(refusal) });
        }
        if let Err(error) = probe(embedder.as_ref()).await {
            return Err(CallError::All(Refusal { error, ..refusal }));
        }
        if !of_the_moment || !std::mem::take(&mut is_first) {
            return Err(CallError::Some);
        }
    }
}

async fn embed(embedder: &dyn Embedder, texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
    match catch_panic(embedder.embed(texts, Purpose::Document)).await {
        Ok(Ok(vectors)) if vectors.len() == texts.len() => Ok(vectors),
        Ok(Ok(vectors)) => {
            let (asked, answered) = (texts.len(), vectors.len());
            Err(EmbedError::transient(format!("the provider answered {answered} vectors for {asked} texts")))
        }
        Ok(Err(error)) => Err(error),
        Err(panic) => Err(EmbedError::crashed(format!("the worker panicked: {panic}"))),
    }
}

/// Checks whether the provider embeds a harmless text. A failure is then the provider's.
pub(super) async fn probe(embedder: &dyn Embedder) -> Result<(), EmbedError> {
    let error = match catch_panic(tokio::time::timeout(PROBE_TIMEOUT, embedder.probe())).await {
        Ok(Ok(Ok(()))) => return Ok(()),
        Ok(Ok(Err(error))) => error.refuses_everything(),
        Ok(Err(_)) => EmbedError::transient(format!("no answer to a probe within {PROBE_TIMEOUT:?}")),
        Err(panic) => EmbedError::transient(format!("the probe panicked: {panic}")),
    };
    Err(EmbedError { fault: Fault::Provider, ..error })
}
