//! Changes values of a block and nothing else of it.

use super::{
    block::{self, Block, Syntax},
    fields::Field,
    moment,
};
use crate::time::Timestamp;

/// A value to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Text.
    Text(String),
    /// *Units:* milliseconds since 1970.
    Time(i64),
    /// True or false.
    Switch(bool),
    /// Names that need no quotes.
    Names(Vec<String>),
}

/// Returns `head` with these values. An existing value is replaced in place, a new one is added at the end; if there is
/// no block, one is made, with the line ends of `body`.
pub fn edited(head: &str, body: &str, edits: &[(Field, Edit)]) -> String {
    if edits.is_empty() {
        return head.to_owned();
    }
    match block::find(head) {
        Some(block) => in_block(head, &block, edits),
        None => {
            let end = block::line_end(if head.contains('\n') { head } else { body });
            let lines: String =
                edits.iter().map(|(field, edit)| format!("{}: {}{end}", field.names()[0], yaml(edit))).collect();
            format!("{head}---{end}{lines}---{end}")
        }
    }
}

fn in_block(head: &str, block: &Block, edits: &[(Field, Edit)]) -> String {
    let end = block::line_end(head);
    let (mut replaced, mut added) = (Vec::new(), String::new());
    for (field, edit) in edits {
        match field.entry(block) {
            Some(entry) => {
                let value = written(block.syntax, edit);
                let apart = head[..entry.range.start].ends_with([':', '=']);
                replaced.push((entry.range.clone(), if apart { format!(" {value}") } else { value }));
            }
            None => added.push_str(&line(block.syntax, field.names()[0], edit, end)),
        }
    }
    if !added.is_empty() {
        if block.syntax == Syntax::Json && block.entries.is_empty() {
            added = added.trim_end().trim_end_matches(',').to_owned();
        }
        replaced.push((block.room..block.room, added));
    }
    replaced.sort_by_key(|(range, _)| range.start);
    let mut text = head.to_owned();
    for (range, value) in replaced.into_iter().rev() {
        text.replace_range(range, &value);
    }
    text
}

fn line(syntax: Syntax, key: &str, edit: &Edit, end: &str) -> String {
    match syntax {
        Syntax::Yaml => format!("{key}: {}{end}", yaml(edit)),
        Syntax::Toml => format!("{key} = {}{end}", toml(edit)),
        Syntax::Json => format!("{end}  \"{key}\": {},", json(edit)),
    }
}

fn written(syntax: Syntax, edit: &Edit) -> String {
    match syntax {
        Syntax::Yaml => yaml(edit),
        Syntax::Toml => toml(edit),
        Syntax::Json => json(edit),
    }
}

fn yaml(edit: &Edit) -> String {
    match edit {
        Edit::Text(text) if is_plain(text) => text.clone(),
        Edit::Text(text) => quoted(text),
        Edit::Time(at) => Timestamp(*at).to_string(),
        Edit::Switch(switch) => switch.to_string(),
        Edit::Names(names) => format!("[{}]", names.join(", ")),
    }
}

fn toml(edit: &Edit) -> String {
    match edit {
        Edit::Text(text) => quoted(text),
        Edit::Time(at) => Timestamp(*at).to_string(),
        Edit::Switch(switch) => switch.to_string(),
        Edit::Names(names) => format!("[{}]", names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")),
    }
}

fn json(edit: &Edit) -> String {
    match edit {
        Edit::Time(at) => quoted(&Timestamp(*at).to_string()),
        Edit::Text(_) | Edit::Switch(_) | Edit::Names(_) => toml(edit),
    }
}

/// Quotes a text so that YAML, TOML and JSON read the same.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether YAML reads `text` without quotes as this text, and not as a number, time or switch.
pub(super) fn is_plain(text: &str) -> bool {
    const SWITCHES: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let is_value = SWITCHES.iter().any(|word| text.eq_ignore_ascii_case(word))
        || text.replace('_', "").parse::<f64>().is_ok()
        || moment::parse(text).is_some()
        || text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(' ');
    let is_odd =
        text.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '"' | '\\'));
    text.starts_with(char::is_alphanumeric)
        && !text.ends_with([' ', ':'])
        && !text.ends_with(char::is_whitespace)
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains(":\t")
        && !is_odd
        && !is_value
}
