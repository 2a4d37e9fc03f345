//! The query of the first view.

use serde::Deserialize;

use crate::{
    articles::properties::{Filter, FilterError},
    search::Mode,
};

/// The query of the first view.
#[derive(Debug, Default, Deserialize)]
pub(super) struct HomeQuery {
    #[serde(default)]
    pub(super) q: String,
    #[serde(default)]
    pub(super) mode: Mode,
    #[serde(default)]
    pub(super) folder: String,
    /// Such as `tag:rust status:draft`.
    #[serde(default)]
    pub(super) filter: String,
    #[serde(default)]
    pub(super) cursor: String,
    /// How many hits are shown; more than at first.
    pub(super) hits: Option<usize>,
    /// An article that was deleted just now.
    #[serde(default)]
    pub(super) deleted: String,
}

impl HomeQuery {
    /// Reads the filter.
    pub(super) fn filter(&self) -> Result<Filter, FilterError> {
        Filter::parse(&self.filter)
    }
}
