//! A list of names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Names in a list, or in one text as an environment variable has it: with commas between them, or in brackets as in the settings
/// file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "OneOrMany")]
pub struct Names(Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// A text that begins as a list does, and is none.
#[derive(Debug, thiserror::Error)]
#[error("begins as a list in brackets, and is none")]
struct NoList;

impl TryFrom<OneOrMany> for Names {
    type Error = NoList;

    fn try_from(given: OneOrMany) -> Result<Self, NoList> {
        let names = match given {
            OneOrMany::One(text) if text.trim_start().starts_with('[') => in_brackets(text.trim())?,
            OneOrMany::One(text) => text.split(',').map(str::to_owned).collect(),
            OneOrMany::Many(names) => names,
        };
        Ok(Self(names.into_iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()))
    }
}

/// Reads a list as it stands in the settings file.
fn in_brackets(text: &str) -> Result<Vec<String>, NoList> {
    let mut read: BTreeMap<String, Vec<String>> = toml::from_str(&format!("names = {text}")).map_err(|_| NoList)?;
    read.remove("names").filter(|_| read.is_empty()).ok_or(NoList)
}

impl std::ops::Deref for Names {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}
