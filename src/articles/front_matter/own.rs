//! Keys that are no properties: an article has these values itself, and they are set in another way.

use super::{fields::Field, named};

/// Returns what a key would be mistaken for, and how that is set, if it is none of an article's properties.
pub(crate) fn own(key: &str) -> Option<&'static str> {
    let key = named(key);
    let is = |field: Field| field.names()[0] == key;
    [
        (Field::Title, "the article's title; set title instead"),
        (Field::Slug, "the article's slug; give it when you create the article, or rename it"),
        (Field::Folder, "the article's folder; set folder instead"),
        (Field::SkipEmbedding, "the article's own; set skip_embedding instead"),
        (Field::FormerSlugs, "kept by the server; rename the article, and the old slug keeps working"),
    ]
    .into_iter()
    .find_map(|(field, said)| is(field).then_some(said))
}
