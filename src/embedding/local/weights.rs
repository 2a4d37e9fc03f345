//! The mark by which a model's weights are known again.
//!
//! A set of vectors is named by its model, and the name of a directory's model is the operator's choice. Other weights
//! under the same name would make vectors that cannot be compared, so the mark of the first ones is kept with the set.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use sha2::{Digest, Sha256};

use super::pooling::Pooling;
use crate::model::WEIGHTS;

/// A mark is made from this many places of the file, evenly apart: two models that were trained apart differ in nearly
/// every number, and gigabytes would take seconds to read at each start of the program.
const SAMPLED_PLACES: u64 = 256;
/// What is read at each place. *Units:* bytes.
const SAMPLE_BYTES: u64 = 4096;

/// The mark of the weights in `directory` whose tokens are pooled by `pooling`.
///
/// # Errors
/// [`io::Error`] if they cannot be read.
pub(super) fn mark(directory: &Path, pooling: Pooling) -> io::Result<String> {
    let mut file = File::open(directory.join(WEIGHTS))?;
    let length = file.metadata()?.len();
    let mut hash = Sha256::new();
    hash.update(length.to_le_bytes());
    hash.update(match pooling {
        Pooling::Mean => b"mean",
        Pooling::First => b"head",
    });
    let mut next = 0;
    for place in 0..SAMPLED_PLACES {
        // Of a small file everything is read, once.
        let start =
            next.max(u64::try_from(u128::from(length) * u128::from(place) / u128::from(SAMPLED_PLACES)).unwrap_or(0));
        next = start.saturating_add(SAMPLE_BYTES);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.by_ref().take(SAMPLE_BYTES).read_to_end(&mut bytes)?;
        hash.update(&bytes);
    }
    Ok(hex::encode(hash.finalize()))
}
