//! A model of a server's that judges how well documents answer a question (Cohere, Jina, text-embeddings-inference,
//! vLLM, llama.cpp). It knows nothing of articles.
//!
//! Answers are not trusted: every document must have one finite score, or there is none for any. What fails is said,
//! and the server then has a rest, so that no search waits for one that is away.

mod answer;
mod cooldown;
mod form;
mod refusal;
mod reranker;
mod score_cache;

pub use reranker::{NoScores, Reranker};
