//! The tags and properties of the whole collection, and reading them again after an upgrade.

mod backfill;
mod counts;
