//! Weighted reciprocal rank fusion: two rankings made one, without comparing their scores.
//!
//! *Source:* Cormack, Clarke, Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning
//! Methods", SIGIR 2009.

use std::collections::HashMap;

/// A ranking (ids, the best first) and how much it counts.
pub(super) struct Ranking<'a> {
    pub(super) ids: &'a [i64],
    pub(super) weight: f64,
}

/// The fused ranking with its scores, the best first; equals in the order of their ids.
pub(super) fn fuse(rankings: &[Ranking<'_>], k: f64) -> Vec<(i64, f64)> {
    let mut scores: HashMap<i64, f64> = HashMap::new();
    for ranking in rankings {
        for (rank, &id) in ranking.ids.iter().enumerate() {
            *scores.entry(id).or_default() += ranking.weight / (k + rank as f64 + 1.0);
        }
    }
    let mut fused: Vec<_> = scores.into_iter().collect();
    fused.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    fused
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_both_rankings_have_comes_before_what_one_has() {
        let fused = fuse(&[Ranking { ids: &[1, 2, 3], weight: 1.0 }, Ranking { ids: &[4, 2, 5], weight: 1.0 }], 60.0);
        assert_eq!(fused[0].0, 2);
    }

    proptest! {
        #[test]
        fn every_id_comes_once_and_one_ranking_alone_keeps_its_order(
            ids in prop::collection::hash_set(0i64..1000, 0..50),
        ) {
            let ids: Vec<_> = ids.into_iter().collect();
            let fused: Vec<_> = fuse(&[Ranking { ids: &ids, weight: 0.7 }], 60.0).into_iter().map(|f| f.0).collect();
            prop_assert_eq!(fused, ids);
        }
    }
}
