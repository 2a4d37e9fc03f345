//! Vectors as 8-bit codes, and as the signs of their numbers.

use pulp::Arch;

/// Codes reach from -127 to 127.
const CODE_MAX: f32 = 127.0;

/// Writes the codes of `numbers`; answers the scale that turns them back.
pub(super) fn quantise(numbers: impl Iterator<Item = f32> + Clone, codes: &mut [i8]) -> f32 {
    let largest = numbers.clone().fold(0.0_f32, |largest, number| largest.max(number.abs()));
    if largest == 0.0 {
        codes.fill(0);
        return 0.0;
    }
    let factor = CODE_MAX / largest;
    for (code, number) in codes.iter_mut().zip(numbers) {
        *code = (number * factor).round() as i8;
    }
    largest / CODE_MAX
}

/// Returns the sum of the products, in 32-bit numbers: compilers have an instruction for that form.
#[inline(always)]
pub(super) fn dot(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}

/// The same with codes as a file holds them.
#[inline(always)]
pub(super) fn dot_stored(a: &[u8], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(&a, &b)| i32::from(a.cast_signed()) * i32::from(b)).sum()
}

/// Words of 64 signs that so many numbers take.
pub(super) fn words(dimension: usize) -> usize {
    dimension.div_ceil(64)
}

/// Which numbers are above those of `mean`, a bit for each. Vectors of many models all point the same way, and the
/// signs of their numbers tell little: what tells them apart is on which side of the middle they are.
pub(super) fn signs(scale: f32, codes: &[i8], mean: &[f32]) -> impl Iterator<Item = u64> {
    let is_above = move |(&code, &mean): (&i8, &f32)| u64::from(f32::from(code) * scale > mean);
    let chunks = codes.chunks(64).zip(mean.chunks(64));
    chunks.map(move |(codes, mean)| codes.iter().zip(mean).rev().fold(0, |word, pair| word << 1 | is_above(pair)))
}

/// Writes how many signs of each row of `rows` differ from `signs`.
pub(super) fn count_differences(rows: &[u64], signs: &[u64], to: &mut [u16]) {
    // The lengths of most models, for which the compiler needs no loop.
    match signs.len() {
        6 => count_differences_of::<6>(rows, signs, to),
        8 => count_differences_of::<8>(rows, signs, to),
        12 => count_differences_of::<12>(rows, signs, to),
        16 => count_differences_of::<16>(rows, signs, to),
        length => {
            let rows = rows.chunks_exact(length.max(1));
            to.iter_mut().zip(rows).for_each(|(to, row)| *to = differing(row, signs));
        }
    }
}

fn count_differences_of<const WORDS: usize>(rows: &[u64], signs: &[u64], to: &mut [u16]) {
    let (rows, _) = rows.as_chunks::<WORDS>();
    let Some(signs) = signs.first_chunk::<WORDS>() else { return };
    // The widest vector instructions of this machine, chosen when the program runs.
    Arch::new().dispatch(
        #[inline(always)]
        move || {
            let to = to;
            to.iter_mut().zip(rows).for_each(|(to, row)| *to = differing(row, signs));
        },
    );
}

#[inline(always)]
fn differing(a: &[u64], b: &[u64]) -> u16 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones() as u16).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_that_differ_are_counted_for_every_length() {
        for words in 1..18 {
            let rows: Vec<u64> = (0..3 * words as u64).map(|word| word.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
            let own = &rows[words..2 * words];
            let counted: Vec<u16> = rows.chunks(words).map(|row| differing(row, own)).collect();
            let mut differences = [u16::MAX; 3];
            count_differences(&rows, own, &mut differences);
            assert_eq!(differences[..], counted);
            assert_eq!(counted[1], 0);
        }
        assert_eq!(signs(0.5, &[1, -1, 0, 5], &[0.0; 4]).collect::<Vec<_>>(), [0b1001]);
        assert_eq!(signs(0.5, &[1, -1, 0, 5], &[1.0, -1.0, -1.0, 1.0]).collect::<Vec<_>>(), [0b1110]);
    }
}
