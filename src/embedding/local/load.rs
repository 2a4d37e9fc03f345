//! Reading a model's directory.

use std::{
    fs,
    io::Read,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use afterword_actors::embedder::{EmbedError, Vector};
use rayon::prelude::*;
use serde::Deserialize;

use super::{
    bert::{Bert, Precision, Shape},
    packs,
    pooling::Pooling,
    tensors::WeightError,
    tokenizer::LocalTokenizer,
    weights,
};
use crate::{
    chunking::ChunkLimits,
    model::{self, CatalogEntry, WEIGHTS},
};

/// Why the model in a directory cannot be run here.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file is missing or unreadable.
    #[error("cannot read {}: {message}; run `afterword model fetch`, or set embedding.model_dir", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Another kind of model.
    #[error("the model in {} cannot be run here: {reason}", directory.display())]
    Unsupported {
        /// The directory.
        directory: PathBuf,
        /// Why.
        reason: String,
    },
    /// The weights do not fit together.
    #[error("the weights in {} are not usable: {source}", directory.display())]
    Weights {
        /// The directory.
        directory: PathBuf,
        /// What is wrong.
        source: WeightError,
    },
    /// Another model than the settings say.
    #[error("the model's vectors have {found} numbers, and {expected} are expected; check embedding.model_dir")]
    Dimension {
        /// By the settings.
        expected: u32,
        /// In the files.
        found: u32,
    },
    /// Other weights than those that made the vectors of this name.
    #[error(
        "the weights in {} are not those that the vectors of \"{model}\" were made with: vectors of two models cannot be \
         compared. Give this model a name of its own in embedding.model, or bring back the files of before",
        directory.display()
    )]
    OtherWeights {
        /// The directory.
        directory: PathBuf,
        /// The name of the set of vectors.
        model: String,
    },
    /// The name of a model of the catalogue, for another one.
    #[error(
        "the model in {} is not {model}, which is the name that embedding.model gives its vectors; set embedding.model to \
         a name of its own",
        directory.display()
    )]
    BorrowedName {
        /// The directory.
        directory: PathBuf,
        /// The name in the catalogue.
        model: String,
    },
}

#[derive(Deserialize)]
struct Config {
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    max_position_embeddings: usize,
    #[serde(default = "usual_epsilon")]
    layer_norm_eps: f32,
    #[serde(default = "usual_activation")]
    hidden_act: String,
    #[serde(default)]
    position_embedding_type: Option<String>,
    model_type: Option<String>,
}

fn usual_epsilon() -> f32 {
    1e-12
}

fn usual_activation() -> String {
    "gelu".to_owned()
}

/// The file as sentence transformers write it; other fields are ignored.
#[derive(Deserialize)]
struct SaidOfPooling {
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
    #[serde(default)]
    pooling_mode_max_tokens: bool,
    #[serde(default)]
    pooling_mode_mean_sqrt_len_tokens: bool,
    #[serde(default)]
    pooling_mode_weightedmean_tokens: bool,
    #[serde(default)]
    pooling_mode_lasttoken: bool,
}

impl SaidOfPooling {
    fn pooling(&self) -> Option<Pooling> {
        let others = self.pooling_mode_max_tokens
            || self.pooling_mode_mean_sqrt_len_tokens
            || self.pooling_mode_weightedmean_tokens
            || self.pooling_mode_lasttoken;
        match (self.pooling_mode_mean_tokens, self.pooling_mode_cls_token, others) {
            (true, false, false) => Some(Pooling::Mean),
            (false, true, false) => Some(Pooling::First),
            _ => None,
        }
    }
}

/// A step of a sentence transformer, in `modules.json`.
#[derive(Deserialize)]
struct Module {
    /// The class in Python, e.g. `sentence_transformers.models.Pooling`.
    #[serde(rename = "type")]
    class: String,
}

impl Module {
    /// Whether this back end does what the step does.
    fn is_known(&self) -> bool {
        let name = self.class.rsplit('.').next().unwrap_or_default();
        matches!(name, "Transformer" | "Pooling" | "Normalize")
    }
}

#[derive(Deserialize)]
struct SentenceConfig {
    max_seq_length: Option<usize>,
}

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

/// The configuration of a model that can be run here.
fn config(directory: &Path) -> Result<Config, LoadError> {
    let config = json(&directory.join("config.json"))?;
    refuse_unsupported(directory, &config)?;
    refuse_impossible(directory, &config)?;
    Ok(config)
}

fn refuse_unsupported(directory: &Path, config: &Config) -> Result<(), LoadError> {
    let unsupported = |reason: String| Err(LoadError::Unsupported { directory: directory.to_path_buf(), reason });
    if let Some(kind) = &config.model_type
        && kind != "bert"
    {
        return unsupported(format!("it is of type \"{kind}\", and only \"bert\" is known"));
    }
    if config.hidden_act != "gelu" {
        return unsupported(format!("its activation is \"{}\", and only \"gelu\" is known", config.hidden_act));
    }
    if config.position_embedding_type.as_deref().is_some_and(|kind| kind != "absolute") {
        return unsupported("its positions are not absolute".to_owned());
    }
    Ok(())
}

/// Refuses a model with steps after the pooling, e.g. a dense layer: without them its vectors look right and find little.
fn refuse_more_steps(directory: &Path) -> Result<(), LoadError> {
    let path = directory.join("modules.json");
    let modules: Vec<Module> = if path.exists() { json(&path)? } else { Vec::new() };
    match modules.iter().find(|module| !module.is_known()) {
        Some(Module { class }) => {
            let reason = format!("modules.json names a step that is not known here: {class}");
            Err(LoadError::Unsupported { directory: directory.to_path_buf(), reason })
        }
        None => Ok(()),
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

/// The pooling that the directory names, or that is known for its weights. It is never guessed: vectors of the wrong
/// kind look right and find little.
fn pooling(directory: &Path) -> Result<Pooling, LoadError> {
    const OTHER: &str =
        "1_Pooling/config.json asks for another pooling than the mean of the tokens or the first token alone";
    const SILENT: &str = "it does not say how its tokens are pooled; bring its file 1_Pooling/config.json, or write one \
                          with {\"pooling_mode_mean_tokens\": true} or {\"pooling_mode_cls_token\": true}, as its model \
                          card says";
    let unsupported =
        |reason: &str| LoadError::Unsupported { directory: directory.to_path_buf(), reason: reason.to_owned() };
    let path = directory.join("1_Pooling").join("config.json");
    if path.exists() {
        return json::<SaidOfPooling>(&path)?.pooling().ok_or_else(|| unsupported(OTHER));
    }
    if model::with_weights_of(directory).is_some() { Ok(Pooling::Mean) } else { Err(unsupported(SILENT)) }
}

/// Refuses sizes that no model has: later they would only be noticed by a panic, or by the memory they take.
fn refuse_impossible(directory: &Path, config: &Config) -> Result<(), LoadError> {
    let sizes = [
        ("hidden_size", config.hidden_size, 16_384),
        ("num_hidden_layers", config.num_hidden_layers, 1_024),
        ("num_attention_heads", config.num_attention_heads, 1_024),
        ("intermediate_size", config.intermediate_size, 131_072),
        ("max_position_embeddings", config.max_position_embeddings, 1 << 20),
    ];
    let impossible = sizes.into_iter().find(|(_, size, most)| *size == 0 || size > most);
    let reason = match impossible {
        Some((name, size, most)) => format!("config.json says {name} = {size}, and it must be from 1 to {most}"),
        None if !config.hidden_size.is_multiple_of(config.num_attention_heads) => {
            "config.json says a hidden_size that num_attention_heads does not divide".to_owned()
        }
        None => return Ok(()),
    };
    Err(LoadError::Unsupported { directory: directory.to_path_buf(), reason })
}

/// The longest text that the model was trained for, as the directory says, or as is known for its weights; otherwise all
/// that its positions let it take.
fn longest_input(directory: &Path, config: &Config) -> Result<usize, LoadError> {
    let path = directory.join("sentence_bert_config.json");
    let said = if path.exists() { json::<SentenceConfig>(&path)?.max_seq_length } else { None };
    let known = || model::with_weights_of(directory).map(|known| known.max_tokens);
    let longest = said.or_else(known).unwrap_or(usize::MAX).min(config.max_position_embeddings);
    if longest <= ChunkLimits::SPECIAL_TOKENS {
        return Err(LoadError::Unsupported {
            directory: directory.to_path_buf(),
            reason: no_room(longest, ChunkLimits::SPECIAL_TOKENS),
        });
    }
    Ok(longest)
}

/// Why a model takes no text. The limit is of its own files, or `embedding.max_tokens` if that is less.
pub(super) fn no_room(longest: usize, reserved: usize) -> String {
    format!(
        "its inputs may have {longest} tokens (the least of embedding.max_tokens, and of what max_seq_length and \
         max_position_embeddings of the model say), of which {reserved} go to special tokens and embedding.document_prefix: \
         too few are left for text"
    )
}

fn json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, LoadError> {
    let fail = |message| LoadError::File { path: path.to_path_buf(), message };
    /// Such a file has a few hundred bytes.
    const MAX_FILE_BYTES: u64 = 1 << 20;
    let mut text = String::new();
    let file = fs::File::open(path).map_err(|error| fail(error.to_string()))?;
    file.take(MAX_FILE_BYTES).read_to_string(&mut text).map_err(|error| fail(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| fail(error.to_string()))
}
