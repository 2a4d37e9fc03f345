//! Spans of time as people write them: `2026-01..2026-03`, `2025`, `>2026-01-15`, `<7d`, `today`.

use time::{Date, Month, OffsetDateTime, Time};

use crate::articles::front_matter::parse_time;

/// *Units:* milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// When a thing is to have happened. *Units:* milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    /// From (inclusive) and to (exclusive), since 1970; either may be open.
    Between(Option<i64>, Option<i64>),
    /// At most this long ago.
    Younger(i64),
    /// At least this long ago.
    Older(i64),
    /// The day this many days ago, as a whole day of UTC; 0: today.
    Days(i64),
}

/// Parses a period; `None` if it is not one.
pub(super) fn parse(text: &str) -> Option<Period> {
    let text = text.trim();
    if let Some((from, to)) = text.split_once("..") {
        let from = if from.is_empty() { None } else { Some(span(from)?.0) };
        let to = if to.is_empty() { None } else { Some(span(to)?.1) };
        return (from.is_some() || to.is_some()).then_some(Period::Between(from, to));
    }
    match text.to_ascii_lowercase().as_str() {
        "today" => return Some(Period::Days(0)),
        "yesterday" => return Some(Period::Days(1)),
        _ => {}
    }
    for (sign, with) in [(">=", true), ("<=", true), (">", false), ("<", false)] {
        let Some(rest) = text.strip_prefix(sign) else { continue };
        if let Some(age) = age(rest) {
            return Some(if sign.starts_with('<') { Period::Younger(age) } else { Period::Older(age) });
        }
        let (begin, end) = span(rest)?;
        return Some(match (sign.starts_with('>'), with) {
            (true, true) => Period::Between(Some(begin), None),
            (true, false) => Period::Between(Some(end), None),
            (false, true) => Period::Between(None, Some(end)),
            (false, false) => Period::Between(None, Some(begin)),
        });
    }
    span(text).map(|(begin, end)| Period::Between(Some(begin), Some(end)))
}

/// `7d`, `12h`, `2w`, `30min`, `1y`
fn age(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: i64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim() {
        "min" => DAY / 24 / 60,
        "h" => DAY / 24,
        "d" => DAY,
        "w" => 7 * DAY,
        "m" | "mo" => 30 * DAY,
        "y" => 365 * DAY,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// The beginning and end of a year, a month, a day or a moment.
fn span(text: &str) -> Option<(i64, i64)> {
    let text = text.trim();
    let parts: Vec<&str> = text.split('-').collect();
    let is_number = |part: &&str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    match parts.as_slice() {
        [year] if is_number(year, 4) => {
            let year = year.parse().ok()?;
            Some((midnight(year, 1)?, midnight(year + 1, 1)?))
        }
        [year, month] if is_number(year, 4) && is_number(month, 2) => {
            let (year, month): (i32, u8) = (year.parse().ok()?, month.parse().ok()?);
            let next = if month == 12 { midnight(year + 1, 1) } else { midnight(year, month + 1) };
            Some((midnight(year, month)?, next?))
        }
        _ => {
            let begin = parse_time(text)?;
            Some((begin, if text.contains(':') { begin + 1 } else { begin + DAY }))
        }
    }
}

/// The beginning of a month.
fn midnight(year: i32, month: u8) -> Option<i64> {
    let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, 1).ok()?;
    i64::try_from(OffsetDateTime::new_utc(date, Time::MIDNIGHT).unix_timestamp_nanos() / 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_as_people_write_them() {
        let at = |text| parse_time(text).expect("a time");
        let (jan, feb, apr) = (at("2026-01-01"), at("2026-02-01"), at("2026-04-01"));
        for (text, period) in [
            ("2026-01", Period::Between(Some(jan), Some(feb))),
            ("2026-01..2026-03", Period::Between(Some(jan), Some(apr))),
            ("2026-01..", Period::Between(Some(jan), None)),
            ("..2025", Period::Between(None, Some(jan))),
            ("2026-01-31", Period::Between(Some(feb - DAY), Some(feb))),
            (">2026-01", Period::Between(Some(feb), None)),
            (">=2026-01", Period::Between(Some(jan), None)),
            ("<2026-01", Period::Between(None, Some(jan))),
            ("<=2025-12-31", Period::Between(None, Some(jan))),
            ("<7d", Period::Younger(7 * DAY)),
            (">2w", Period::Older(14 * DAY)),
            ("today", Period::Days(0)),
        ] {
            assert_eq!(parse(text), Some(period), "{text}");
        }
        for text in ["", "..", "soon", "<", "2026-13", "7", "2026-02-30"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
