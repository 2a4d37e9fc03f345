//! Which texts are computed together: sorted by length, without padding, in packs that stay in a core's cache.

/// Tokens of one pack. More make the matrices larger than the cache, fewer make the products too small to be fast.
const PACK: usize = 256;

/// Indices of `texts` (token numbers) in packs, the longest texts first, so that no core is left with a long one at
/// the end; at least one pack for each of `threads` if there are texts enough.
pub(super) fn pack(texts: &[Vec<u32>], threads: usize) -> Vec<Vec<usize>> {
    let total: usize = texts.iter().map(Vec::len).sum();
    let size = PACK.min(total.div_ceil(threads.max(1))).max(1);
    let mut order: Vec<_> = (0..texts.len()).collect();
    order.sort_by_key(|&text| std::cmp::Reverse(texts[text].len()));
    let mut packs: Vec<Vec<usize>> = Vec::new();
    let mut room = 0;
    for text in order {
        let length = texts[text].len();
        match packs.last_mut() {
            Some(pack) if length <= room => {
                pack.push(text);
                room -= length;
            }
            Some(_) | None => {
                packs.push(vec![text]);
                room = size.saturating_sub(length);
            }
        }
    }
    packs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_text_is_in_one_pack_and_packs_are_not_too_large(
            lengths in prop::collection::vec(1usize..300, 0..80), threads in 1usize..8,
        ) {
            let texts: Vec<_> = lengths.iter().map(|&length| vec![0; length]).collect();
            let packs = pack(&texts, threads);
            let mut all: Vec<_> = packs.iter().flatten().copied().collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..texts.len()).collect::<Vec<_>>());
            for pack in packs {
                let tokens: usize = pack.iter().map(|&text| texts[text].len()).sum();
                prop_assert!(pack.len() == 1 || tokens <= PACK);
            }
        }
    }
}
