//! Products of 16-bit numbers, tile by tile, on processors that have units for them: AMX with bfloat16.
//!
//! A number keeps its range and loses digits: eight bits are left of the 24. Sums are made in 32 bits. Vectors agree
//! with those of the 32-bit products to a cosine of .9995 and more (`docs/decisions/0215-…`).

#[cfg_attr(not(all(target_arch = "x86_64", target_os = "linux")), path = "tiles/none.rs")]
mod amx;
mod block;

use pulp::Arch;

use block::{BLOCK, Block, DEPTH, SIDE, Tile};

/// Weights of a dense layer, for products with rows of 32-bit numbers.
pub(super) struct Tiles {
    /// For each 16 outputs, a tile for each [`DEPTH`] inputs.
    tiles: Vec<Tile>,
    inputs: usize,
    outputs: usize,
}

impl Tiles {
    /// Rounds weights: `inputs` numbers for each of `outputs`. `None` if the processor has no such units, or the layer
    /// does not divide into tiles.
    pub(super) fn of(weights: &[f32], inputs: usize, outputs: usize) -> Option<Self> {
        if !inputs.is_multiple_of(DEPTH) || !outputs.is_multiple_of(BLOCK) || !amx::is_there() {
            return None;
        }
        let mut tiles = Vec::with_capacity(weights.len() / (SIDE * DEPTH));
        for sixteen in weights.chunks_exact(SIDE * inputs) {
            for first in (0..inputs).step_by(DEPTH) {
                let mut tile = Tile([[[0; 2]; SIDE]; SIDE]);
                for (output, weights) in sixteen.chunks_exact(inputs).enumerate() {
                    for (row, pair) in weights[first..first + DEPTH].chunks_exact(2).enumerate() {
                        tile.0[row][output] = [rounded(pair[0]), rounded(pair[1])];
                    }
                }
                tiles.push(tile);
            }
        }
        Some(Self { tiles, inputs, outputs })
    }

    /// `to = rows * weights`, of `count` rows. `rounded` is memory for the rows.
    pub(super) fn apply(&self, arch: Arch, rows: &[f32], count: usize, rounded: &mut Vec<u16>, to: &mut [f32]) {
        let Self { inputs, outputs, .. } = *self;
        rounded.resize(count.next_multiple_of(BLOCK) * inputs, 0);
        let (own, beyond) = rounded.split_at_mut(count * inputs);
        round(arch, &rows[..count * inputs], own);
        beyond.fill(0);
        let depth = inputs / DEPTH;
        let units = amx::Units::take();
        let mut sums = Block([[0.0; BLOCK]; BLOCK]);
        for (column, weights) in (0..outputs).step_by(BLOCK).zip(self.tiles.chunks_exact(2 * depth)) {
            for (first, block) in (0..count).step_by(BLOCK).zip(rounded.chunks_exact(BLOCK * inputs)) {
                units.multiply(block, weights, &mut sums);
                for (row, sums) in (first..count).zip(&sums.0) {
                    to[row * outputs + column..][..BLOCK].copy_from_slice(sums);
                }
            }
        }
    }
}

/// Rounds to the nearest bfloat16, of two the even one.
#[inline(always)]
fn rounded(number: f32) -> u16 {
    let bits = number.to_bits();
    let nearest = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16;
    // What is not a number must not become one.
    (if number.is_nan() { 0x7fc0 } else { nearest }) as u16
}

fn round(arch: Arch, numbers: &[f32], to: &mut [u16]) {
    arch.dispatch(
        #[inline(always)]
        move || {
            let to = to;
            to.iter_mut().zip(numbers).for_each(|(to, number)| *to = rounded(*number));
        },
    );
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn products_are_those_of_the_rounded_numbers(count in 1usize..70, depth in 1usize..4, blocks in 1usize..4, seed in any::<u32>()) {
            let (inputs, outputs) = (depth * DEPTH, blocks * BLOCK);
            let mut state = seed;
            let mut number = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            };
            let weights: Vec<f32> = (0..inputs * outputs).map(|_| number()).collect();
            let rows: Vec<f32> = (0..inputs * count).map(|_| number()).collect();
            // On another processor there is nothing to compare.
            let Some(tiles) = Tiles::of(&weights, inputs, outputs) else { return Ok(()) };
            let mut products = vec![f32::NAN; count * outputs];
            // Memory that was used before.
            let mut space = vec![0x7fc0; 5];
            tiles.apply(Arch::new(), &rows, count, &mut space, &mut products);
            let wide = |number: f32| f32::from_bits(u32::from(rounded(number)) << 16);
            for (place, product) in products.iter().enumerate() {
                let (row, weights) = (&rows[place / outputs * inputs..], &weights[place % outputs * inputs..][..inputs]);
                let sum: f64 = row.iter().zip(weights).map(|(a, b)| f64::from(wide(*a)) * f64::from(wide(*b))).sum();
                prop_assert!((f64::from(*product) - sum).abs() < 1e-4, "{} {} {}", place, product, sum);
            }
        }

        #[test]
        fn rounding_is_to_the_nearest(number in any::<f32>()) {
            let wide = f32::from_bits(u32::from(rounded(number)) << 16);
            prop_assert!(wide.is_nan() == number.is_nan());
            if number.is_normal() && wide.is_finite() {
                prop_assert!((wide - number).abs() <= number.abs() / 256.0);
            }
        }
    }
}
