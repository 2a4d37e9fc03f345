//! Tags and properties: what an article's front matter and text say about it besides its words.
//!
//! Front matter is the truth, and stays text; `article_tags` and `article_properties` are read from it at each save, in
//! the transaction that saves, and again in the background when a later version reads more. No property is embedded.

mod condition;
mod filter;
mod fold;
mod indexed;
mod period;
mod read;
mod store;

pub use condition::Shape;
pub use filter::{Filter, FilterError, Term};
pub(super) use fold::folded;
pub(super) use indexed::MAX_TAGS;
pub(crate) use read::TextReading;
pub(crate) use read::about;
pub use read::{Properties, Property, Value};
pub(crate) use store::{ExistingRows, write};
pub(super) use store::{KNOWN_BY, alias_of, tags};
