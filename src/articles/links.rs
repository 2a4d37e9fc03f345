//! Links between articles, stored as they are written, each with the slug that its name would make.

mod store;

pub(super) use store::{MAX_TARGET_BYTES, name, name_at};
pub(crate) use store::{decoded, write};
