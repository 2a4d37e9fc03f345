//! Reads tags and properties of an article: all of them, as they are written, because clients send back what they have
//! read.

use std::{borrow::Cow, collections::HashSet};

use serde_json::{Map, Value as Json};

use super::fold::folded;
use crate::{
    articles::front_matter::{self, RawProperty, Scalar},
    markdown::{Link, Mentions},
    offload,
};

/// A longer key, or tag, is ignored. *Units:* bytes.
const LONGEST_KEY: usize = 200;
/// A value is found by this much of its beginning. *Units:* characters.
const LONGEST_FOLDED: usize = 200;
/// Numbers are stored as multiples of 1/1,000.
const PARTS: i64 = 1_000;
/// A larger number is compared as if it were this one. *Units:* thousandths.
const MAX_NUMBER: i64 = 9_200_000_000_000_000_000;

/// Keys that are an article's own fields, or tags.
const OWN: [&str; 6] = ["title", "slug", "folder", "former_slugs", "tags", "tag"];

/// What an article says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Properties {
    /// Each tag folded, and as it is written; in their order, each once.
    pub tags: Vec<(String, String)>,
    /// In the order of the front matter.
    pub properties: Vec<Property>,
}

/// One key with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Folded: lower case.
    pub key: String,
    /// As it is written.
    pub name: String,
    /// One, or the items of a list.
    pub values: Vec<Value>,
    /// Whether it is a list.
    pub is_list: bool,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Any text.
    Text(String),
    /// A number, as it is written, and in thousandths.
    Number(String, i64),
    /// True or false.
    Switch(bool),
    /// A date or a time, as it is written, and in milliseconds since 1970.
    Time(String, i64),
}

/// What a text says by itself.
#[derive(Debug, Default)]
pub(crate) struct TextReading {
    /// Front matter at the beginning of the text itself.
    head: String,
    mentions: Mentions,
}

impl TextReading {
    /// Reads `body` here, or, if that takes a while, on another thread.
    pub(in crate::articles) async fn of(body: &str) -> Self {
        offload::read(body, Self::now).await
    }

    /// Returns the links of an article with this text: those of the front matter beside it, then those of the text, in
    /// their order.
    pub(crate) fn links<'a>(&'a self, front_matter: &str) -> Cow<'a, [Link]> {
        // Read in the transaction of a save: most front matter has no link, and is not looked into.
        let own = if front_matter.contains("[[") { front_matter::keys(&self.head) } else { HashSet::new() };
        let mut links = front_matter::links(front_matter, |key| own.contains(key));
        links.extend(front_matter::links(&self.head, |_| false));
        if links.is_empty() {
            return Cow::Borrowed(&self.mentions.links);
        }
        links.extend(self.mentions.links.iter().cloned());
        Cow::Owned(links)
    }

    /// Reads `body`.
    pub(in crate::articles) fn now(body: &str) -> Self {
        let document = front_matter::Document::split(body);
        Self { mentions: Mentions::read(&document.body), head: document.head }
    }
}

/// What an article is called besides its title, and what it is about.
pub(crate) fn about(front_matter: &str, body: &str) -> Vec<String> {
    Properties::of_reading(front_matter, &TextReading::now(body)).about()
}

impl Properties {
    /// Combines front matter and text.
    pub(crate) fn of_reading(front_matter: &str, text: &TextReading) -> Self {
        let mut reading = Reading::of_article(front_matter, &text.head);
        for tag in &text.mentions.tags {
            reading.add_tag(tag);
        }
        reading.properties
    }

    /// Reads the front matter at the beginning of an article's text, and for the keys that it does not name the front
    /// matter beside the text.
    pub(in crate::articles) fn of_article(front_matter: &str, body: &str) -> Self {
        Reading::of_article(front_matter, body).properties
    }

    /// Reads front matter alone.
    pub fn of_front_matter(front_matter: &str) -> Self {
        Reading::of_front_matter(front_matter).properties
    }

    /// Returns the tags as they are written, in the order of their names.
    pub(in crate::articles) fn names(&self) -> Vec<String> {
        let mut tags: Vec<_> = self.tags.iter().collect();
        tags.sort();
        tags.into_iter().map(|(_, name)| name.clone()).collect()
    }

    /// Returns the values of a key.
    pub fn of<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a Value> {
        let key = key.to_owned();
        self.properties.iter().filter(move |property| property.key == key).flat_map(|property| &property.values)
    }

    /// Converts to an object: a list stays a list.
    pub fn to_json(&self) -> Map<String, Json> {
        let value = |property: &Property| {
            let mut values = property.values.iter().map(Value::to_json);
            if property.is_list { Json::Array(values.collect()) } else { values.next().unwrap_or(Json::Null) }
        };
        self.properties.iter().map(|property| (property.name.clone(), value(property))).collect()
    }
}

/// What has been read so far.
#[derive(Default)]
struct Reading {
    properties: Properties,
    keys: HashSet<String>,
    tags: HashSet<String>,
}

impl Reading {
    fn of_article(front_matter: &str, body: &str) -> Self {
        let mut reading = Self::of_front_matter(body);
        if front_matter.is_empty() {
            return reading;
        }
        let named = front_matter::keys(body);
        let others = front_matter::given(front_matter).into_iter();
        others.filter(|given| !named.contains(&front_matter::named(&given.key))).for_each(|given| reading.add(given));
        reading
    }

    fn of_front_matter(front_matter: &str) -> Self {
        let mut reading = Self::default();
        for given in front_matter::given(front_matter) {
            reading.add(given);
        }
        reading
    }

    fn add(&mut self, given: RawProperty) {
        let key = folded(&given.key);
        if key == "tags" || key == "tag" {
            return self.add_tags(&given);
        }
        let key = if key == "alias" { "aliases".to_owned() } else { key };
        if key.is_empty() || key.len() > LONGEST_KEY || OWN.contains(&key.as_str()) {
            return;
        }
        if self.keys.insert(key.clone()) {
            let values = given.values.iter().map(Value::of).collect();
            self.properties.properties.push(Property { key, name: given.key, values, is_list: given.is_list });
        }
    }

    /// Adds tags: a list has one in each item; a text several, separated by commas or blanks.
    fn add_tags(&mut self, given: &RawProperty) {
        for value in &given.values {
            match given.is_list {
                true => self.add_tag(value),
                false if value.contains(',') => value.split(',').for_each(|tag| self.add_tag(tag)),
                false => value.split_whitespace().for_each(|tag| self.add_tag(tag)),
            }
        }
    }

    fn add_tag(&mut self, given: &str) {
        let name = given.replace('\0', "").replace(['\n', '\r'], " ");
        let name = name.trim().trim_start_matches('#').trim_matches('/').trim();
        let tag = folded(name);
        let is_one = !tag.is_empty() && tag.len() <= LONGEST_KEY && !tag.contains(char::is_control);
        if is_one && self.tags.insert(tag.clone()) {
            self.properties.tags.push((tag, name.to_owned()));
        }
    }
}

impl Value {
    /// Recognises a written value. In quotes it is neither a number nor a switch, and has its white space, but it may
    /// be a time: JSON has no other form for one.
    pub(super) fn of(written: &Scalar) -> Self {
        let text = written.read();
        match text.as_str() {
            _ if written.is_quoted() => {}
            "true" | "True" | "TRUE" => return Self::Switch(true),
            "false" | "False" | "FALSE" => return Self::Switch(false),
            plain => {
                if let Some(number) = written_number(plain) {
                    let thousandths = thousandths(plain, number).clamp(-MAX_NUMBER, MAX_NUMBER);
                    return Self::Number(text, thousandths);
                }
            }
        }
        let is_number = written.is_quoted() && text.bytes().all(|byte| byte.is_ascii_digit());
        match front_matter::parse_time(&text) {
            Some(at) if !is_number => Self::Time(text, at),
            Some(_) | None => Self::Text(text),
        }
    }

    /// The name of its kind, as in the database.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Number(..) => "number",
            Self::Switch(_) => "switch",
            Self::Time(..) => "time",
        }
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text, _) | Self::Time(text, _) => text,
            Self::Switch(true) => "true",
            Self::Switch(false) => "false",
        }
    }

    /// The number by which it is compared, if it has an order.
    pub(super) fn number(&self) -> Option<i64> {
        match self {
            Self::Text(_) => None,
            Self::Number(_, number) | Self::Time(_, number) => Some(*number),
            Self::Switch(switch) => Some(i64::from(*switch)),
        }
    }

    fn to_json(&self) -> Json {
        match self {
            Self::Switch(switch) => Json::Bool(*switch),
            Self::Number(text, _) => {
                front_matter::json_number(text).map_or_else(|| Json::String(text.clone()), Json::Number)
            }
            Self::Text(text) | Self::Time(text, _) => Json::String(text.clone()),
        }
    }
}

/// The text by which a value is found that is written so.
pub(super) fn found_by(text: &str) -> String {
    folded(text).chars().take(LONGEST_FOLDED).collect()
}

/// Parses a number that can be compared with others, in thousandths.
pub(super) fn number(text: &str) -> Option<i64> {
    let thousandths = thousandths(text, written_number(text)?);
    (thousandths.abs() < MAX_NUMBER).then_some(thousandths)
}

fn written_number(text: &str) -> Option<f64> {
    let is_written_as_one =
        text.starts_with(|c: char| c.is_ascii_digit() || c == '-') && text.contains(|c: char| c.is_ascii_digit());
    text.parse().ok().filter(|number: &f64| is_written_as_one && number.is_finite())
}

/// A whole number is converted exactly.
fn thousandths(text: &str, number: f64) -> i64 {
    let whole = text.parse::<i64>().ok().and_then(|whole| whole.checked_mul(PARTS));
    whole.unwrap_or_else(|| (number * PARTS as f64).round() as i64)
}
