//! Links between articles, stored as they are written, each with the slug that its name would make.

mod store;

pub(super) use store::{LONGEST, name, name_at};
pub(crate) use store::{decoded, write};
