//! Reading a good answer, and finding out whether it is one.

use afterword_actors::embedder::{EmbedError, Vector};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;

#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    index: Option<usize>,
    embedding: Embedding,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Embedding {
    Numbers(Vec<f32>),
    Base64(String),
}

/// The vectors in the order of the texts.
pub(super) fn vectors(bytes: &[u8], asked: usize, dimension: Option<u32>) -> Result<Vec<Vector>, EmbedError> {
    let answer: Answer = serde_json::from_slice(bytes).map_err(|error| {
        EmbedError::transient(format!("the embedding server's answer is not what the protocol says: {error}"))
    })?;
    if answer.data.len() != asked {
        let answered = answer.data.len();
        return Err(EmbedError::transient(format!(
            "the embedding server answered {answered} vectors for {asked} texts"
        )));
    }
    let mut places: Vec<Option<Vector>> = vec![None; asked];
    for (position, item) in answer.data.into_iter().enumerate() {
        let index = item.index.unwrap_or(position);
        let vector = checked(item.embedding, dimension)?;
        match places.get_mut(index) {
            Some(place @ None) => *place = Some(vector),
            Some(Some(_)) | None => return Err(wrong_index(index)),
        }
    }
    // As many items as places, no place taken twice: all are taken.
    Ok(places.into_iter().flatten().collect())
}

fn wrong_index(index: usize) -> EmbedError {
    EmbedError::transient(format!("the embedding server answered the index {index} twice or out of range"))
}

fn checked(embedding: Embedding, dimension: Option<u32>) -> Result<Vector, EmbedError> {
    let numbers = match embedding {
        Embedding::Numbers(numbers) => numbers,
        Embedding::Base64(text) => decoded(&text)?,
    };
    if let Some(dimension) = dimension
        && numbers.len() != dimension as usize
    {
        return Err(EmbedError::config(format!(
            "the model answered vectors of {} numbers, and {dimension} are expected; correct embedding.model or \
             embedding.openai.dimension",
            numbers.len()
        )));
    }
    Vector::normalised(numbers)
        .map_err(|error| EmbedError::transient(format!("the embedding server's vector is unusable: {error}")))
}

fn decoded(text: &str) -> Result<Vec<f32>, EmbedError> {
    let torn = || EmbedError::transient("the embedding server's base64 vector is torn");
    let bytes = STANDARD.decode(text).map_err(|_| torn())?;
    if !bytes.len().is_multiple_of(4) {
        return Err(torn());
    }
    Ok(bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect())
}
