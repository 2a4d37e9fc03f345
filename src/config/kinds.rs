//! What sort of value a setting takes: how a text is read for it, and what is said of a value that it cannot take.

use figment::value::Value;

use super::{entry::Entry, hidden::is_secret, keys::known_keys};

/// Settings that are one of a few names, or a number too.
const NAMES: [(&str, &str); 5] = [
    ("queue.slots", "auto or a whole number, e.g. 1"),
    ("embedding.provider", "one of: local, openai, scripted"),
    ("embedding.openai.encoding", "one of: float, base64"),
    ("log.format", "one of: pretty, json"),
    ("sync", "folders in the settings file, each under [[sync]] with path = \"…\" and, if wanted, folder = \"…\""),
];

/// Turns the text of a variable or flag into a number or a switch where the setting is one; everything else stays text,
/// be it of digits alone. A text that cannot be turned stays, for its fault to be told.
pub(super) fn read_text(entry: &mut Entry) {
    let Value::String(_, text) = &entry.value else { return };
    let read = match known_keys().get(&entry.key) {
        Some(Value::Num(..) | Value::Bool(..) | Value::Empty(..)) if entry.key != "embedding.model_dir" => {
            number_or_switch(text.trim())
        }
        _ => None,
    };
    if let Some(value) = read {
        entry.value = value;
    }
}

fn number_or_switch(text: &str) -> Option<Value> {
    let switch = text.parse::<bool>().map(Value::from).ok();
    let number = || text.parse::<u64>().map(Value::from).or_else(|_| text.parse::<i64>().map(Value::from)).ok();
    switch.or_else(number).or_else(|| text.parse::<f64>().map(Value::from).ok())
}

/// What the setting takes, with an example. `default` tells its sort.
pub(super) fn wanted(key: &str, default: &Value) -> String {
    if let Some((_, names)) = NAMES.iter().find(|(name, _)| *name == key) {
        return format!("must be {names}");
    }
    match default {
        Value::Bool(_, default) => format!("must be true or false, e.g. {default}"),
        Value::Num(_, number) if number.to_u128().is_none() => {
            format!("must be a number, e.g. {}", number.to_f64().unwrap_or_default())
        }
        Value::Num(_, number) => {
            format!("must be a whole number, not negative, e.g. {}", number.to_u128().unwrap_or_default())
        }
        Value::Empty(..) if key != "embedding.model_dir" => "must be a whole number, e.g. 1536".to_owned(),
        Value::Array(..) => {
            "must be a list of texts, e.g. [\"one.example.org\", \"two.example.org\"]; a variable or --set takes \
             one.example.org,two.example.org too"
                .to_owned()
        }
        Value::String(_, text) if humantime::parse_duration(text).is_ok() => {
            format!("must be a time with its unit, e.g. \"{text}\", or \"500ms\", \"30s\", \"5m\", \"2h\", \"7days\"")
        }
        Value::String(_, text) if text.ends_with("iB") => {
            "must be a size with its unit, e.g. \"64KiB\" or \"64MiB\"".to_owned()
        }
        _ if is_secret(key) => "must be a text in quotes".to_owned(),
        _ => "must be a text, in quotes in the settings file, e.g. \"…\"".to_owned(),
    }
}
