//! Parts of a request, read.

use serde_json::{Map, Value};

use crate::{
    articles::{
        folder::Folder,
        front_matter::{NoSetting, Setting},
        properties::Filter,
        slug::Slug,
    },
    http::problem::Problem,
};

pub(in crate::http) fn folder(path: &str) -> Result<Folder, Problem> {
    Folder::parse(path).map_err(|error| Problem::invalid("folder", error))
}

pub(in crate::http) fn filter(words: &str) -> Result<Filter, Problem> {
    Filter::parse(words).map_err(|error| Problem::invalid("filter", error))
}

pub(super) fn properties(given: &Map<String, Value>) -> Result<Vec<(String, Option<Setting>)>, Problem> {
    let setting = |(key, value): (&String, &Value)| Ok((key.clone(), Setting::from_json(key, value)?));
    given.iter().map(setting).collect::<Result<_, NoSetting>>().map_err(|error| Problem::invalid("properties", error))
}

pub(super) fn slug(slug: &str) -> Result<Slug, Problem> {
    Slug::parse(slug).map_err(|error| Problem::invalid("slug", error))
}
