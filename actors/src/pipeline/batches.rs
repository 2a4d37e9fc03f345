//! Batches by count and by tokens, and the search for the one bad text in a refused batch.

use futures_util::future::BoxFuture;

use super::HashedChunk;
use crate::{
    embedder::{BatchLimits, EmbedError, Embedder, ErrorKind, Purpose, Vector},
    task::Failure,
};

/// Embeds `chunks`, answering in their order.
pub(super) async fn embed_all(
    embedder: &dyn Embedder,
    chunks: &[&HashedChunk],
    purpose: Purpose,
) -> Result<Vec<Vector>, Failure> {
    let limits = embedder.limits();
    let mut vectors = Vec::with_capacity(chunks.len());
    let mut rest = chunks;
    while !rest.is_empty() {
        let (batch, others) = rest.split_at(batch_length(rest.iter().map(|chunk| chunk.chunk.tokens), limits));
        vectors.extend(embed_batch(embedder, batch, purpose).await?);
        rest = others;
    }
    Ok(vectors)
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

/// A batch that is refused for its content is halved until the bad text stands alone.
fn embed_batch<'a>(
    embedder: &'a dyn Embedder,
    batch: &'a [&'a HashedChunk],
    purpose: Purpose,
) -> BoxFuture<'a, Result<Vec<Vector>, Failure>> {
    Box::pin(async move {
        let texts: Vec<_> = batch.iter().map(|chunk| chunk.chunk.input.clone()).collect();
        match embedder.embed(&texts, purpose).await {
            Ok(vectors) if vectors.len() == batch.len() => Ok(vectors),
            Ok(vectors) => Err(wrong_count(batch.len(), vectors.len()).into()),
            Err(error) if error.kind == ErrorKind::Data && batch.len() > 1 => {
                let (left, right) = batch.split_at(batch.len() / 2);
                let mut vectors = embed_batch(embedder, left, purpose).await?;
                vectors.extend(embed_batch(embedder, right, purpose).await?);
                Ok(vectors)
            }
            Err(error) if error.kind == ErrorKind::Data => Err(blame(error, batch).into()),
            Err(error) => Err(error.into()),
        }
    })
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
