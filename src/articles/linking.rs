//! Links between articles: outgoing, incoming and broken ones, and mending them after a rename.
//!
//! A link is resolved when it is asked for: by slug, former slug, alias, title, and for a link to a file by the file's
//! path.

mod files;
mod former_names;
mod incoming;
mod link_target;
mod mend;
mod resolve;

pub use link_target::LinkTarget;
pub use mend::RelinkReport;
