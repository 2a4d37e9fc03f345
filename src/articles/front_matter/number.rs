//! Numbers of front matter as JSON has them.

use serde_json::Number;

/// The largest whole number that every client reads exactly. A larger one, such as the number of a device, is given out
/// as a text.
pub(super) const LARGEST_EXACT: u64 = (1 << 53) - 1;

/// Returns the number that `text` is, if JSON would write it back in the same way: `1.10` may be a version, and stays a
/// text. A whole number is one however it is written, unless it has so many digits that a client would change them.
pub(crate) fn json_number(text: &str) -> Option<Number> {
    if let Ok(whole) = text.parse::<i64>() {
        return (whole.unsigned_abs() <= LARGEST_EXACT && !text.starts_with('+')).then(|| whole.into());
    }
    let is_whole = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let value = text.parse::<f64>().ok().filter(|value| value.is_finite() && !is_whole)?;
    Number::from_f64(value).filter(|number| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::json_number;

    #[test]
    fn what_every_client_writes_back_is_a_number() {
        for text in ["0", "-7", "9007199254740991", "4.5", "-2.25", "1e+30", "1e-7", "9000000000000.5"] {
            assert_eq!(json_number(text).map(|number| number.to_string()).as_deref(), Some(text));
        }
        assert_eq!(json_number("007").map(|number| number.to_string()).as_deref(), Some("7"));
        for text in
            ["9007199254740993", "12345678901234567890", "1.10", "+5", "1e999", "NaN", "inf", "", "-", ".5", "five"]
        {
            assert_eq!(json_number(text), None, "{text}");
        }
    }
}
