//! Requests that the server accepts: as many texts as it takes, and no text longer than it takes.
//!
//! A request that is refused for its size is halved, the larger half first: no single text is left over. If parts are
//! taken, there were too many texts, and later requests are smaller. If a text alone is refused, that text is too long:
//! it is embedded in parts, and later requests stay as large as they were. What a server has answered is not lost when
//! a later part fails: it was paid for.

use afterword_actors::embedder::{EmbedError, ErrorKind, Purpose, Vector};
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::{OpenAiEmbedder, RequestError};

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
        let mut vectors: Vec<_> = texts.iter().map(|text| self.left_over.take(purpose, text)).collect();
        let missing = texts.iter().zip(&vectors).filter(|(_, vector)| vector.is_none());
        let missing: Vec<_> = missing.map(|(text, _)| text.clone()).collect();
        let mut made = Vec::with_capacity(missing.len());
        let outcome = self.all_of(&missing, purpose, &mut made).await;
        let mut made = made.into_iter();
        for vector in vectors.iter_mut().filter(|vector| vector.is_none()) {
            *vector = made.next();
        }
        if let Err(error) = outcome {
            let got = texts.iter().zip(vectors).filter_map(|(text, vector)| Some((text.as_str(), vector?)));
            let (texts, vectors): (Vec<_>, Vec<_>) = got.unzip();
            self.left_over.keep(purpose, texts, vectors);
            return Err(error);
        }
        Ok(vectors.into_iter().flatten().collect())
    }

    /// Embeds `texts` and adds their vectors to `made`, in their order; after a failure those of the first ones are
    /// there.
    pub(super) async fn all_of(
        &self,
        texts: &[String],
        purpose: Purpose,
        made: &mut Vec<Vector>,
    ) -> Result<(), EmbedError> {
        let mut rest = texts;
        while !rest.is_empty() {
            let (batch, others) = rest.split_at(self.batch_size.get().min(rest.len()));
            self.fitting(batch, purpose, &mut Trial::default(), made).await?;
            rest = others;
        }
        Ok(())
    }

    fn fitting<'a>(
        &'a self,
        texts: &'a [String],
        purpose: Purpose,
        trial: &'a mut Trial,
        made: &'a mut Vec<Vector>,
    ) -> BoxFuture<'a, Result<(), EmbedError>> {
        Box::pin(async move {
            match self.request(texts, purpose).await {
                Ok(vectors) => {
                    self.batch_size.accepted(texts.len(), Instant::now());
                    trial.taken = trial.taken.max(texts.len());
                    made.extend(vectors);
                    Ok(())
                }
                Err(RequestError::TooLarge { limit, .. }) if texts.len() > 1 => {
                    let part = limit.unwrap_or(texts.len().div_ceil(2));
                    self.divided(texts, part, purpose, trial, made).await
                }
                Err(RequestError::TooLarge { error, .. }) => {
                    trial.too_long += 1;
                    made.push(self.in_parts(&texts[0], purpose, error).await?);
                    Ok(())
                }
                Err(RequestError::Unexplained(error)) => match texts {
                    [text] if is_long(text) => {
                        made.push(self.tried_in_halves(text, purpose, error).await?);
                        trial.too_long += 1;
                        Ok(())
                    }
                    _ => Err(error),
                },
                Err(RequestError::Otherwise(error)) => Err(error),
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
        made: &mut Vec<Vector>,
    ) -> Result<(), EmbedError> {
        let mut inner = Trial::default();
        let mut outcome = Ok(());
        for texts in texts.chunks(part) {
            outcome = self.fitting(texts, purpose, &mut inner, made).await;
            if outcome.is_err() {
                break;
            }
        }
        // Also if a later part failed: the next request must not be refused for its size again.
        if inner.too_long == 0 && inner.taken > 0 {
            self.batch_size.refused(texts.len(), inner.taken, Instant::now());
        }
        trial.taken = trial.taken.max(inner.taken);
        trial.too_long += inner.too_long;
        outcome
    }

    /// Embeds a text that is too long by its halves.
    async fn in_parts(&self, text: &str, purpose: Purpose, refusal: EmbedError) -> Result<Vector, EmbedError> {
        if !is_long(text) {
            return Err(refusal);
        }
        let parts = halves(text);
        let mut vectors = Vec::new();
        for part in parts {
            let vector = match self.left_over.take(purpose, part) {
                Some(vector) => Ok(vector),
                None => self.part(part, purpose).await,
            };
            match vector {
                Ok(vector) => vectors.push(vector),
                Err(error) => {
                    self.left_over.keep(purpose, parts, vectors);
                    return Err(error);
                }
            }
        }
        mean(&parts, &vectors).ok_or(refusal)
    }

    async fn part(&self, part: &str, purpose: Purpose) -> Result<Vector, EmbedError> {
        let mut made = Vec::new();
        self.fitting(&[part.to_owned()], purpose, &mut Trial::default(), &mut made).await?;
        made.pop().ok_or_else(|| EmbedError::transient("the embedding server answered nothing"))
    }

    /// Tries a text that was refused without a reason that is known by its halves. If both are taken, it was too long;
    /// if not, the text itself is refused.
    async fn tried_in_halves(&self, text: &str, purpose: Purpose, refusal: EmbedError) -> Result<Vector, EmbedError> {
        let parts = halves(text);
        let mut vectors = Vec::new();
        for part in parts {
            if let Some(vector) = self.left_over.take(purpose, part) {
                vectors.push(vector);
                continue;
            }
            match self.request(&[part.to_owned()], purpose).await {
                Ok(made) => vectors.extend(made),
                // The provider fails, which says nothing about the text.
                Err(RequestError::Otherwise(error)) if error.kind != ErrorKind::Data => {
                    self.left_over.keep(purpose, parts, vectors);
                    return Err(error);
                }
                Err(_) => return Err(refusal),
            }
        }
        mean(&parts, &vectors).ok_or(refusal)
    }
}

fn is_long(text: &str) -> bool {
    text.chars().nth(SHORTEST_PART).is_some()
}

/// The mean of the vectors of `parts`, each weighted by its length; `None` if it has no direction.
///
/// *Source:* <https://cookbook.openai.com/examples/embedding_long_inputs>
fn mean(parts: &[&str; 2], vectors: &[Vector]) -> Option<Vector> {
    let length: usize = parts.iter().map(|part| part.chars().count()).sum();
    let mut sum: Vec<f32> = Vec::new();
    for (part, vector) in parts.iter().zip(vectors) {
        let weight = part.chars().count() as f32 / length as f32;
        sum.resize(vector.as_slice().len(), 0.0);
        sum.iter_mut().zip(vector.as_slice()).for_each(|(sum, number)| *sum += weight * number);
    }
    Vector::normalised(sum).ok()
}

/// Cuts `text` in its middle: after the last white space before it, or there if it has none.
fn halves(text: &str) -> [&str; 2] {
    let middle = text.chars().count() / 2;
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
            let [left, right] = halves(&text);
            prop_assert_eq!([left, right].concat(), text.clone());
            prop_assert!(!left.is_empty() && left.len() < text.len());
        }
    }
}
