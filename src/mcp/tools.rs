//! The tools, a file for each subject: what each takes, what it answers, and which service it calls.

mod answers;
mod around;
mod bulk;
mod naming;
mod queue;
mod reading;
mod searching;
mod writing;

use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;

use super::problem::Problem;
use crate::articles::{folder::Folder, properties::Filter};

/// How urgent an embedding is.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Priority {
    High,
    Normal,
    Low,
}

impl From<Priority> for afterword_actors::task::Priority {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::High => Self::High,
            Priority::Normal => Self::Normal,
            Priority::Low => Self::Low,
        }
    }
}

/// The filter that was written, or none.
fn filter(given: Option<&str>) -> Result<Filter, Problem> {
    Filter::parse(given.unwrap_or_default()).map_err(|error| Problem::new(format!("filter: {error}")))
}

/// The folder that was named, or the root.
fn folder(given: Option<&str>) -> Result<Folder, Problem> {
    Ok(Folder::parse(given.unwrap_or_default())?)
}
