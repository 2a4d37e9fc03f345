//! Reading a model's directory: what its files say of it (`config`), its tokenizer and its weights, and why it cannot
//! be run here (`error`). A model is tried once before it counts as read.

mod config;
mod error;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use afterword_actors::embedder::{EmbedError, Vector};
use rayon::prelude::*;

pub(super) use self::config::no_room;
use self::config::{Config, config, longest_input, pooling, refuse_more_steps};
pub use self::error::LoadError;
use super::{
    bert::{Bert, Precision, Shape},
    packs,
    pooling::Pooling,
    tokenizer::LocalTokenizer,
    weights,
};
use crate::model::{self, CatalogEntry, WEIGHTS};

/// What it takes to cut texts for a model. Its weights are not needed for that.
#[derive(Clone)]
pub(super) struct Measure {
    pub(super) tokenizer: LocalTokenizer,
    /// *Units:* tokens, special tokens included.
    pub(super) longest_input: usize,
}

impl Measure {
    /// Reads what `directory` says of it.
    ///
    /// # Errors
    /// [`LoadError`] if it cannot be read, or is of a model that cannot be run here.
    pub(super) fn read(directory: &Path) -> Result<Self, LoadError> {
        Self::of(directory, &config(directory)?)
    }

    fn of(directory: &Path, config: &Config) -> Result<Self, LoadError> {
        let longest_input = longest_input(directory, config)?;
        let path = directory.join("tokenizer.json");
        let tokenizer = LocalTokenizer::read(&path, longest_input)
            .map_err(|error| LoadError::File { path, message: error.to_string() })?;
        Ok(Self { tokenizer, longest_input })
    }
}

/// A model in memory.
pub(super) struct LoadedModel {
    measure: Measure,
    bert: Bert,
}

impl LoadedModel {
    /// Reads the model, on the threads of the pool it is called in.
    pub(super) fn read(directory: &Path, precision: Precision) -> Result<Self, LoadError> {
        let config = config(directory)?;
        refuse_more_steps(directory)?;
        let pooling = pooling(directory)?;
        let shape = Shape {
            hidden: config.hidden_size,
            layers: config.num_hidden_layers,
            heads: config.num_attention_heads,
            intermediate: config.intermediate_size,
            epsilon: config.layer_norm_eps,
            pooling,
            precision,
        };
        let (measure, bert) =
            rayon::join(|| Measure::of(directory, &config), || Bert::read(&directory.join(WEIGHTS), shape));
        let measure = measure?;
        let bert = bert.map_err(|source| LoadError::Weights { directory: directory.to_path_buf(), source })?;
        let max_tokens = measure.longest_input;
        let model = Self { measure, bert };
        model
            .try_out(max_tokens)
            .map_err(|reason| LoadError::Unsupported { directory: directory.to_path_buf(), reason })?;
        Ok(model)
    }

    /// Tries the model once: files that do not fit together must fail now, not at the first article.
    fn try_out(&self, max_tokens: usize) -> Result<(), String> {
        let (words, positions) = self.bert.rows();
        if words < self.tokenizer().vocabulary() {
            return Err(format!("tokenizer.json knows {} tokens, the weights {words}", self.tokenizer().vocabulary()));
        }
        if positions < max_tokens {
            return Err(format!("it should take {max_tokens} tokens, and the weights have {positions} positions"));
        }
        let tried = catch_unwind(AssertUnwindSafe(|| self.embed(&["a text to try it with".to_owned()])));
        match tried {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error.message),
            Err(_) => Err("its files do not fit together".to_owned()),
        }
    }

    pub(super) fn dimension(&self) -> u32 {
        u32::try_from(self.bert.dimension()).unwrap_or(u32::MAX)
    }

    pub(super) fn measure(&self) -> &Measure {
        &self.measure
    }

    pub(super) fn tokenizer(&self) -> &LocalTokenizer {
        &self.measure.tokenizer
    }

    /// Embeds `texts` on the threads of the pool it is called in.
    pub(super) fn embed(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
        let ids: Result<Vec<_>, _> = texts.par_iter().map(|text| self.tokenizer().ids(text)).collect();
        let ids = ids.map_err(|error| EmbedError::data(format!("the tokenizer refuses the text: {error}")))?;
        let packs = packs::pack(&ids, rayon::current_num_threads());
        let done: Result<Vec<_>, _> = packs
            .par_iter()
            .map(|pack| {
                let inputs: Vec<_> = pack.iter().map(|&text| ids[text].as_slice()).collect();
                self.bert.forward(&inputs)
            })
            .collect();
        let done = done.map_err(|error| EmbedError::unavailable(format!("the weights cannot be read: {error}")))?;
        let mut vectors = vec![None; texts.len()];
        for (text, numbers) in packs.concat().into_iter().zip(done.into_iter().flatten()) {
            let vector = Vector::normalised(numbers)
                .map_err(|error| EmbedError::data(format!("the local model made no vector: {error}")))?;
            vectors[text] = Some(vector);
        }
        Ok(vectors.into_iter().flatten().collect())
    }
}

/// The mark of the model in `directory`: see [`weights::mark`].
///
/// # Errors
/// [`LoadError`] if the weights cannot be read, or their pooling is not known.
pub(super) fn mark(directory: &Path) -> Result<String, LoadError> {
    let fail = |error: std::io::Error| LoadError::File { path: directory.join(WEIGHTS), message: error.to_string() };
    weights::mark(directory, pooling(directory)?).map_err(fail)
}

/// Whether the model in `directory` makes the vectors that `known` makes.
///
/// # Errors
/// As [`mark`].
pub(super) fn is_the_known_model(known: &CatalogEntry, directory: &Path) -> Result<bool, LoadError> {
    let path = directory.join(WEIGHTS);
    let genuine = model::has_genuine_weights(known, directory)
        .map_err(|error| LoadError::File { path, message: error.to_string() })?;
    Ok(genuine && pooling(directory)? == Pooling::Mean)
}
