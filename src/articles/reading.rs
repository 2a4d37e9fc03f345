//! What a save needs of a body, read before its transaction: all other saves wait while that one lasts.

use sha2::{Digest, Sha256};

use super::properties::{Properties, TextReading};
use crate::{fulltext::BodyTerms, offload};

/// One body as it is read for a save.
#[derive(Debug)]
pub(crate) struct BodyReading {
    hash: [u8; 32],
    pub(crate) text: TextReading,
    pub(crate) terms: BodyTerms,
}

impl BodyReading {
    /// Reads `body` here, or, if that takes a while, on another thread.
    pub(crate) async fn of(body: &str) -> Self {
        offload::read(body, Self::now).await
    }

    /// Reads `body`.
    pub(super) fn now(body: &str) -> Self {
        Self { hash: Sha256::digest(body).into(), text: TextReading::now(body), terms: BodyTerms::of(body) }
    }

    /// Takes what was read ahead, if it is of this body: between the reading and the transaction the article may have
    /// changed.
    pub(crate) fn ahead_or_now(ahead: Option<Self>, body: &str) -> Self {
        ahead.filter(|read| read.hash[..] == Sha256::digest(body)[..]).unwrap_or_else(|| Self::now(body))
    }

    /// Returns what the article is called besides its title, and what it is about.
    pub(crate) fn about(&self, front_matter: &str) -> Vec<String> {
        Properties::of_reading(front_matter, &self.text).about()
    }
}

/// Of articles with the sizes of their bodies, the first that have `room` together, and at least one. *Units:* bytes.
pub(crate) fn fitting(sizes: Vec<(i64, i64)>, room: i64) -> Vec<i64> {
    let mut taken = 0;
    let fits = |(place, (id, size)): (usize, (i64, i64))| {
        taken += size;
        (place == 0 || taken <= room).then_some(id)
    };
    sizes.into_iter().enumerate().map_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_one_is_taken_alone_and_stops_the_others() {
        assert_eq!(fitting(vec![(1, 30), (2, 30), (3, 50), (4, 1)], 100), [1, 2]);
        assert_eq!(fitting(vec![(7, 500), (8, 1)], 100), [7]);
        assert_eq!(fitting(vec![], 100), [0_i64; 0]);
    }
}
