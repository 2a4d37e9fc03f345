//! Which texts travel together.

use super::*;

/// The next request of `pool`, with each text once.
fn next(pool: &mut Pool, limits: BatchLimits, under_way: &mut UnderWay) -> Vec<Item> {
    pool.next(limits, Who::All, |item, member| under_way.join(item.key(), member))
}

fn attempts_of(items: &[Item]) -> Vec<u64> {
    items.iter().map(|item| item.attempt).collect()
}

proptest! {
    #[test]
    fn every_text_is_sent_once_and_no_request_exceeds_the_limits(
        attempts in prop::collection::vec((prop::collection::vec(1u32..400, 1..40), -5i64..5, prop::bool::weighted(0.2)), 1..20),
        most in 1usize..50, budget in 1usize..2_000,
    ) {
        let limits = BatchLimits { texts: most, tokens: budget };
        let (mut pool, mut under_way) = (Pool::default(), UnderWay::default());
        for (id, (tokens, queue_key, alone)) in attempts.iter().enumerate() {
            pool.add(id as u64, RequestRank { queue_key: *queue_key, alone: *alone }, texts(id as u64, tokens));
        }
        let mut sent = Vec::new();
        while pool.has_any(Who::All) {
            let items = next(&mut pool, limits, &mut under_way);
            prop_assert!((1..=most).contains(&items.len()));
            let sum: usize = items.iter().map(|item| item.text.tokens as usize).sum();
            prop_assert!(items.len() == 1 || sum <= budget);
            let alone = |item: &Item| attempts[item.attempt as usize].2;
            prop_assert!(!items.iter().any(alone) || items.iter().all(|item| item.attempt == items[0].attempt));
            sent.extend(items.into_iter().map(|item| item.text.hash.clone()));
        }
        let mut all: Vec<_> = attempts
            .iter()
            .enumerate()
            .flat_map(|(id, (tokens, ..))| texts(id as u64, tokens).into_iter().map(|text| text.hash.clone()))
            .collect();
        sent.sort_unstable();
        all.sort_unstable();
        prop_assert_eq!(sent, all);
    }
}

#[test]
fn a_note_is_not_behind_a_long_article_and_the_article_not_behind_the_notes() {
    let limits = BatchLimits { texts: 8, tokens: 1_000_000 };
    let (mut pool, mut under_way) = (Pool::default(), UnderWay::default());
    pool.add(0, RequestRank { queue_key: 0, alone: false }, texts(0, &[1; 10_000]));
    for note in 1..=100 {
        pool.add(note, RequestRank { queue_key: note as i64, alone: false }, texts(note, &[1]));
    }
    for round in 0..25 {
        let attempts = attempts_of(&next(&mut pool, limits, &mut under_way));
        let long = attempts.iter().filter(|&&attempt| attempt == 0).count();
        assert!((4..=5).contains(&long), "half of a request is the article's: {attempts:?}");
        assert!(attempts.contains(&(round * 4 + 1)), "the notes come in their order: {attempts:?}");
    }
}

#[test]
fn a_save_goes_before_bulk_work() {
    let limits = BatchLimits { texts: 4, tokens: 1_000 };
    let (mut pool, mut under_way) = (Pool::default(), UnderWay::default());
    for bulk in 0..100 {
        pool.add(bulk, RequestRank { queue_key: 600_000, alone: false }, texts(bulk, &[1, 1]));
    }
    next(&mut pool, limits, &mut under_way);
    pool.add(1_000, RequestRank { queue_key: 60_000, alone: false }, texts(1_000, &[1]));
    assert!(attempts_of(&next(&mut pool, limits, &mut under_way)).contains(&1_000));
}
