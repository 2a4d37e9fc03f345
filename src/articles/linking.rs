//! Links between articles: outgoing, incoming and broken ones, and mending them after a rename.
//!
//! A link is resolved when it is asked for: by slug, former slug, alias, title, and for a link to a file by the file's
//! path.

mod files;
mod incoming;
mod linked;
mod mend;
mod outdated;
mod resolve;

pub use linked::Linked;
pub use mend::Relinked;
