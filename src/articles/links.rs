//! Links between articles, stored as they are written, each with the slug that its name would make.

mod store;

pub(crate) use store::decoded;
pub(super) use store::{LONGEST, name, write};
