//! What the files of a model say of it, and which models are refused for it.

use std::{fs, io::Read, path::Path};

use serde::Deserialize;

use super::{super::pooling::Pooling, error::LoadError};
use crate::{chunking::ChunkLimits, model};

#[derive(Deserialize)]
pub(super) struct Config {
    pub(super) hidden_size: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) num_attention_heads: usize,
    pub(super) intermediate_size: usize,
    pub(super) max_position_embeddings: usize,
    #[serde(default = "usual_epsilon")]
    pub(super) layer_norm_eps: f32,
    #[serde(default = "usual_activation")]
    pub(super) hidden_act: String,
    #[serde(default)]
    pub(super) position_embedding_type: Option<String>,
    pub(super) model_type: Option<String>,
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

/// The configuration of a model that can be run here.
pub(super) fn config(directory: &Path) -> Result<Config, LoadError> {
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

/// Refuses a model with steps after the pooling, e.g. a dense layer: without them its vectors look right and find
/// little.
pub(super) fn refuse_more_steps(directory: &Path) -> Result<(), LoadError> {
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

/// The pooling that the directory names, or that is known for its weights. It is never guessed: vectors of the wrong
/// kind look right and find little.
pub(super) fn pooling(directory: &Path) -> Result<Pooling, LoadError> {
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

/// The longest text that the model was trained for, as the directory says, or as is known for its weights; otherwise
/// all that its positions let it take.
pub(super) fn longest_input(directory: &Path, config: &Config) -> Result<usize, LoadError> {
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
pub(in crate::embedding::local) fn no_room(longest: usize, reserved: usize) -> String {
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
