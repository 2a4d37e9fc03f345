//! The tools, a file for each subject: what each takes, what it answers, and which service it calls.

mod answers;
mod around;
mod bulk;
mod existing;
mod naming;
mod queue;
mod reading;
mod searching;
mod surroundings;
mod writing;

use super::problem::Problem;
use crate::articles::{folder::Folder, properties::Filter};

/// Parses the given filter; without one, the empty filter.
fn filter(given: Option<&str>) -> Result<Filter, Problem> {
    Filter::parse(given.unwrap_or_default()).map_err(|error| Problem::new(format!("filter: {error}")))
}

/// Parses the given folder; without one, the root.
fn folder(given: Option<&str>) -> Result<Folder, Problem> {
    Ok(Folder::parse(given.unwrap_or_default())?)
}
