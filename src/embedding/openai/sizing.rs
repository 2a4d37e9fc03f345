//! Requests that the server accepts: as many texts as it takes, and no text longer than it takes.
//!
//! A request that is refused for its size is halved, the larger half first: no single text is left over. If every part
//! is taken, there were too many texts, and later requests are smaller. If a text alone is refused, that text is too
//! long: it is embedded in parts, and later requests stay as large as they were.

use afterword_actors::embedder::{EmbedError, Purpose, Vector};
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::{OpenAiEmbedder, Refused};

/// No model refuses a text of this length as too long. *Units:* characters.
const SHORTEST_PART: usize = 200;

/// What the parts of one batch have shown.
#[derive(Default)]
struct Trial {
    /// The most texts taken in one request.
    taken: usize,
    /// Texts refused although they were alone.
    too_long: usize,
}

impl OpenAiEmbedder {
    /// Embeds `texts`, in their order, in as few requests as the server takes.
    pub(super) async fn in_batches(&self, texts: &[String], purpose: Purpose) -> Result<Vec<Vector>, EmbedError> {
        let mut vectors = Vec::with_capacity(texts.len());
        let mut rest = texts;
        while !rest.is_empty() {
            let (batch, others) = rest.split_at(self.batch_size.get().min(rest.len()));
            vectors.extend(self.fitting(batch, purpose, &mut Trial::default()).await?);
            rest = others;
        }
        Ok(vectors)
    }

    fn fitting<'a>(
        &'a self,
        texts: &'a [String],
        purpose: Purpose,
        trial: &'a mut Trial,
    ) -> BoxFuture<'a, Result<Vec<Vector>, EmbedError>> {
        Box::pin(async move {
            match self.request(texts, purpose).await {
                Ok(vectors) => {
                    self.batch_size.accepted(texts.len(), Instant::now());
                    trial.taken = trial.taken.max(texts.len());
                    Ok(vectors)
                }
                Err(Refused::TooLarge { limit, .. }) if texts.len() > 1 => {
                    let part = limit.unwrap_or(texts.len().div_ceil(2));
                    self.divided(texts, part, purpose, trial).await
                }
                Err(Refused::TooLarge { error, .. }) => {
                    trial.too_long += 1;
                    self.in_parts(&texts[0], purpose, error).await.map(|vector| vec![vector])
                }
                Err(Refused::Otherwise(error)) => Err(error),
            }
        })
    }

    /// Embeds `texts` in requests of `part` texts, and learns whether their number was the fault.
    async fn divided(
        &self,
        texts: &[String],
        part: usize,
        purpose: Purpose,
        trial: &mut Trial,
    ) -> Result<Vec<Vector>, EmbedError> {
        let mut inner = Trial::default();
        let mut vectors = Vec::with_capacity(texts.len());
        for texts in texts.chunks(part) {
            vectors.extend(self.fitting(texts, purpose, &mut inner).await?);
        }
        if inner.too_long == 0 {
            self.batch_size.refused(texts.len(), inner.taken, Instant::now());
        }
        trial.taken = trial.taken.max(inner.taken);
        trial.too_long += inner.too_long;
        Ok(vectors)
    }

    /// Embeds a text that is too long by its halves: their mean, each weighted by its length.
    ///
    /// *Source:* <https://cookbook.openai.com/examples/embedding_long_inputs>
    async fn in_parts(&self, text: &str, purpose: Purpose, refusal: EmbedError) -> Result<Vector, EmbedError> {
        let length = text.chars().count();
        if length <= SHORTEST_PART {
            return Err(refusal);
        }
        let parts = halves(text, length / 2);
        let mut sum: Vec<f32> = Vec::new();
        for part in parts {
            let weight = part.chars().count() as f32 / length as f32;
            let vectors = self.fitting(&[part.to_owned()], purpose, &mut Trial::default()).await?;
            let vector =
                vectors.first().ok_or_else(|| EmbedError::transient("the embedding server answered nothing"))?;
            sum.resize(vector.as_slice().len(), 0.0);
            sum.iter_mut().zip(vector.as_slice()).for_each(|(sum, number)| *sum += weight * number);
        }
        Vector::normalised(sum).map_err(|_| refusal)
    }
}

/// Cuts `text` after the last white space of its first `middle` characters, or there if it has none.
fn halves(text: &str, middle: usize) -> [&str; 2] {
    let end = text.char_indices().nth(middle).map_or(text.len(), |(at, _)| at);
    let (start, _) = text.split_at(end);
    // Not in its first half: a cut there would leave the rest almost as long as it was.
    let at_space = start.rfind(char::is_whitespace).filter(|&at| at > end / 2);
    let at = at_space.map_or(end, |at| at + start[at..].chars().next().map_or(0, char::len_utf8));
    let (left, right) = text.split_at(at);
    [left, right]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::halves;

    proptest! {
        #[test]
        fn halves_lose_nothing_and_get_shorter(text in "\\PC{201,400}") {
            let length = text.chars().count();
            let [left, right] = halves(&text, length / 2);
            prop_assert_eq!([left, right].concat(), text.clone());
            prop_assert!(!left.is_empty() && left.len() < text.len());
        }
    }
}
