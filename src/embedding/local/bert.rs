//! The forward pass of BERT, over packs of texts of any lengths, without padding.
//!
//! The pass is our own, because the general ones spend half their time on padding and on memory between unfused steps.
//! The products of all texts of a pack are one product; only attention goes text by text.
//!
//! *Source:* Devlin et al., "BERT", 2019; Reimers and Gurevych, "Sentence-BERT", 2019.

use std::path::Path;

use pulp::Arch;
use rayon::prelude::*;

use super::{
    math::{self, Norm},
    matrix::{Target, View, product},
    pooling::{Pooling, pool},
    tensors::{Tensors, WeightError},
    tiles::Tiles,
    words::WordVectors,
};

/// The sizes of a model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) hidden: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) intermediate: usize,
    pub(super) epsilon: f32,
    pub(super) pooling: Pooling,
    pub(super) precision: Precision,
}

/// In which numbers dense layers are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    Full,
    /// 16 bits where the processor has units for them, else 32.
    Fast,
}

/// One full layer of neurons.
struct Dense {
    weights: Weights,
    bias: Vec<f32>,
    inputs: usize,
}

enum Weights {
    /// `inputs × outputs`, in panels of [`PANEL`] outputs, one after the other: a product reads each from start to end,
    /// which is twice as fast for short texts as rows that are kilobytes apart.
    Panels(Vec<f32>),
    /// Rounded to 16 bits.
    Tiles(Tiles),
}

/// Outputs side by side in a panel: as many as the widest products compute at a time.
const PANEL: usize = 64;

struct Layer {
    /// Queries, keys and values by one product.
    qkv: Dense,
    attended: Dense,
    attended_norm: Norm,
    wide: Dense,
    narrow: Dense,
    norm: Norm,
}

/// A model's weights.
pub(super) struct Bert {
    shape: Shape,
    words: WordVectors,
    /// With the vector of the first token type, which is all a single text has, added.
    positions: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
    arch: Arch,
}

impl Bert {
    /// Reads the weights, on the threads of the pool it is called in.
    pub(super) fn read(path: &Path, shape: Shape) -> Result<Self, WeightError> {
        let tensors = Tensors::open(path)?;
        let reader = || LayerReader { tensors: &tensors, shape, rows: Vec::new() };
        let layers =
            (0..shape.layers).into_par_iter().map_init(reader, LayerReader::layer).collect::<Result<_, _>>()?;
        let arch = Arch::new();
        let positions = positions(&tensors, arch, shape.hidden)?;
        let norm = norm(&tensors, "embeddings.LayerNorm", shape)?;
        let words = WordVectors::find(tensors, shape.hidden)?;
        Ok(Self { shape, words, positions, norm, layers, arch })
    }

    pub(super) fn dimension(&self) -> usize {
        self.shape.hidden
    }

    /// Numbers of different tokens and of positions that there are vectors for.
    pub(super) fn rows(&self) -> (usize, usize) {
        (self.words.count(), self.positions.len() / self.shape.hidden)
    }

    /// A vector for each of `texts` (token numbers), not normalised.
    ///
    /// # Errors
    /// [`WeightError`] if the vectors of words cannot be read any more.
    pub(super) fn forward(&self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>, WeightError> {
        let mut states = self.embed(texts)?;
        let lengths: Vec<_> = texts.iter().map(|text| text.len()).collect();
        let mut space = Workspace::default();
        for layer in &self.layers {
            self.pass(layer, &mut states, &lengths, &mut space);
        }
        Ok(pool(self.shape.pooling, &states, &lengths, self.shape.hidden))
    }

    fn embed(&self, texts: &[&[u32]]) -> Result<Vec<f32>, WeightError> {
        let mut states = self.words.of(&texts.concat())?;
        let mut rest = states.as_mut_slice();
        for text in texts {
            let (text, others) = rest.split_at_mut(text.len() * self.shape.hidden);
            text.iter_mut().zip(&self.positions).for_each(|(number, position)| *number += position);
            rest = others;
        }
        math::normalise(self.arch, &mut states, &self.norm);
        Ok(states)
    }

    fn pass(&self, layer: &Layer, states: &mut Vec<f32>, lengths: &[usize], space: &mut Workspace) {
        let tokens = states.len() / self.shape.hidden;
        self.dense(&layer.qkv, states, tokens, &mut space.rounded, &mut space.qkv);
        math::add_bias(self.arch, &mut space.qkv, &layer.qkv.bias);
        self.attend(lengths, tokens, space);
        self.dense(&layer.attended, &space.context, tokens, &mut space.rounded, &mut space.out);
        math::add_and_norm(self.arch, &mut space.out, &layer.attended.bias, states, &layer.attended_norm);
        std::mem::swap(states, &mut space.out);
        self.dense(&layer.wide, states, tokens, &mut space.rounded, &mut space.wide);
        math::add_bias_gelu(self.arch, &mut space.wide, &layer.wide.bias);
        self.dense(&layer.narrow, &space.wide, tokens, &mut space.rounded, &mut space.out);
        math::add_and_norm(self.arch, &mut space.out, &layer.narrow.bias, states, &layer.norm);
        std::mem::swap(states, &mut space.out);
    }

    /// `to = rows * weights`, without the bias, which the next step adds in passing.
    fn dense(&self, layer: &Dense, rows: &[f32], count: usize, rounded: &mut Vec<u16>, to: &mut Vec<f32>) {
        resize(to, count * layer.bias.len());
        match &layer.weights {
            Weights::Panels(panels) => layer.apply(panels, rows, count, to),
            Weights::Tiles(tiles) => tiles.apply(self.arch, rows, count, rounded, to),
        }
    }

    /// Each text by itself, each head by itself.
    fn attend(&self, lengths: &[usize], tokens: usize, space: &mut Workspace) {
        let Shape { hidden, heads, .. } = self.shape;
        let (size, row) = (hidden / heads, 3 * hidden);
        let scale = 1.0 / (size as f32).sqrt();
        resize(&mut space.context, tokens * hidden);
        let mut first = 0;
        for &length in lengths {
            resize(&mut space.scores, length * length);
            for head in 0..heads {
                let at = |part: usize| View::rows(&space.qkv, row).from(first, part * hidden + head * size);
                let scores = Target { data: &mut space.scores, start: 0, row_step: length };
                product(scores, at(0), at(1).transposed(), (length, size, length), scale);
                math::softmax(self.arch, &mut space.scores, length);
                let to = Target { data: &mut space.context, start: first * hidden + head * size, row_step: hidden };
                product(to, View::rows(&space.scores, length), at(2), (length, length, size), 1.0);
            }
            first += length;
        }
    }
}

/// Memory that the layers of one pass share.
#[derive(Default)]
struct Workspace {
    qkv: Vec<f32>,
    scores: Vec<f32>,
    context: Vec<f32>,
    out: Vec<f32>,
    wide: Vec<f32>,
    /// Rows as tiles take them.
    rounded: Vec<u16>,
}

/// Makes room; the caller overwrites what was there.
fn resize(numbers: &mut Vec<f32>, length: usize) {
    numbers.resize(length, 0.0);
}

impl Dense {
    fn apply(&self, panels: &[f32], rows: &[f32], count: usize, to: &mut [f32]) {
        let outputs = self.bias.len();
        for (number, panel) in panels.chunks(self.inputs * PANEL).enumerate() {
            let width = panel.len() / self.inputs;
            let target = Target { data: to, start: number * PANEL, row_step: outputs };
            product(target, View::rows(rows, self.inputs), View::rows(panel, width), (count, self.inputs, width), 1.0);
        }
    }
}

/// Reads layers one after the other into the same memory: fresh memory costs more than the reading itself.
struct LayerReader<'a> {
    tensors: &'a Tensors,
    shape: Shape,
    rows: Vec<f32>,
}

impl LayerReader<'_> {
    fn layer(&mut self, number: usize) -> Result<Layer, WeightError> {
        let Shape { hidden, intermediate, .. } = self.shape;
        let name = |part: &str| format!("encoder.layer.{number}.{part}");
        let attention = ["query", "key", "value"].map(|part| name(&format!("attention.self.{part}")));
        Ok(Layer {
            qkv: self.dense(&attention, hidden, hidden)?,
            attended: self.dense(&[name("attention.output.dense")], hidden, hidden)?,
            attended_norm: norm(self.tensors, &name("attention.output.LayerNorm"), self.shape)?,
            wide: self.dense(&[name("intermediate.dense")], hidden, intermediate)?,
            narrow: self.dense(&[name("output.dense")], intermediate, hidden)?,
            norm: norm(self.tensors, &name("output.LayerNorm"), self.shape)?,
        })
    }

    /// Several layers of the same inputs, side by side, each with `outputs`.
    fn dense(&mut self, names: &[String], inputs: usize, outputs: usize) -> Result<Dense, WeightError> {
        let Self { tensors, shape, rows } = self;
        let mut bias = Vec::new();
        rows.clear();
        for name in names {
            tensors.append(&format!("{name}.weight"), inputs * outputs, rows)?;
            tensors.append(&format!("{name}.bias"), outputs, &mut bias)?;
        }
        let tiles = match shape.precision {
            Precision::Fast => Tiles::of(rows, inputs, bias.len()),
            Precision::Full => None,
        };
        let weights = tiles.map_or_else(|| Weights::Panels(panels(rows, inputs)), Weights::Tiles);
        Ok(Dense { weights, bias, inputs })
    }
}

/// Weights as products want them, by input; in files, and in `rows`, they are by output.
fn panels(rows: &[f32], inputs: usize) -> Vec<f32> {
    let mut panels = Vec::with_capacity(rows.len());
    for rows in rows.chunks(inputs * PANEL) {
        for input in 0..inputs {
            panels.extend(rows.iter().skip(input).step_by(inputs));
        }
    }
    panels
}

/// The vectors of positions, with that of the first token type added.
fn positions(tensors: &Tensors, arch: Arch, width: usize) -> Result<Vec<f32>, WeightError> {
    const KINDS: &str = "embeddings.token_type_embeddings.weight";
    let mut positions = tensors.read("embeddings.position_embeddings.weight")?;
    let kinds = tensors.read(KINDS)?;
    let first_kind = kinds.get(..width).ok_or_else(|| WeightError::Size {
        name: KINDS.to_owned(),
        found: kinds.len(),
        expected: width,
    })?;
    math::add_bias(arch, &mut positions, first_kind);
    Ok(positions)
}

fn norm(tensors: &Tensors, name: &str, shape: Shape) -> Result<Norm, WeightError> {
    let (mut weight, mut bias) = (Vec::new(), Vec::new());
    tensors.append(&format!("{name}.weight"), shape.hidden, &mut weight)?;
    tensors.append(&format!("{name}.bias"), shape.hidden, &mut bias)?;
    Ok(Norm { weight, bias, epsilon: shape.epsilon })
}
