//! How a text's vector is made from its tokens' vectors. It must be as in training, or the vectors mean little.

/// How the tokens' vectors become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    /// The mean of all.
    Mean,
    /// The first one, which stands for the text.
    First,
}

/// Returns one vector for each text, not normalised. `states` has `width` numbers for each token, text after text.
pub(super) fn pool(pooling: Pooling, states: &[f32], lengths: &[usize], width: usize) -> Vec<Vec<f32>> {
    let mut rest = states;
    let texts = lengths.iter().map(|&length| {
        let (text, others) = rest.split_at(length * width);
        rest = others;
        match pooling {
            Pooling::Mean => sum(text, width),
            Pooling::First => text.iter().take(width).copied().collect(),
        }
    });
    texts.collect()
}

/// The sum in place of the mean: it is normalised later, so the length does not matter.
fn sum(text: &[f32], width: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f32; width];
    for token in text.chunks_exact(width) {
        sum.iter_mut().zip(token).for_each(|(sum, number)| *sum += number);
    }
    sum
}
