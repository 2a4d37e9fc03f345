//! Which tags and properties there are in the whole collection, and reading them again after an upgrade.

mod backfill;
mod counts;
