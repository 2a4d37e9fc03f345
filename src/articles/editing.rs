//! Changing a part of a text: everything outside the part stays byte for byte.
//!
//! Pure: it knows texts and their sections, and no article. An inserted text takes the line ends of the text around it,
//! and is set apart by blank lines (unless it continues a list or a table); a text without a line break at its end
//! keeps none. Several edits are applied one after the other, or none. What others have changed meanwhile is joined
//! with them by lines ([`merge`]), or by applying them to the newer text ([`applied_again`]).

mod again;
mod apply;
mod asked;
mod difference;
mod edit;
mod error;
mod lines;

pub use again::applied_again;
pub(crate) use apply::MAX_EDITS;
pub use apply::apply;
pub(crate) use apply::sections_of;
pub use asked::NoEdit;
pub use difference::{merge, unified};
pub use edit::{Edit, SectionChange};
pub use error::{EditError, Fault};

#[cfg(test)]
mod tests;
