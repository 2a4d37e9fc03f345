//! Values of front matter, as they are typed and as they are shown.

use serde_json::Value;

use crate::{articles::front_matter::Setting, cli::failure::Usage};

/// Parses `KEY=VALUE`: `[a, b]` is a list, `true` a switch, `4` a number, an empty value removes.
pub(super) fn properties(typed: &[String]) -> anyhow::Result<Vec<(String, Option<Setting>)>> {
    Ok(typed.iter().map(|typed| setting(typed)).collect::<Result<_, _>>()?)
}

fn setting(typed: &str) -> Result<(String, Option<Setting>), Usage> {
    let Some((key, value)) = typed.split_once('=') else {
        return Err(Usage(format!(
            "--property needs KEY=VALUE, e.g. --property status=draft; there is no = in \"{typed}\""
        )));
    };
    let value = value.trim();
    let list = value.strip_prefix('[').and_then(|value| value.strip_suffix(']'));
    let setting = match (value, list) {
        ("", _) => None,
        (_, Some(items)) => {
            let items = items.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(Setting::List(items.map(plain).collect()))
        }
        (value, None) => Some(plain(value)),
    };
    Ok((key.trim().to_owned(), setting))
}

fn plain(value: &str) -> Setting {
    match value {
        "true" => Setting::Switch(true),
        "false" => Setting::Switch(false),
        number if number.parse::<i64>().is_ok_and(|parsed| parsed.to_string() == number) => {
            Setting::Number(number.to_owned())
        }
        text => Setting::Text(text.to_owned()),
    }
}

/// A property as people write it.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(written).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
