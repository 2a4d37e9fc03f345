//! Why a model cannot be read.

use std::path::PathBuf;

use super::super::tensors::WeightError;

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
