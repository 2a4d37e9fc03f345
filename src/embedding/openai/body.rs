//! Reading answers, none of which may be larger than its vectors explain.

use afterword_actors::embedder::EmbedError;
use reqwest::Response;

use super::transport;
use crate::remote;

/// Bytes of one number in JSON, with its comma and white space: more than any printer of 64-bit floats writes.
const BYTES_PER_NUMBER: usize = 32;
/// Numbers of a vector whose length is not known: four times those of the largest public model.
const LONGEST_VECTOR: usize = 16_384;
/// How many times as long as expected a vector may be: one of another length is told by its length.
const LONGER: usize = 2;
/// Bytes of an answer without its vectors: names, usage, indexes.
const ENVELOPE_BYTES: usize = 64 << 10;

/// The body of an answer to `texts` texts with vectors of `dimension` numbers.
///
/// # Errors
/// Unavailable if it is larger than such an answer can be, or the connection breaks.
pub(super) async fn of_answer(response: Response, texts: usize, dimension: Option<u32>) -> Result<Vec<u8>, EmbedError> {
    let numbers = dimension.map_or(LONGEST_VECTOR, |dimension| (dimension as usize).saturating_mul(LONGER));
    let most = ENVELOPE_BYTES.saturating_add(texts.saturating_mul(numbers).saturating_mul(BYTES_PER_NUMBER));
    let bytes = remote::at_most(response, most).await.map_err(transport::failure)?;
    if bytes.len() > most {
        return Err(EmbedError::unavailable(format!(
            "the embedding server's answer to {texts} texts has more than {most} bytes; check embedding.openai.base_url and \
             embedding.openai.dimension"
        )));
    }
    Ok(bytes)
}
