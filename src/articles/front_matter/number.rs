//! Numbers of front matter as JSON has them.

use serde_json::Number;

/// Returns the number that `text` is, if JSON would write it back in the same way: `1.10` may be a version, and stays a text.
/// A whole number is one however it is written.
pub(crate) fn json_number(text: &str) -> Option<Number> {
    let fraction = || Number::from_f64(text.parse().ok()?).filter(|number| number.to_string() == text);
    text.parse::<i64>().ok().map(Number::from).or_else(fraction)
}
