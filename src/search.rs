//! Search: by words, by meaning, or both, from what is stored at this moment.
//!
//! It reads and never waits for the queue: an article that is not embedded yet is found by its words, and a search
//! whose meaning side fails answers from words and says so. It knows no door.

mod answer;
mod explain;
mod field;
mod filter;
mod fusion;
mod parse;
mod passages;
mod question;
mod related;
mod semantic;
mod service;
mod snippet;
mod spelling;
mod vectors;

pub use answer::{Explanation, Hit, MAX_PASSAGES, Mode, Passage, Query, SearchAnswer, SearchError, TermShare};
pub use fusion::Weights;
pub use semantic::QueryModels;
pub use service::{Search, SearchSettings};
pub use spelling::Correction;
