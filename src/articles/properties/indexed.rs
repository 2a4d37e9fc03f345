//! How much of what an article says is found: further tags and values are kept and shown, but no filter and no search
//! looks at them.

use super::read::{Properties, Property, Value};

/// Most tags of an article that are found.
pub(in crate::articles) const MAX_TAGS: usize = 500;
/// Most values of an article that are found.
const MAX_VALUES: usize = 1_000;
/// So much of the beginning of a value is found. *Units:* characters.
const LONGEST_VALUE: usize = 2_000;

/// A value that filters find.
pub(super) struct IndexedValue<'p> {
    pub(super) property: &'p Property,
    /// Its place in a list, from 0.
    pub(super) position: usize,
    pub(super) value: &'p Value,
    /// Its text, as far as it is found.
    pub(super) text: &'p str,
}

impl Properties {
    /// Returns the tags that are found: each folded, and as it is written.
    pub(super) fn indexed_tags(&self) -> &[(String, String)] {
        &self.tags[..self.tags.len().min(MAX_TAGS)]
    }

    /// Returns the values that are found. An empty text is no value to a filter.
    pub(super) fn indexed_values(&self) -> impl Iterator<Item = IndexedValue<'_>> {
        let values = self.properties.iter().flat_map(|property| {
            let values = property.values.iter().enumerate();
            values.map(move |(position, value)| IndexedValue {
                property,
                position,
                value,
                text: beginning(value.text()),
            })
        });
        values.filter(|indexed| !indexed.text.trim().is_empty()).take(MAX_VALUES)
    }

    /// Returns the other names of an article and its subjects: aliases, tags and its description.
    pub(crate) fn about(&self) -> Vec<String> {
        let of = |key: &str| {
            let values = self.indexed_values().filter(|indexed| indexed.property.key == key);
            values.map(|indexed| indexed.text.to_owned()).collect::<Vec<_>>()
        };
        let mut tags: Vec<_> = self.indexed_tags().iter().collect();
        tags.sort();
        let tags = tags.into_iter().map(|(_, name)| name.clone());
        of("aliases").into_iter().chain(of("description")).chain(tags).collect()
    }
}

fn beginning(text: &str) -> &str {
    text.char_indices().nth(LONGEST_VALUE).map_or(text, |(at, _)| &text[..at])
}
