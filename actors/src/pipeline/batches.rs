//! Batches by count and by tokens; one request of many that fails is tried again by itself; the one bad text of a refused
//! batch is searched for.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::hashed::HashedChunk;
use crate::{
    backoff::Backoff,
    embedder::{BatchLimits, EmbedError, Embedder, ErrorKind, Fault, Purpose, Vector},
    settings::Delays,
    task::{Failure, Vectors},
};

/// All tries of one request of many, the first included. An attempt that is one request is tried again as a task.
const TRIES: u32 = 3;
/// A request that failed so late is not tried again by itself: the provider hangs, and a probe should find that out.
const LATE: Duration = Duration::from_secs(10);
/// The delays between the tries of a request do not grow beyond this: its task has longer ones.
const LONGEST: Duration = Duration::from_secs(5);

/// Embeds `chunks` as documents and adds their vectors to `made`, batch by batch: a failure loses no finished batch.
pub(super) async fn embed_all(
    embedder: &dyn Embedder,
    chunks: &[&HashedChunk],
    again: Delays,
    made: &mut Vectors,
) -> Result<(), Failure> {
    let limits = embedder.limits();
    let mut rest = chunks;
    let mut tries = 1;
    while !rest.is_empty() {
        let (batch, others) = rest.split_at(batch_length(rest.iter().map(|chunk| chunk.chunk.tokens), limits));
        if !others.is_empty() {
            tries = TRIES;
        }
        embed_batch(embedder, batch, Again { tries, delays: again }, made).await?;
        rest = others;
    }
    Ok(())
}

/// How often and how soon one request is tried again.
#[derive(Clone, Copy)]
struct Again {
    /// The first included.
    tries: u32,
    delays: Delays,
}

/// How many of the texts, given by their `tokens`, fit into one call; at least one.
fn batch_length(tokens: impl Iterator<Item = u32>, limits: BatchLimits) -> usize {
    let mut sum = 0_usize;
    let fitting = tokens
        .take(limits.texts.max(1))
        .take_while(|&tokens| {
            sum = sum.saturating_add(tokens as usize);
            sum <= limits.tokens
        })
        .count();
    fitting.max(1)
}

/// A batch that is refused for its content is halved until the bad text stands alone. Whether the text or the provider
/// is at fault is not known here: a provider may refuse everything in these words.
fn embed_batch<'a>(
    embedder: &'a dyn Embedder,
    batch: &'a [&'a HashedChunk],
    again: Again,
    made: &'a mut Vectors,
) -> BoxFuture<'a, Result<(), Failure>> {
    Box::pin(async move {
        match request(embedder, batch, again).await {
            Ok(vectors) => {
                made.extend(batch.iter().map(|chunk| chunk.hash.clone()).zip(vectors));
                Ok(())
            }
            Err(error) if error.kind == ErrorKind::Data && batch.len() > 1 => {
                let (left, right) = batch.split_at(batch.len() / 2);
                embed_batch(embedder, left, again, made).await?;
                embed_batch(embedder, right, again, made).await
            }
            Err(error) if error.kind == ErrorKind::Data => {
                Err(EmbedError { fault: Fault::Unclear, ..blame(error, batch) }.into())
            }
            Err(error) => Err(error.into()),
        }
    })
}

/// Asks for the vectors of `batch`, again if the failure may be of the moment. A provider that is away, or asks for a
/// pause, is left alone.
async fn request(
    embedder: &dyn Embedder,
    batch: &[&HashedChunk],
    Again { tries, delays }: Again,
) -> Result<Vec<Vector>, EmbedError> {
    let texts: Vec<_> = batch.iter().map(|chunk| chunk.chunk.input.clone()).collect();
    let mut delays = Backoff::new(Delays { max: delays.max.min(LONGEST), ..delays });
    let mut tried = 1;
    loop {
        let begun = Instant::now();
        let error = match embedder.embed(&texts, Purpose::Document).await {
            Ok(vectors) if vectors.len() == batch.len() => return Ok(vectors),
            Ok(vectors) => wrong_count(batch.len(), vectors.len()),
            Err(error) => error,
        };
        let of_the_moment = error.kind == ErrorKind::Transient && error.fault == Fault::Unclear;
        let pause = delays.next_delay().max(error.retry_after.unwrap_or_default());
        if !of_the_moment || tried >= tries || pause > LONGEST || begun.elapsed() > LATE {
            return Err(error);
        }
        tried += 1;
        tokio::time::sleep(pause).await;
    }
}

fn wrong_count(asked: usize, answered: usize) -> EmbedError {
    EmbedError::transient(format!("the provider answered {answered} vectors for {asked} texts"))
}

/// Says which chunk cannot be embedded.
fn blame(error: EmbedError, batch: &[&HashedChunk]) -> EmbedError {
    const SHOWN: usize = 60;
    let Some(chunk) = batch.first() else { return error };
    let start: String = chunk.chunk.text.chars().take(SHOWN).collect();
    let message =
        format!("{} (in the section \"{}\", the piece that begins {start:?})", error.message, chunk.chunk.heading_path);
    EmbedError { message, ..error }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn batches_keep_the_limits_and_lose_nothing(
            tokens in prop::collection::vec(1u32..400, 1..200), texts in 1usize..50, budget in 1usize..2_000,
        ) {
            let limits = BatchLimits { texts, tokens: budget };
            let mut rest = tokens.as_slice();
            while !rest.is_empty() {
                let length = batch_length(rest.iter().copied(), limits);
                prop_assert!((1..=texts).contains(&length));
                let sum: usize = rest[..length].iter().map(|&tokens| tokens as usize).sum();
                prop_assert!(length == 1 || sum <= budget);
                rest = &rest[length..];
            }
        }
    }
}
