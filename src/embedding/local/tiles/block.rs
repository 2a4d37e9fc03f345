//! Tiles of weights, and blocks of sums, as they lie in memory.

/// Rows of a tile, and numbers in a row of a sum.
pub(super) const SIDE: usize = 16;
/// Inputs that one product of two tiles adds up.
pub(super) const DEPTH: usize = 32;
/// Two tiles by two are multiplied at a time: each is then used twice.
pub(super) const BLOCK: usize = 2 * SIDE;

/// Weights of 16 outputs for [`DEPTH`] inputs: in each row two inputs of all outputs.
#[repr(C, align(64))]
#[derive(Clone)]
pub(super) struct Tile(pub(super) [[[u16; 2]; SIDE]; SIDE]);

/// Two tiles of sums by two.
#[repr(C, align(64))]
pub(super) struct Block(pub(super) [[f32; BLOCK]; BLOCK]);
