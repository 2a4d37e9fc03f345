//! Two orders of the same hits made one. Pure.

/// A hit in its new place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct BlendedHit {
    /// Its place before, from 0.
    pub(super) from: usize,
    /// On the scale of the fused scores.
    pub(super) score: f64,
    /// What the reranker says of it: 1 for the best of all, 0 for the worst.
    pub(super) share: f64,
}

/// The hits of these `fused` scores, which are in order, as the reranker's `scores` and the `weight` of these order
/// them.
///
/// Both are put on one scale, the range that the fused scores have: so no hit falls behind what the reranker was not
/// asked about. Of equals, the one that the reranker likes better comes first.
pub(super) fn blend(fused: &[f64], scores: &[f64], weight: f64) -> Vec<BlendedHit> {
    let (high, low) = (fused.first().copied().unwrap_or_default(), fused.last().copied().unwrap_or_default());
    let placed = |(from, (fused, share)): (usize, (&f64, f64))| {
        let score = (1.0 - weight) * fused + weight * (low + share * (high - low));
        BlendedHit { from, score: score.max(low).min(high), share }
    };
    let mut placed: Vec<_> = fused.iter().zip(shares(scores)).enumerate().map(placed).collect();
    let places = |a: &BlendedHit, b: &BlendedHit| b.score.total_cmp(&a.score).then(b.share.total_cmp(&a.share));
    placed.sort_by(|a, b| places(a, b).then(a.from.cmp(&b.from)));
    placed
}

/// Where each score is between the least and the greatest; if all are the same, they say nothing.
fn shares(scores: &[f64]) -> impl Iterator<Item = f64> {
    // Halves, because the distance of two scores may be more than a number can be.
    let (least, most) = scores.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), score| {
        (least.min(score / 2.0), most.max(score / 2.0))
    });
    scores.iter().map(move |score| if most > least { (score / 2.0 - least) / (most - least) } else { 1.0 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(fused: &[f64], scores: &[f64], weight: f64) -> Vec<usize> {
        blend(fused, scores, weight).iter().map(|placed| placed.from).collect()
    }

    #[test]
    fn the_weight_says_whose_order_it_is() {
        let (fused, scores) = ([0.9, 0.8, 0.2], [-3.0, 7.0, 1.0]);
        assert_eq!(order(&fused, &scores, 0.0), [0, 1, 2]);
        assert_eq!(order(&fused, &scores, 1.0), [1, 2, 0]);
        assert_eq!(order(&fused, &scores, 0.5), [1, 0, 2]);
        let half = blend(&fused, &scores, 0.5);
        assert_eq!((half[0].share, half[1].share, half[2].share), (1.0, 0.0, 0.4));
        assert!((half[0].score - 0.85).abs() < 1e-9 && (half[1].score - 0.55).abs() < 1e-9, "{half:?}");
    }

    #[test]
    fn of_hits_that_are_equal_before_the_reranker_decides() {
        assert_eq!(order(&[0.5, 0.5, 0.5], &[1.0, 3.0, 2.0], 0.5), [1, 2, 0]);
    }

    #[test]
    fn a_reranker_that_says_the_same_of_all_changes_nothing() {
        assert_eq!(order(&[0.9, 0.8, 0.2], &[4.0, 4.0, 4.0], 0.9), [0, 1, 2]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_leaves_the_range(
            hits in prop::collection::vec((-1e3..1e3, prop::num::f64::NORMAL), 1..40),
            weight in 0.0..=1.0,
        ) {
            let mut fused: Vec<f64> = hits.iter().map(|(fused, _)| *fused).collect();
            fused.sort_by(|a, b| b.total_cmp(a));
            let scores: Vec<f64> = hits.iter().map(|(_, score)| *score).collect();
            let placed = blend(&fused, &scores, weight);
            let mut places: Vec<_> = placed.iter().map(|placed| placed.from).collect();
            places.sort_unstable();
            prop_assert_eq!(places, (0..hits.len()).collect::<Vec<_>>());
            prop_assert!(placed.iter().all(|placed| (0.0..=1.0).contains(&placed.share)));
            prop_assert!(placed.iter().all(|placed| (fused[fused.len() - 1]..=fused[0]).contains(&placed.score)));
            prop_assert!(placed.windows(2).all(|two| two[0].score >= two[1].score));
        }
    }
}
