//! Numbers of front matter as JSON has them.

use serde_json::Number;

/// From here on, what looks like a number is a text to filters, and so to clients.
const TOO_LARGE: f64 = 9e12;

/// Returns the number that `text` is, if JSON would write it back in the same way: `1.10` may be a version, and stays a text.
/// A whole number is one however it is written.
pub(crate) fn json_number(text: &str) -> Option<Number> {
    let value = text.parse::<f64>().ok().filter(|value| value.abs() < TOO_LARGE && !text.starts_with('+'))?;
    let fraction = || Number::from_f64(value).filter(|number| number.to_string() == text);
    text.parse::<i64>().ok().map(Number::from).or_else(fraction)
}
