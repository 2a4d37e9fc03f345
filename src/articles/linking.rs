//! Links between articles: what one links to, what links to it, which lead nowhere, and mending them after a rename.
//!
//! To which article a link leads is found when it is asked for: by slug, former slug, alias, title, and for a link to a file
//! by the file's place.

mod files;
mod incoming;
mod linked;
mod mend;
mod resolve;

pub use linked::Linked;
