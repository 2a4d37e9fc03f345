//! Vectors as 8-bit codes in rows of one length, and the scan over them.

use std::collections::{HashMap, HashSet};

use pulp::Arch;

use super::{
    Nearest,
    codes::{dot, quantise},
    top_k::TopK,
};

/// One row for each chunk; rows of removed chunks are used again.
#[derive(Default)]
pub(super) struct Matrix {
    dimension: usize,
    /// `rows × dimension` codes; a number is its code times the row's scale.
    codes: Vec<i8>,
    scales: Vec<f32>,
    /// Chunk and article of each row; `None` for a free one.
    owners: Vec<Option<Owner>>,
    rows_of: HashMap<i64, Vec<u32>>,
    free: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Owner {
    chunk_id: i64,
    article_id: i64,
}

impl Matrix {
    /// An empty one for vectors of one length.
    pub(super) fn of(dimension: usize) -> Self {
        Self { dimension, ..Self::default() }
    }

    /// How long its vectors are; 0 as long as that is not known.
    pub(super) fn dimension(&self) -> usize {
        self.dimension
    }

    /// Chunks in it.
    pub(super) fn len(&self) -> usize {
        self.owners.len() - self.free.len()
    }

    /// The chunks of an article: number, scale and codes of each.
    pub(super) fn rows(&self, article_id: i64) -> impl Iterator<Item = (i64, f32, &[i8])> {
        self.rows_of.get(&article_id).into_iter().flatten().filter_map(|&row| {
            let row = row as usize;
            let codes = &self.codes[row * self.dimension..(row + 1) * self.dimension];
            Some((self.owners[row]?.chunk_id, self.scales[row], codes))
        })
    }

    /// Takes in a stored vector: little-endian `f32`. One of another length than the first is left out.
    pub(super) fn insert(&mut self, article_id: i64, chunk_id: i64, bytes: &[u8]) {
        let dimension = bytes.len() / 4;
        if self.dimension == 0 {
            self.dimension = dimension;
        }
        if dimension != self.dimension || dimension == 0 {
            return;
        }
        let row = self.free_row();
        let numbers = bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
        let start = row as usize * self.dimension;
        self.scales[row as usize] = quantise(numbers, &mut self.codes[start..start + dimension]);
        self.owners[row as usize] = Some(Owner { chunk_id, article_id });
        self.rows_of.entry(article_id).or_default().push(row);
    }

    fn free_row(&mut self) -> u32 {
        if let Some(row) = self.free.pop() {
            return row;
        }
        self.codes.resize(self.codes.len() + self.dimension, 0);
        self.scales.push(0.0);
        self.owners.push(None);
        u32::try_from(self.owners.len() - 1).unwrap_or(u32::MAX)
    }

    /// Forgets all chunks of an article.
    pub(super) fn remove(&mut self, article_id: i64) {
        for row in self.rows_of.remove(&article_id).unwrap_or_default() {
            self.owners[row as usize] = None;
            self.free.push(row);
        }
    }

    /// Adds the chunks nearest to `query` to `best`, ranked by their 8-bit codes: approximately.
    pub(super) fn scan(&self, query: &[f32], within: Option<&HashSet<i64>>, best: TopK) -> TopK {
        if query.len() != self.dimension {
            return best;
        }
        let mut code = vec![0; query.len()];
        let scale = quantise(query.iter().copied(), &mut code);
        // The widest vector instructions of this machine, chosen when the program runs.
        Arch::new().dispatch(
            #[inline(always)]
            move || {
                // Moved in: only a closure that can be called just once is inlined into the function it is given to.
                let mut best = best;
                for (row, codes) in self.codes.chunks_exact(self.dimension).enumerate() {
                    let similarity = dot(codes, &code) as f32 * self.scales[row] * scale;
                    if best.wants(similarity)
                        && let Some(owner) = self.owners[row]
                        && within.is_none_or(|within| within.contains(&owner.article_id))
                    {
                        best.push(Nearest { article_id: owner.article_id, chunk_id: owner.chunk_id, similarity });
                    }
                }
                best
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(numbers: &[f32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    fn scanned(matrix: &Matrix, query: &[f32], within: Option<&HashSet<i64>>, count: usize) -> Vec<i64> {
        matrix.scan(query, within, TopK::new(count)).into_sorted().into_iter().map(|nearest| nearest.chunk_id).collect()
    }

    proptest! {
        #[test]
        fn codes_tell_the_cosine_to_half_a_hundredth(
            a in prop::collection::vec(-1.0f32..1.0, 96), b in prop::collection::vec(-1.0f32..1.0, 96),
        ) {
            let unit = |v: &[f32]| {
                let length = v.iter().map(|n| n * n).sum::<f32>().sqrt();
                v.iter().map(|n| n / length).collect::<Vec<_>>()
            };
            let (a, b) = (unit(&a), unit(&b));
            let mut matrix = Matrix::default();
            matrix.insert(1, 1, &bytes(&a));
            let exact: f32 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            prop_assert!((matrix.scan(&b, None, TopK::new(1)).into_sorted()[0].similarity - exact).abs() < 0.005);
        }

        #[test]
        fn the_scan_finds_the_vector_itself_and_never_a_removed_one(
            vectors in prop::collection::vec(prop::collection::vec(-1.0f32..1.0, 16), 2..40),
            removed in any::<prop::sample::Index>(),
        ) {
            let mut matrix = Matrix::default();
            for (id, vector) in (0_i64..).zip(&vectors) {
                matrix.insert(id, id + 1000, &bytes(vector));
            }
            let gone = removed.index(vectors.len());
            matrix.remove(gone as i64);
            let found = scanned(&matrix, &vectors[gone], None, vectors.len());
            prop_assert_eq!(found.len(), vectors.len() - 1);
            prop_assert!(!found.contains(&(gone as i64 + 1000)));
            matrix.insert(gone as i64, 7, &bytes(&vectors[gone]));
            let norm = |v: &[f32]| v.iter().map(|n| n * n).sum::<f32>().sqrt();
            if vectors.iter().all(|v| norm(v) <= norm(&vectors[gone])) {
                prop_assert!(scanned(&matrix, &vectors[gone], None, 3).contains(&7));
            }
        }
    }

    #[test]
    fn only_articles_within_are_found() {
        let mut matrix = Matrix::default();
        matrix.insert(1, 10, &bytes(&[1.0, 0.0]));
        matrix.insert(2, 20, &bytes(&[0.9, 0.1]));
        assert_eq!(scanned(&matrix, &[1.0, 0.0], Some(&HashSet::from([2])), 5), [20]);
        assert_eq!(scanned(&matrix, &[1.0, 0.0, 0.0], None, 5), Vec::<i64>::new(), "another length");
    }
}
