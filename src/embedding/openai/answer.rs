//! Reading a successful answer, and checking it.

use std::fmt;

use afterword_actors::embedder::{EmbedError, Fault, Vector};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use super::refusal::{self, RequestError};
use crate::remote::{beginning, page_title};

#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    index: Option<usize>,
    embedding: Embedding,
}

enum Embedding {
    Numbers(Vec<f32>),
    Base64(String),
    /// `null`, texts in place of numbers, nested lists.
    Unusable,
}

/// Reads a vector number by number: a list that is held until its kind is known would take several times the memory.
impl<'de> Deserialize<'de> for Embedding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EmbeddingVisitor)
    }
}

struct EmbeddingVisitor;

impl<'de> Visitor<'de> for EmbeddingVisitor {
    type Value = Embedding;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a vector")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Embedding, A::Error> {
        let mut numbers = Some(Vec::new());
        while let Some(Number(number)) = list.next_element()? {
            numbers = numbers.zip(number).map(|(mut numbers, number)| {
                numbers.push(number);
                numbers
            });
        }
        Ok(numbers.map_or(Embedding::Unusable, Embedding::Numbers))
    }

    fn visit_str<E>(self, text: &str) -> Result<Embedding, E> {
        Ok(Embedding::Base64(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Embedding, A::Error> {
        IgnoredAny.visit_map(map).map(|_| Embedding::Unusable)
    }

    fn visit_unit<E>(self) -> Result<Embedding, E> {
        Ok(Embedding::Unusable)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Embedding, E> {
        Ok(Embedding::Unusable)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Embedding, E> {
        Ok(Embedding::Unusable)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Embedding, E> {
        Ok(Embedding::Unusable)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Embedding, E> {
        Ok(Embedding::Unusable)
    }
}

/// One number of a vector; `None` for anything else.
struct Number(Option<f32>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E>(self, number: f64) -> Result<Number, E> {
        Ok(Number(Some(number as f32)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
        Ok(Number(Some(number as f32)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
        Ok(Number(Some(number as f32)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Number, A::Error> {
        IgnoredAny.visit_seq(list).map(|_| Number(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Number, A::Error> {
        IgnoredAny.visit_map(map).map(|_| Number(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Number, E> {
        Ok(Number(None))
    }

    fn visit_unit<E>(self) -> Result<Number, E> {
        Ok(Number(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Number, E> {
        Ok(Number(None))
    }
}

/// The vectors in the order of the texts.
///
/// # Errors
/// What the server says instead of vectors, or what is wrong with them. If only some vectors are unusable, that is a
/// failure of their texts.
pub(super) fn vectors(bytes: &[u8], texts: usize, dimension: Option<u32>) -> Result<Vec<Vector>, RequestError> {
    let answer: Answer = serde_json::from_slice(bytes).map_err(|error| instead_of_vectors(bytes, texts, &error))?;
    if answer.data.len() != texts {
        let answered = answer.data.len();
        let message = format!("the embedding server answered {answered} vectors for {texts} texts");
        return Err(EmbedError::transient(message).into());
    }
    let mut places: Vec<Option<Embedding>> = std::iter::repeat_with(|| None).take(texts).collect();
    for (position, item) in answer.data.into_iter().enumerate() {
        let index = item.index.unwrap_or(position);
        match places.get_mut(index) {
            Some(place @ None) => *place = Some(item.embedding),
            Some(Some(_)) | None => return Err(wrong_index(index).into()),
        }
    }
    // There are as many items as places and no place is taken twice, so all are taken.
    let checked: Vec<_> = places.into_iter().flatten().map(|embedding| checked(embedding, dimension)).collect();
    let usable = checked.iter().filter(|vector| vector.is_ok()).count();
    let vectors: Result<Vec<_>, _> = checked.into_iter().collect();
    vectors.map_err(|error| match error.fault {
        // The other vectors are usable, so these texts are to blame.
        Fault::Unclear if usable > 0 => EmbedError::data(error.message).into(),
        Fault::Unclear | Fault::Provider | Fault::Document => error.into(),
    })
}

/// A successful status without vectors: an error, a web page, or something else.
fn instead_of_vectors(bytes: &[u8], texts: usize, error: &serde_json::Error) -> RequestError {
    let value: Option<Value> = serde_json::from_slice(bytes).ok();
    if let Some(value) = value.as_ref().filter(|value| value.get("error").is_some_and(|error| !error.is_null())) {
        return refusal::of_success(value, texts);
    }
    let message = match (value, page_title(&String::from_utf8_lossy(bytes))) {
        (Some(value), _) if value.get("data").is_none_or(Value::is_null) => {
            "the embedding server's answer has no vectors (no `data`); check that embedding.openai.base_url is that of \
             an OpenAI-compatible server, most often ending in /v1"
                .to_owned()
        }
        (Some(_), _) => format!("the embedding server's answer does not follow the protocol: {error}"),
        (None, Some(page)) => {
            format!("the address answers with {page}; correct embedding.openai.base_url, which most often ends in /v1")
        }
        (None, None) => format!("the embedding server's answer is not JSON ({error}); {}", beginning(bytes)),
    };
    EmbedError::transient(message).into()
}

fn wrong_index(index: usize) -> EmbedError {
    EmbedError::transient(format!("the embedding server answered the index {index} twice or out of range"))
}

fn checked(embedding: Embedding, dimension: Option<u32>) -> Result<Vector, EmbedError> {
    let numbers = match embedding {
        Embedding::Numbers(numbers) => numbers,
        Embedding::Base64(text) => decoded(&text)?,
        Embedding::Unusable => {
            return Err(EmbedError::transient(
                "the embedding server's vector is unusable: it is null, or not of numbers",
            ));
        }
    };
    if numbers.is_empty() {
        return Err(EmbedError::transient("the embedding server's vector is unusable: it is empty"));
    }
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
    let torn = || EmbedError::transient("the embedding server's base64 vector is damaged");
    let bytes = STANDARD.decode(text).map_err(|_| torn())?;
    if !bytes.len().is_multiple_of(4) {
        return Err(torn());
    }
    Ok(bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect())
}
