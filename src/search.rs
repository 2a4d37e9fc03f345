//! Search: by words, by meaning, or both, from what is stored at this moment.
//!
//! It reads and never waits for the queue: an article that is not embedded yet is found by its words, and a search
//! whose meaning side fails answers from words and says so. It knows no door.

mod answer;
mod fusion;
pub(crate) mod keyword;
mod semantic;
mod service;
pub mod snippet;
mod vectors;
pub mod words;

pub use answer::{Hit, Mode, Query, SearchAnswer, SearchError};
pub use semantic::QueryModels;
pub use service::{Search, SearchSettings};
