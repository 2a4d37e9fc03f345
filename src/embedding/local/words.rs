//! The vectors of a model's words.
//!
//! They are half of the weights of a small model, and a question needs a dozen of thirty thousand. Until many are
//! needed at once, each is read from the file when it is asked for: a command that embeds one question reads half of
//! the file.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::tensors::{Tensors, WeightError};

const NAME: &str = "embeddings.word_embeddings.weight";

/// From so many tokens in one pass on, all vectors are read. Below, reading one by one costs little beside the pass
/// itself.
const READ_ALL_FROM_TOKENS: usize = 256;

/// The vectors, in the file or in memory.
pub(super) struct WordVectors {
    tensors: Tensors,
    width: usize,
    count: usize,
    all: OnceLock<Vec<f32>>,
    /// Held by who reads all of them.
    reading: Mutex<()>,
}

impl WordVectors {
    /// Finds them in the file; `width` numbers are one vector.
    ///
    /// # Errors
    /// [`WeightError`] if they are not there.
    pub(super) fn find(tensors: Tensors, width: usize) -> Result<Self, WeightError> {
        let count = tensors.length(NAME)? / width;
        Ok(Self { tensors, width, count, all: OnceLock::new(), reading: Mutex::new(()) })
    }

    /// How many words there are vectors for.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The vectors of `tokens`, one after the other.
    ///
    /// # Errors
    /// [`WeightError`] if the file can no longer be read, or has changed.
    ///
    /// # Panics
    /// If a token has no vector.
    pub(super) fn of(&self, tokens: &[u32]) -> Result<Vec<f32>, WeightError> {
        let mut vectors = vec![0.0; tokens.len() * self.width];
        let places = vectors.chunks_exact_mut(self.width).zip(tokens);
        match self.in_memory(tokens.len())? {
            Some(all) => places.for_each(|(place, &token)| {
                place.copy_from_slice(&all[token as usize * self.width..][..self.width]);
            }),
            None => {
                for (place, &token) in places {
                    self.tensors.read_part(NAME, token as usize * self.width, place)?;
                }
            }
        }
        Ok(vectors)
    }

    /// All of them, if they are in memory, or should be for so many tokens.
    fn in_memory(&self, tokens: usize) -> Result<Option<&[f32]>, WeightError> {
        if self.all.get().is_none() && tokens >= READ_ALL_FROM_TOKENS {
            let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
            if self.all.get().is_none() {
                let _ = self.all.set(self.tensors.read(NAME)?);
            }
        }
        Ok(self.all.get().map(Vec::as_slice))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tensors::samples::{floats, written},
        *,
    };

    /// Words of two numbers each: the word itself, and its negative.
    fn vectors(count: u16) -> (tempfile::NamedTempFile, WordVectors) {
        let numbers: Vec<f32> = (0..count).map(f32::from).flat_map(|word| [word, -word]).collect();
        let file = written(&[floats(NAME, &numbers)]);
        let vectors = WordVectors::find(Tensors::open(file.path()).expect("weights"), 2).expect("words");
        (file, vectors)
    }

    #[test]
    fn one_by_one_and_all_together_are_the_same() {
        let (_file, vectors) = vectors(1000);
        let few = [999, 0, 7, 7];
        let one_by_one = vectors.of(&few).expect("vectors");
        assert_eq!(one_by_one, [999.0, -999.0, 0.0, -0.0, 7.0, -7.0, 7.0, -7.0]);
        assert!(vectors.all.get().is_none(), "nobody has asked for many");
        let many: Vec<u32> = (0..1000).collect();
        assert_eq!(vectors.of(&many).expect("vectors")[998..1000], [499.0, -499.0]);
        assert!(vectors.all.get().is_some());
        assert_eq!(vectors.of(&few).expect("vectors"), one_by_one);
        assert_eq!(vectors.count(), 1000);
    }

    #[test]
    fn a_file_that_is_written_into_gives_no_more_vectors() {
        let (file, vectors) = vectors(1000);
        vectors.of(&[1]).expect("a vector");
        let bytes = std::fs::read(file.path()).expect("bytes");
        std::fs::write(file.path(), &bytes[..bytes.len() - 4]).expect("room");
        for tokens in [vec![1], (0..1000).collect()] {
            let refused = vectors.of(&tokens);
            assert!(matches!(refused, Err(WeightError::Changed)), "{refused:?}");
        }
    }

    #[test]
    fn what_is_in_memory_needs_no_file() {
        let (file, vectors) = vectors(1000);
        let many: Vec<u32> = (0..1000).collect();
        let before = vectors.of(&many).expect("vectors");
        std::fs::write(file.path(), "another file").expect("room");
        assert_eq!(vectors.of(&many).expect("vectors"), before);
    }
}
