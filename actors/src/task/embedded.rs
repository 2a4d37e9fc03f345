//! The chunks and vectors that an attempt makes.

use std::collections::HashMap;

use crate::embedder::Vector;

/// Vectors by the hash of the embedded text.
pub type Vectors = HashMap<String, Vector>;

/// All chunks of an article at one revision.
#[derive(Debug)]
pub struct EmbeddedSet {
    /// The revision the chunks were cut from.
    pub revision: i64,
    /// Hash of the content that they were cut from.
    pub content_hash: String,
    /// In the order of the body.
    pub chunks: Vec<EmbeddedChunk>,
}

/// A chunk with its vector.
#[derive(Debug)]
pub struct EmbeddedChunk {
    /// Headings from the outermost to the innermost.
    pub heading_path: String,
    /// The piece of the body.
    pub text: String,
    /// Hash of the embedded input.
    pub hash: String,
    /// Length of the embedded input, in tokens.
    pub tokens: u32,
    /// Of unit length.
    pub vector: Vector,
}
