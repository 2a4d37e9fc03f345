//! How a text's vector is made of its tokens' vectors: as the model was trained, or its vectors mean little.

/// What becomes of the tokens' vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    /// The mean of all.
    Mean,
    /// The first one, which stands for the text.
    First,
}

/// Of each text one vector, not normalised. `states` holds `width` numbers for each token, text after text.
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

/// Stands for the mean: the length does not matter, it is normalised.
fn sum(text: &[f32], width: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f32; width];
    for token in text.chunks_exact(width) {
        sum.iter_mut().zip(token).for_each(|(sum, number)| *sum += number);
    }
    sum
}
