//! All texts of one article, in requests that they share with other articles; one failed request of several is tried
//! again by itself.

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::hashed::HashedChunk;
use crate::{
    backoff::Backoff,
    embedder::{BatchLimits, EmbedError, ErrorKind, Fault},
    requests::{Entry, Refusal, RefusedText},
    settings::Delays,
    task::{Failure, Vectors},
};

/// Most tries of one text of an article that needs several requests, the first included. An attempt that is a single
/// request is tried again as a task.
const MAX_TRIES: u32 = 3;
/// A request that failed after this long is not tried again by itself: the provider hangs, and a probe should find that
/// out.
const MAX_RETRIED_DURATION: Duration = Duration::from_secs(10);
/// The longest delay between the tries: the task has longer ones.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);

/// Embeds `chunks` as documents and adds their vectors to `made` as they arrive: a failure loses none that was made.
pub(super) async fn embed_all(
    entry: &Entry,
    limits: BatchLimits,
    chunks: &[&HashedChunk],
    again: Delays,
    made: &mut Vectors,
) -> Result<(), Failure> {
    let tries = if fits_one_request(chunks, limits) { 1 } else { MAX_TRIES };
    let mut delays = Backoff::new(Delays { max: again.max.min(MAX_RETRY_DELAY), ..again });
    let mut failed: HashMap<&str, u32> = HashMap::new();
    let mut rest = chunks.to_vec();
    while !rest.is_empty() {
        let texts = rest.iter().map(|chunk| Arc::clone(&chunk.text)).collect();
        let each = |place: usize, vector| drop(made.insert(rest[place].text.hash.clone(), vector));
        let Err(RefusedText { place, refusal }) = entry.embed(texts, each).await else { return Ok(()) };
        let Refusal { error, took } = refusal;
        let tried = failed.entry(rest[place].text.hash.as_str()).or_default();
        *tried += 1;
        let of_the_moment = error.kind == ErrorKind::Transient && error.fault == Fault::Unclear;
        let pause = delays.next_delay().max(error.retry_after.unwrap_or_default());
        if !of_the_moment || *tried >= tries || pause > MAX_RETRY_DELAY || took > MAX_RETRIED_DURATION {
            return Err(judged(error, rest[place]).into());
        }
        tokio::time::sleep(pause).await;
        rest.retain(|chunk| !made.contains_key(&chunk.text.hash));
    }
    Ok(())
}

fn fits_one_request(chunks: &[&HashedChunk], limits: BatchLimits) -> bool {
    let tokens: usize = chunks.iter().map(|chunk| chunk.text.tokens as usize).sum();
    chunks.len() == 1 || (chunks.len() <= limits.texts && tokens <= limits.tokens)
}

/// A refused text has been sent alone before it gets here. Whether the text or the provider is at fault is not known: a
/// provider may refuse everything with the same answer.
fn judged(error: EmbedError, chunk: &HashedChunk) -> EmbedError {
    match error.kind {
        ErrorKind::Data if error.fault == Fault::Document => {
            EmbedError { fault: Fault::Unclear, ..blame(error, chunk) }
        }
        _ => error,
    }
}

/// Says which chunk cannot be embedded.
fn blame(error: EmbedError, chunk: &HashedChunk) -> EmbedError {
    /// Of the chunk. *Units:* characters.
    const CHARS_SHOWN: usize = 60;
    let start: String = chunk.chunk.text.chars().take(CHARS_SHOWN).collect();
    let message =
        format!("{} (in the section \"{}\", the piece that begins {start:?})", error.message, chunk.chunk.heading_path);
    EmbedError { message, ..error }
}
