//! Sets and removes any value of a block, and nothing else of it.

use std::ops::Range;

use serde_json::{Number, Value as Json};

use super::{
    RawProperty,
    block::{self, Block, Syntax},
    edit::{is_plain, quoted},
    entry::{Entry, Scalar, Value},
    number::{LARGEST_EXACT, json_number},
};

/// A value to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// Text.
    Text(String),
    /// A number, as it is written.
    Number(String),
    /// True or false.
    Switch(bool),
    /// Several values.
    List(Vec<Setting>),
}

/// A value that front matter has no simple form for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSetting {
    /// An object, or a list within a list.
    #[error("\"{0}\" must be a text, a number, true, false, a list of these, or null to remove it")]
    Nested(String),
    /// A whole number that other clients would read with other digits.
    #[error("\"{key}\" is {number}, which has too many digits for a number; send it as a text, \"{number}\"")]
    TooLong {
        /// Of the property.
        key: String,
        /// As it would be written.
        number: String,
    },
    /// A number whose digits have been lost when the request was read.
    #[error("\"{0}\" is a number with more digits than are kept; send it as a text")]
    Inexact(String),
}

impl Setting {
    /// Converts from JSON; `null` removes.
    ///
    /// # Errors
    /// [`NoSetting`] for objects, for lists of lists, and for whole numbers that would come back as texts.
    pub fn from_json(key: &str, value: &Json) -> Result<Option<Self>, NoSetting> {
        let fault = || NoSetting::Nested(key.to_owned());
        match value {
            Json::Null => Ok(None),
            Json::Array(items) => {
                let item = |item: &Json| match item {
                    Json::Array(_) | Json::Object(_) | Json::Null => Err(fault()),
                    plain => Self::from_json(key, plain)?.ok_or_else(fault),
                };
                Ok(Some(Self::List(items.iter().map(item).collect::<Result<_, _>>()?)))
            }
            Json::String(text) => Ok(Some(Self::Text(text.clone()))),
            // Of a whole number of more than 64 bits, JSON has kept the first digits only.
            Json::Number(number) if may_have_lost_digits(number) => Err(NoSetting::Inexact(key.to_owned())),
            Json::Number(number) => match number.to_string() {
                written if json_number(&written).is_some() => Ok(Some(Self::Number(written))),
                number => Err(NoSetting::TooLong { key: key.to_owned(), number }),
            },
            Json::Bool(switch) => Ok(Some(Self::Switch(*switch))),
            Json::Object(_) => Err(fault()),
        }
    }

    /// The value of a key, to be written elsewhere.
    pub(super) fn of(given: &RawProperty) -> Self {
        match given.values.as_slice() {
            [one] if !given.is_list => Self::of_one(one),
            several => Self::List(several.iter().map(Self::of_one).collect()),
        }
    }

    fn of_one(value: &Scalar) -> Self {
        let text = value.trim();
        let is_number =
            text.starts_with(|c: char| c.is_ascii_digit() || c == '-') && text.parse::<f64>().is_ok_and(f64::is_finite);
        match text {
            _ if value.is_quoted() => Self::Text(value.to_string()),
            "true" | "false" => Self::Switch(text == "true"),
            _ if is_number => Self::Number(text.to_owned()),
            _ => Self::Text(text.to_owned()),
        }
    }

    /// Whether this is what clients get to read of `value`.
    fn is_read_of(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::List(items), Value::List { items: read, source: _ }) => {
                items.len() == read.len() && items.iter().zip(read).all(|(item, read)| item.is_read_of_one(read))
            }
            (one, Value::Text(read)) => one.is_read_of_one(read),
            (_, _) => false,
        }
    }

    fn is_read_of_one(&self, read: &Scalar) -> bool {
        const SWITCHES: [&str; 6] = ["true", "True", "TRUE", "false", "False", "FALSE"];
        let text = read.read();
        let (is_plain, is_switch) = (!read.is_quoted(), SWITCHES.contains(&text.as_str()));
        match self {
            Self::Text(_) if is_plain && (is_switch || json_number(&text).is_some()) => false,
            Self::Text(given) => given.replace('\0', "") == text,
            Self::Number(given) => is_plain && json_number(&text).is_some_and(|number| number.to_string() == *given),
            Self::Switch(given) => is_plain && is_switch && text.eq_ignore_ascii_case(&given.to_string()),
            Self::List(_) => false,
        }
    }

    fn written(&self, syntax: Syntax, in_list: bool) -> String {
        match self {
            Self::Number(number) => number.clone(),
            Self::Switch(switch) => switch.to_string(),
            Self::Text(text)
                if syntax == Syntax::Yaml
                    && is_plain(text)
                    && !(in_list && text.contains([',', '[', ']', '{', '}'])) =>
            {
                text.clone()
            }
            Self::Text(text) => quoted(text),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(|item| item.written(syntax, true)).collect();
                format!("[{}]", items.join(", "))
            }
        }
    }
}

/// Whether a number that is too large for its whole part to be exact has as many digits as are kept: it may have had
/// more.
fn may_have_lost_digits(number: &Number) -> bool {
    /// Digits that every number keeps.
    const KEPT_DIGITS: usize = 15;
    let is_inexact = number.is_f64() && number.as_f64().is_some_and(|value| value.abs() > LARGEST_EXACT as f64);
    let written = number.to_string();
    let digits = written.split('e').next().unwrap_or_default();
    is_inexact && digits.bytes().filter(u8::is_ascii_digit).count() > KEPT_DIGITS
}

/// Returns `head` with these values; `None` removes one. An existing value is replaced in place, a new one is added at
/// the end; if there is no block, one is made, with the line ends of `body`.
pub fn with_settings(head: &str, body: &str, settings: &[(String, Option<Setting>)]) -> String {
    let mut text = head.to_owned();
    for (key, setting) in settings {
        text = with_setting(&text, body, key, setting.as_ref());
    }
    text
}

fn with_setting(head: &str, body: &str, key: &str, setting: Option<&Setting>) -> String {
    let Some(block) = block::find(head) else {
        let Some(setting) = setting else { return head.to_owned() };
        let end = block::line_end(if head.contains('\n') { head } else { body });
        let value = setting.written(Syntax::Yaml, false);
        return format!("{head}---{end}{}: {value}{end}---{end}", key_of(Syntax::Yaml, key));
    };
    let is_named = |entry: &Entry| super::named(&entry.key) == super::named(key);
    match (block.entries.iter().rposition(is_named), setting) {
        (Some(last), Some(setting)) => {
            let entry = &block.entries[last];
            // What was read and is sent back leaves the value as its author wrote it, and what it is: `1.10` and a day
            // stay what they are.
            let is_same = setting.is_read_of(&entry.value);
            let set =
                if is_same { head.to_owned() } else { replaced(head, entry, &setting.written(block.syntax, false)) };
            // Those before it would have their say as well, and stand before it in the text: their places are as they
            // were.
            without(&set, block.syntax, block.entries[..last].iter().filter(|entry| is_named(entry)))
        }
        (Some(_), None) => without(head, block.syntax, block.entries.iter().filter(|entry| is_named(entry))),
        (None, Some(setting)) => added(head, &block, key, setting),
        (None, None) => head.to_owned(),
    }
}

fn replaced(head: &str, entry: &Entry, value: &str) -> String {
    let apart = if head[..entry.range.start].ends_with([':', '=']) { " " } else { "" };
    [&head[..entry.range.start], apart, value, &head[entry.range.end..]].concat()
}

/// The lines of an entry.
fn lines(head: &str, entry: &Entry) -> Range<usize> {
    let start = head[..entry.range.start].rfind('\n').map_or(0, |newline| newline + 1);
    let end = head[entry.range.end..].find('\n').map_or(head.len(), |newline| entry.range.end + newline + 1);
    start..end
}

/// Returns `head` without the keys that are gone.
pub(super) fn without_keys(head: &str, is_gone: impl Fn(&str) -> bool) -> String {
    let Some(block) = block::find(head) else { return head.to_owned() };
    without(head, block.syntax, block.entries.iter().filter(|entry| is_gone(&entry.key)))
}

/// Returns `head` without the lines of these entries, however many: in one pass. In JSON they become null.
fn without<'e>(head: &str, syntax: Syntax, gone: impl Iterator<Item = &'e Entry>) -> String {
    let (mut text, mut rest) = (String::with_capacity(head.len()), 0);
    for entry in gone {
        let (place, value) = match syntax {
            Syntax::Json => (entry.range.clone(), "null"),
            Syntax::Yaml | Syntax::Toml => (lines(head, entry), ""),
        };
        if place.start >= rest {
            text.push_str(&head[rest..place.start]);
            text.push_str(value);
            rest = place.end;
        }
    }
    text.push_str(&head[rest..]);
    text
}

/// Returns `head`, which has a block, with values for keys that it does not have.
pub(super) fn with_new(head: &str, settings: &[(&str, Setting)]) -> String {
    let Some(block) = block::find(head).filter(|_| !settings.is_empty()) else { return head.to_owned() };
    let end = block::line_end(head);
    let written = settings.iter().map(|(key, setting)| {
        let (key, value) = (key_of(block.syntax, key), setting.written(block.syntax, false));
        match block.syntax {
            Syntax::Yaml => format!("{key}: {value}{end}"),
            Syntax::Toml => format!("{key} = {value}{end}"),
            Syntax::Json => format!("{end}  {key}: {value},"),
        }
    });
    let lines: String = written.collect();
    // In JSON, no comma stands before the closing bracket.
    let is_last = block.syntax == Syntax::Json && has_no_key(&block);
    let lines = if is_last { lines.trim_end_matches(',') } else { &lines };
    [&head[..block.room], lines, &head[block.room..]].concat()
}

fn added(head: &str, block: &Block, key: &str, setting: &Setting) -> String {
    let (end, value, key) = (block::line_end(head), setting.written(block.syntax, false), key_of(block.syntax, key));
    let line = match block.syntax {
        Syntax::Yaml => format!("{key}: {value}{end}"),
        Syntax::Toml => format!("{key} = {value}{end}"),
        Syntax::Json if has_no_key(block) => format!("{end}  {key}: {value}"),
        Syntax::Json => format!("{end}  {key}: {value},"),
    };
    [&head[..block.room], &line, &head[block.room..]].concat()
}

fn has_no_key(block: &Block) -> bool {
    block.entries.iter().all(|entry| entry.value == Value::Empty && entry.key.is_empty())
}

fn key_of(syntax: Syntax, key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    match syntax {
        Syntax::Yaml if is_plain(key) && !key.contains([',', '[', ']', '{', '}', ':']) => key.to_owned(),
        Syntax::Toml if !key.is_empty() && key.chars().all(is_bare) => key.to_owned(),
        _ => quoted(key),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::articles::front_matter::{RawProperty, given};

    fn set(head: &str, key: &str, value: Json) -> String {
        let setting = Setting::from_json(key, &value).expect("a value");
        with_settings(head, "", &[(key.to_owned(), setting)])
    }

    #[test]
    fn a_value_is_set_where_it_stands_and_all_else_stays() {
        use serde_json::json;
        let head = "---\ntitle: T # why\ntags:\n  - a\n  - b\nstatus: draft\n---\n";
        assert_eq!(set(head, "status", json!("done")), head.replace("draft", "done"));
        assert_eq!(set(head, "tags", json!(["x", "y, z"])), head.replace("\n  - a\n  - b", " [x, \"y, z\"]"));
        assert_eq!(set(head, "Status", json!(null)), head.replace("status: draft\n", ""));
        assert_eq!(set(head, "tags", json!(null)), head.replace("tags:\n  - a\n  - b\n", ""));
        assert_eq!(set(head, "rating", json!(4)), head.replace("draft\n", "draft\nrating: 4\n"));
        assert_eq!(set(head, "version", json!("1.10")), head.replace("draft\n", "draft\nversion: \"1.10\"\n"));
        assert_eq!(set("", "draft", json!(true)), "---\ndraft: true\n---\n");
        assert_eq!(set("", "draft", json!(null)), "");
        let toml = "+++\ntitle = \"T\"\n[extra]\na = 1\n+++\n";
        assert_eq!(set(toml, "status", json!("done")), toml.replace("[extra]", "status = \"done\"\n[extra]"));
        let json_head = "{\n  \"title\": \"T\"\n}\n";
        assert_eq!(set(json_head, "status", json!("done")), "{\n  \"status\": \"done\",\n  \"title\": \"T\"\n}\n");
        assert_eq!(set(json_head, "title", json!(null)), "{\n  \"title\": null\n}\n");
        for lost in
            ["18446744073709551617", "-9223372036854775809", "[123456789012345678901234567890]", "9007199254740993.0"]
        {
            let value = serde_json::from_str(lost).expect("JSON");
            assert_eq!(Setting::from_json("x", &value), Err(NoSetting::Inexact("x".to_owned())), "{lost}");
        }
        for kept in ["6.022e23", "1e300", "100000000000000000000", "0.1234567890123456", "1.7e-10"] {
            let value = serde_json::from_str(kept).expect("JSON");
            assert!(Setting::from_json("x", &value).is_ok(), "{kept}");
        }
        assert!(Setting::from_json("x", &json!({})).is_err() && Setting::from_json("x", &json!([[1]])).is_err());
    }

    #[test]
    fn a_key_that_is_there_twice_is_set_and_removed_as_one() {
        use serde_json::json;
        let head = "---\ndup: 1\ntags: [a]\ndup: 2\nTag: up\n---\n";
        assert_eq!(set(head, "dup", json!(null)), "---\ntags: [a]\nTag: up\n---\n");
        assert_eq!(set(head, "tags", json!(["new"])), "---\ndup: 1\ndup: 2\nTag: [new]\n---\n");
        let json_head = "{\n  \"tags\": [\"a\"],\n  \"Tags\": [\"b\"]\n}\n";
        assert_eq!(set(json_head, "tags", json!(["new"])), "{\n  \"tags\": null,\n  \"Tags\": [\"new\"]\n}\n");
    }

    proptest! {
        #[test]
        fn what_is_set_is_read_back_and_the_rest_with_it(
            before in proptest::collection::btree_map("[a-z]{1,6}", "[a-z0-9 :#,\"'\\[\\]-]{1,12}", 1..5),
            key in "[a-z]{1,6}", text in "[a-zé0-9 :#,\"'\\\\\\[\\]{}&*!|>%@`-]{1,16}",
        ) {
            let mut head = String::new();
            for (key, value) in &before {
                head = with_settings(&head, "", &[(key.clone(), Some(Setting::Text(value.clone())))]);
            }
            let head = with_settings(&head, "", &[(key.clone(), Some(Setting::Text(text.clone())))]);
            let read = given(&head);
            for (known, value) in before.iter().filter(|(known, _)| **known != key) {
                let found = read.iter().find(|given| given.key == *known);
                prop_assert_eq!(found.map(|given| given.values[0].trim()), Some(value.trim()), "{}", head);
            }
            let found: Option<&RawProperty> = read.iter().find(|given| given.key == key);
            prop_assert_eq!(found.map(|given| given.values[0].trim()), Some(text.trim()), "{}", head);
        }
    }
}
