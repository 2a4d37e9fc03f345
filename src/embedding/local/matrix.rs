//! Products of matrices by a library that takes pointers. `tiles::amx` is the other place with `unsafe`; there is none
//! elsewhere.

use std::time::Instant;

use gemm::{Parallelism, gemm};

/// A matrix inside a slice: element `(row, column)` is at `start + row * row_step + column * column_step`.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) data: &'a [f32],
    pub(super) start: usize,
    pub(super) row_step: usize,
    pub(super) column_step: usize,
}

impl<'a> View<'a> {
    /// Rows of `columns` numbers, one after the other.
    pub(super) fn rows(data: &'a [f32], columns: usize) -> Self {
        Self { data, start: 0, row_step: columns, column_step: 1 }
    }

    /// The same matrix with rows and columns exchanged.
    pub(super) fn transposed(self) -> Self {
        Self { row_step: self.column_step, column_step: self.row_step, ..self }
    }

    /// The part that begins at `(row, column)`.
    pub(super) fn from(self, row: usize, column: usize) -> Self {
        Self { start: self.start + row * self.row_step + column * self.column_step, ..self }
    }

    fn holds(&self, rows: usize, columns: usize) -> bool {
        let last = self.start + (rows - 1) * self.row_step + (columns - 1) * self.column_step;
        last < self.data.len()
    }
}

/// Where a product is written: `(row, column)` at `start + row * row_step + column`.
pub(super) struct Target<'a> {
    pub(super) data: &'a mut [f32],
    pub(super) start: usize,
    pub(super) row_step: usize,
}

/// `target = scale * left * right`, on this thread.
///
/// *Shape:* `left` is `m × k`, `right` `k × n`, `target` `m × n`.
///
/// # Panics
/// If a matrix reaches beyond its slice.
pub(super) fn product(
    target: Target<'_>,
    left: View<'_>,
    right: View<'_>,
    (m, k, n): (usize, usize, usize),
    scale: f32,
) {
    if m == 0 || n == 0 || k == 0 {
        return;
    }
    let last = target.start + (m - 1) * target.row_step + n - 1;
    assert!(last < target.data.len() && target.row_step >= n, "the target is too small for {m} × {n}");
    assert!(left.holds(m, k), "the left matrix is smaller than {m} × {k}");
    assert!(right.holds(k, n), "the right matrix is smaller than {k} × {n}");
    let step = |step: usize| isize::try_from(step).unwrap_or(isize::MAX);
    let to = &mut target.data[target.start..];
    let (from_left, from_right) = (&left.data[left.start..], &right.data[right.start..]);
    #[expect(
        unsafe_code,
        reason = "the fastest product of matrices there is takes pointers; all bounds are checked above"
    )]
    // SAFETY: every element that is read or written lies within its slice by the assertions above, and the target is
    // borrowed mutably, so that it overlaps neither source.
    unsafe {
        gemm(
            m,
            n,
            k,
            to.as_mut_ptr(),
            1,
            step(target.row_step),
            false,
            from_left.as_ptr(),
            step(left.column_step),
            step(left.row_step),
            from_right.as_ptr(),
            step(right.column_step),
            step(right.row_step),
            0.0,
            scale,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// The best rate of a large product on one core of this machine: what a model's speed is measured against.
///
/// *Units:* 10⁹ floating-point operations per second.
pub fn peak_gflops() -> f64 {
    const SIZE: usize = 768;
    const ROUNDS: usize = 12;
    let (left, right) = (vec![0.5_f32; SIZE * SIZE], vec![0.25_f32; SIZE * SIZE]);
    let mut target = vec![0.0_f32; SIZE * SIZE];
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let to = Target { data: &mut target, start: 0, row_step: SIZE };
        product(to, View::rows(&left, SIZE), View::rows(&right, SIZE), (SIZE, SIZE, SIZE), 1.0);
        best = best.min(begun.elapsed().as_secs_f64());
    }
    2.0 * (SIZE * SIZE * SIZE) as f64 / best / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_with_steps_are_those_of_the_definition() {
        let left: Vec<f32> = (0..12).map(|n| n as f32).collect(); // 3 × 4
        let right: Vec<f32> = (0..20).map(|n| (n % 7) as f32).collect(); // 5 × 4, transposed
        let mut target = vec![-1.0; 3 * 6];
        let to = Target { data: &mut target, start: 1, row_step: 6 };
        product(to, View::rows(&left, 4), View::rows(&right, 4).transposed(), (3, 4, 5), 2.0);
        for row in 0..3 {
            for column in 0..5 {
                let sum: f32 = (0..4).map(|k| left[row * 4 + k] * right[column * 4 + k]).sum();
                assert_eq!(target[1 + row * 6 + column], 2.0 * sum, "{row}, {column}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "the right matrix is smaller")]
    fn a_matrix_beyond_its_slice_is_refused() {
        let mut target = vec![0.0; 4];
        let to = Target { data: &mut target, start: 0, row_step: 2 };
        product(to, View::rows(&[0.0; 4], 2), View::rows(&[0.0; 3], 2), (2, 2, 2), 1.0);
    }
}
