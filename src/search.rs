//! Search: by words, by meaning, or both, from what is stored at this moment.
//!
//! It reads and never waits for the queue: an article that is not embedded yet is found by its words, and a search
//! whose meaning side fails answers from words and says so. It knows no door.

mod answer;
mod chosen;
mod explain;
mod field;
mod filter;
mod fusion;
mod hits;
mod options;
mod parse;
mod passages;
mod question;
mod question_cache;
mod related;
mod rerank;
mod semantic;
mod service;
mod several;
mod snippet;
mod spelling;
mod texts;
mod vectors;

pub use crate::api::{Correction, Explanation, Hit, Mode, Passage, Reranked, SearchAnswer, TermShare, Weights};
pub use answer::{MAX_PASSAGES, MAX_QUESTIONS, Query, SearchError};
pub use semantic::QueryModels;
pub use service::{Search, SearchSettings};
