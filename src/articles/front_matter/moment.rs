//! Points in time, as people and their programs write them.

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset, format_description::well_known::Rfc2822};

/// Numbers below this are seconds since 1970, others milliseconds.
const SECONDS_BELOW: i64 = 100_000_000_000;
/// The last moment with a year of four digits. *Units:* milliseconds since 1970.
const LATEST_MS: i64 = 253_402_300_799_999;

/// Reads a time; without a zone it is in UTC, without a time of day it is the beginning of the day.
///
/// *Units:* milliseconds since 1970.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let text = text.trim().trim_start_matches('@').trim_start_matches("[[").trim_end_matches("]]").trim();
    if text.len() > 64 || !text.is_ascii() {
        return None;
    }
    let milliseconds = epoch(text).or_else(|| {
        let moment = OffsetDateTime::parse(text, &Rfc2822).ok().or_else(|| written(text))?;
        i64::try_from(moment.unix_timestamp_nanos().div_euclid(1_000_000)).ok()
    })?;
    (milliseconds <= LATEST_MS).then_some(milliseconds)
}

/// A number: of seconds, of milliseconds, or a day as `20240531`.
fn epoch(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    match text.len() {
        9..=16 if number < SECONDS_BELOW => Some(number * 1000),
        12..=15 => Some(number),
        _ => None,
    }
}

fn written(text: &str) -> Option<OffsetDateTime> {
    let (date, rest) = numbered_date(text).or_else(|| named_date(text))?;
    let rest = rest.trim_start_matches([',', ' ', 'T', 't']);
    let (time, zone) = if rest.is_empty() { (Time::MIDNIGHT, "") } else { time_of_day(rest)? };
    Some(PrimitiveDateTime::new(date, time).assume_offset(offset(zone.trim())?))
}

/// `2024-05-31`, `2024/5/31`, `2024.05.31`, `20240531`
fn numbered_date(text: &str) -> Option<(Date, &str)> {
    let (year, rest) = digits(text, 4, 4)?;
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        let (month, rest) = digits(rest, 2, 2)?;
        let (day, rest) = digits(rest, 2, 2)?;
        return Some((date(year, month, day)?, ended(rest)?));
    }
    let separator = rest.chars().next().filter(|c| ['-', '/', '.'].contains(c))?;
    let (month, rest) = digits(&rest[1..], 1, 2)?;
    let (day, rest) = digits(rest.strip_prefix(separator)?, 1, 2)?;
    Some((date(year, month, day)?, ended(rest)?))
}

fn ended(rest: &str) -> Option<&str> {
    (rest.is_empty() || rest.starts_with([' ', 'T', 't', ','])).then_some(rest)
}

/// `May 31, 2024`, `31 May 2024`, `Friday, May 31st, 2024`
fn named_date(text: &str) -> Option<(Date, &str)> {
    let (mut day, mut month, mut at) = (None, None, 0);
    for word in text.split_inclusive([' ', ',']) {
        at += word.len();
        let word = word.trim_end_matches([' ', ',']);
        if word.is_empty() {
            continue;
        }
        if let Some(named) = month_of(word) {
            month = Some(named);
        } else if let (Some(month), Some(day), Some((year, ""))) = (month, day, digits(word, 4, 4)) {
            let date = date(year, month, day)?;
            return Some((date, &text[at..]));
        } else if let Some((number, "" | "st" | "nd" | "rd" | "th")) = digits(word, 1, 2) {
            day = Some(number);
        } else if !is_weekday(word) {
            return None;
        }
    }
    None
}

fn month_of(word: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.trim_end_matches('.').to_ascii_lowercase();
    if word.len() < 3 {
        return None;
    }
    let position = MONTHS.iter().position(|month| month.starts_with(&word))?;
    u32::try_from(position + 1).ok()
}

fn is_weekday(word: &str) -> bool {
    let word = word.trim_end_matches('.').to_ascii_lowercase();
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    word.len() >= 2 && days.iter().any(|day| day.starts_with(&word))
}

/// `08:30`, `8:30:15.5`, `8:30 AM`, and what follows it.
fn time_of_day(text: &str) -> Option<(Time, &str)> {
    let (hour, rest) = digits(text, 1, 2)?;
    let (minute, mut rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
    let (mut second, mut nanosecond) = (0, 0);
    if let Some(seconds) = rest.strip_prefix(':') {
        (second, rest) = digits(seconds, 2, 2)?;
        if let Some(fraction) = rest.strip_prefix(['.', ',']) {
            let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
            let nine: String = fraction[..length].chars().chain(std::iter::repeat('0')).take(9).collect();
            nanosecond = nine.parse().ok()?;
            rest = &fraction[length..];
        }
    }
    let behind = rest.trim_start();
    let half = behind.get(..2).map(str::to_ascii_lowercase);
    let (hour, rest) = match half.as_deref() {
        Some("am") => (hour % 12, &behind[2..]),
        Some("pm") => (hour % 12 + 12, &behind[2..]),
        _ => (hour, rest),
    };
    let [hour, minute, second] = [hour, minute, second].map(|number| u8::try_from(number).unwrap_or(u8::MAX));
    Some((Time::from_hms_nano(hour, minute, second, nanosecond).ok()?, rest))
}

/// `Z`, `UTC`, `+02:00`, `+0200`, `-05`
fn offset(zone: &str) -> Option<UtcOffset> {
    if zone.is_empty() || ["z", "utc", "gmt"].contains(&zone.to_ascii_lowercase().as_str()) {
        return Some(UtcOffset::UTC);
    }
    let sign = match zone.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = digits(&zone[1..], 1, 2)?;
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let (minutes, rest) = if rest.is_empty() { (0, rest) } else { digits(rest, 2, 2)? };
    let [hours, minutes] = [hours, minutes].map(|number| i8::try_from(number).unwrap_or(i8::MAX) * sign);
    UtcOffset::from_hms(hours, minutes, 0).ok().filter(|_| rest.is_empty())
}

/// Reads the number at the beginning, of `least` to `most` digits, and returns what follows it.
fn digits(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    (length >= least).then(|| text.split_at(length)).and_then(|(number, rest)| Some((number.parse().ok()?, rest)))
}

fn date(year: u32, month: u32, day: u32) -> Option<Date> {
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::parse;
    use crate::time::Timestamp;

    #[test]
    fn times_are_read_as_programs_write_them() {
        for (written, read) in [
            ("2024-05-31", "2024-05-31T00:00:00Z"),
            ("2024/5/31", "2024-05-31T00:00:00Z"),
            ("20240531", "2024-05-31T00:00:00Z"),
            ("2024-05-31T08:30:00", "2024-05-31T08:30:00Z"),
            ("2024-05-31 08:30", "2024-05-31T08:30:00Z"),
            ("2024-05-31T08:30:00+02:00", "2024-05-31T06:30:00Z"),
            ("2024-05-31 08:30:00 +0200", "2024-05-31T06:30:00Z"),
            ("2024-05-31T08:30:00.1239Z", "2024-05-31T08:30:00.123Z"),
            ("2024-05-31 08:30:00 UTC", "2024-05-31T08:30:00Z"),
            ("1717750800000", "2024-06-07T09:00:00Z"),
            ("1717750800", "2024-06-07T09:00:00Z"),
            ("May 31, 2024 8:30 PM", "2024-05-31T20:30:00Z"),
            ("31 May 2024", "2024-05-31T00:00:00Z"),
            ("[[May 31st, 2024]]", "2024-05-31T00:00:00Z"),
            ("[[2024-05-31]]", "2024-05-31T00:00:00Z"),
            ("Fri, 31 May 2024 08:30:00 +0200", "2024-05-31T06:30:00Z"),
        ] {
            let read_as = parse(written).map(|at| Timestamp(at).to_string());
            assert_eq!(read_as.as_deref(), Some(read), "{written}");
        }
        for nothing in ["", "{{date}}", "soon", "2024-13-01", "2024-02-30", "12", "99999999999999999999", "2024-05-31x"]
        {
            assert_eq!(parse(nothing), None, "{nothing}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_out_is_read_again(at in 0_i64..253_402_300_799_999) {
            prop_assert_eq!(parse(&Timestamp(at).to_string()), Some(at));
        }

        #[test]
        fn nothing_makes_it_fall(text in "[0-9TZ:. +/-]{0,30}|.{0,40}") {
            parse(&text);
        }
    }
}
