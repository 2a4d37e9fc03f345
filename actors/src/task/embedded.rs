//! What an attempt makes.

use std::collections::HashMap;

use crate::embedder::Vector;

/// Vectors by the hash of what was embedded.
pub type Vectors = HashMap<String, Vector>;

/// All chunks of an article at one revision.
#[derive(Debug)]
pub struct EmbeddedSet {
    /// The revision the chunks were cut from.
    pub revision: i64,
    /// Of the content they were cut from.
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
    /// Of the embedded input.
    pub hash: String,
    /// Length of the embedded input.
    pub tokens: u32,
    /// Unit length.
    pub vector: Vector,
}
