//! Embedding back ends, each an implementation of the runtime's trait `Embedder`.

pub mod openai;
pub mod scripted;
