//! nDCG and recall with binary relevance.

/// Discounted gain of a ranking relative to the best possible one. `found[i]` says whether hit `i` is relevant.
pub(super) fn ndcg(found: &[bool], relevant: usize, at: usize) -> f64 {
    let gain = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
    let got: f64 = found.iter().take(at).enumerate().filter(|(_, hit)| **hit).map(|(rank, _)| gain(rank)).sum();
    let best: f64 = (0..relevant.min(at)).map(gain).sum();
    if best == 0.0 { 0.0 } else { got / best }
}

/// Share of the relevant documents among the first hits.
pub(super) fn recall(found: &[bool], relevant: usize, at: usize) -> f64 {
    let got = found.iter().take(at).filter(|hit| **hit).count();
    if relevant == 0 { 0.0 } else { got as f64 / relevant as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_ranking_has_one_and_a_later_hit_less() {
        assert_eq!(ndcg(&[true, true, false], 2, 10), 1.0);
        let later = ndcg(&[false, true], 1, 10);
        assert!((later - 1.0 / 3.0_f64.log2()).abs() < 1e-12, "{later}");
        assert_eq!(ndcg(&[true], 0, 10), 0.0);
    }

    #[test]
    fn recall_counts_only_what_is_near_enough() {
        assert_eq!(recall(&[true, false, true], 4, 100), 0.5);
        assert_eq!(recall(&[false, true], 1, 1), 0.0);
    }
}
