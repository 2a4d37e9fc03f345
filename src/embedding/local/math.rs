//! What happens to numbers between the products: in loops the compiler turns into the widest vector instructions that
//! the machine has, chosen when the program runs.
//!
//! Each loop moves its rows into the closure (`let rows = rows`): only a closure that can be called just once is
//! inlined into the function that has those instructions; any other is compiled without them.

use pulp::Arch;

/// Adds `bias` to each row of `rows`.
pub(super) fn add_bias(arch: Arch, rows: &mut [f32], bias: &[f32]) {
    arch.dispatch(
        #[inline(always)]
        move || {
            let rows = rows;
            for row in rows.chunks_exact_mut(bias.len()) {
                row.iter_mut().zip(bias).for_each(|(number, bias)| *number += bias);
            }
        },
    );
}

/// Adds `bias`, then applies GELU as the model was trained with it: by the error function, not by `tanh`.
pub(super) fn add_bias_gelu(arch: Arch, rows: &mut [f32], bias: &[f32]) {
    arch.dispatch(
        #[inline(always)]
        move || {
            let rows = rows;
            for row in rows.chunks_exact_mut(bias.len()) {
                row.iter_mut().zip(bias).for_each(|(number, bias)| *number = gelu(*number + bias));
            }
        },
    );
}

/// `rows = norm(rows + bias + residual)`: the end of each half of a layer.
pub(super) fn add_and_norm(arch: Arch, rows: &mut [f32], bias: &[f32], residual: &[f32], norm: &Norm) {
    let width = bias.len();
    arch.dispatch(
        #[inline(always)]
        move || {
            let rows = rows;
            for (row, residual) in rows.chunks_exact_mut(width).zip(residual.chunks_exact(width)) {
                row.iter_mut()
                    .zip(bias)
                    .zip(residual)
                    .for_each(|((number, bias), residual)| *number += bias + residual);
                norm.apply(row);
            }
        },
    );
}

/// Normalises each row.
pub(super) fn normalise(arch: Arch, rows: &mut [f32], norm: &Norm) {
    arch.dispatch(
        #[inline(always)]
        move || {
            let rows = rows;
            rows.chunks_exact_mut(norm.weight.len()).for_each(
                #[inline(always)]
                |row| norm.apply(row),
            )
        },
    );
}

/// Turns each row of `columns` numbers into weights that sum to 1.
pub(super) fn softmax(arch: Arch, rows: &mut [f32], columns: usize) {
    arch.dispatch(
        #[inline(always)]
        move || {
            let rows = rows;
            for row in rows.chunks_exact_mut(columns) {
                let largest = row
                    .iter()
                    .fold(f32::NEG_INFINITY, |largest, &number| if number > largest { number } else { largest });
                row.iter_mut().for_each(|number| *number = exp(*number - largest));
                let factor = 1.0 / sum(row);
                row.iter_mut().for_each(|number| *number *= factor);
            }
        },
    );
}

/// Normalisation of a layer.
pub(super) struct Norm {
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
    pub(super) epsilon: f32,
}

impl Norm {
    #[inline(always)]
    fn apply(&self, row: &mut [f32]) {
        let count = row.len() as f32;
        let mean = sum(row) / count;
        row.iter_mut().for_each(|number| *number -= mean);
        let scale = 1.0 / (sum_of_squares(row) / count + self.epsilon).sqrt();
        for ((number, weight), bias) in row.iter_mut().zip(&self.weight).zip(&self.bias) {
            *number = *number * scale * weight + bias;
        }
    }
}

/// Sums kept apart until the end: the compiler may not reorder a sum of floats, so its order is made a vector's.
const LANES: usize = 16;

#[inline(always)]
fn sum(numbers: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let chunks = numbers.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, number)| *lane += number);
    }
    lanes.iter().sum::<f32>() + rest
}

#[inline(always)]
fn sum_of_squares(numbers: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let chunks = numbers.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().map(|number| number * number).sum();
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, number)| *lane += number * number);
    }
    lanes.iter().sum::<f32>() + rest
}

#[inline(always)]
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// The error function to 1.5e-7.
///
/// *Source:* Abramowitz and Stegun, "Handbook of Mathematical Functions", 7.1.26.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let poly = t * (0.254_829_6 + t * (-0.284_496_73 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4))));
    let magnitude = 1.0 - poly * exp(-x * x);
    f32::from_bits(magnitude.to_bits() | (x.to_bits() & 0x8000_0000))
}

/// The exponential function for numbers up to 0 and a little above, to about 2e-7: `2^n` by its bits, the rest by a
/// polynomial.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Below, the result is too small for a normal number; there it is 0 in all that matters.
    const LOWEST: f32 = -87.0;
    const HIGHEST: f32 = 88.0;
    let x = if x < LOWEST { LOWEST } else { x };
    let x = if x > HIGHEST { HIGHEST } else { x };
    // Adding 1.5 · 2²³ rounds to the nearest whole number, and leaves it in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    // ln 2 in two parts, so that the difference keeps its digits.
    let rest = (x - whole * 0.693_359_4) + whole * 2.121_944_4e-4;
    let poly = 1.987_569_1e-4;
    let poly = poly * rest + 1.398_199_9e-3;
    let poly = poly * rest + 8.333_452e-3;
    let poly = poly * rest + 4.166_579_6e-2;
    let poly = poly * rest + 1.666_666_5e-1;
    let poly = poly * rest + 0.5;
    let value = poly * rest * rest + rest + 1.0;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    value * power
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_exponential_is_right_to_single_precision(x in -80.0f32..10.0) {
            let expected = f64::from(x).exp();
            prop_assert!((f64::from(exp(x)) - expected).abs() <= expected * 5e-7, "{} {}", exp(x), expected);
        }

        #[test]
        fn softmax_sums_to_one(numbers in prop::collection::vec(-50.0f32..50.0, 1..70)) {
            let (mut row, count) = (numbers.clone(), numbers.len());
            softmax(Arch::new(), &mut row, count);
            prop_assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn the_error_function_is_that_of_the_tables() {
        for (x, expected) in [(0.0, 0.0), (0.5, 0.520_499_9), (1.0, 0.842_700_8), (-2.0, -0.995_322_3), (6.0, 1.0)] {
            assert!((erf(x) - expected).abs() < 3e-7, "erf({x}) = {}", erf(x));
        }
    }

    #[test]
    fn normalised_rows_have_mean_zero_and_variance_one() {
        let norm = Norm { weight: vec![1.0; 33], bias: vec![0.0; 33], epsilon: 1e-12 };
        let mut row: Vec<f32> = (0..33).map(|n| (n * n) as f32).collect();
        normalise(Arch::new(), &mut row, &norm);
        assert!(sum(&row).abs() < 1e-4 && (sum_of_squares(&row) / 33.0 - 1.0).abs() < 1e-5);
    }
}
