//! Points in time as Afterword shows them.

use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

pub use crate::api::Timestamp;

/// Formats without the fraction of a second, so always at the same length.
pub(crate) fn to_the_second(at: Timestamp) -> String {
    Timestamp(at.0.div_euclid(1_000) * 1_000).to_string()
}

/// The day, in UTC.
pub(crate) fn date(at: Timestamp) -> String {
    at.to_string().split('T').next().unwrap_or_default().to_owned()
}

/// Parses a point in time as people and programs write it: how long before `now` (`7d`, `12h`), a day (`2026-11-01`,
/// from its beginning, in UTC), or RFC 3339.
///
/// # Errors
/// What may be written, if it is none of these.
pub(crate) fn since(text: &str, now: i64) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Ok(age) = humantime::parse_duration(text) {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        return Ok(Timestamp(now.saturating_sub(age)));
    }
    let day = Date::parse(text, format_description!("[year]-[month]-[day]")).map(|day| day.midnight().assume_utc());
    let moment = day.or_else(|_| OffsetDateTime::parse(text, &Rfc3339)).map_err(|_| {
        format!("\"{text}\" is not a time; write how long ago (7d, 12h), a day (2026-11-01), or 2026-11-01T08:30:00Z")
    })?;
    Ok(Timestamp(i64::try_from(moment.unix_timestamp_nanos().div_euclid(1_000_000)).unwrap_or_default()))
}

/// Formats a duration as people say it.
pub(crate) fn duration(milliseconds: i64) -> String {
    match milliseconds {
        ..1_000 => format!("{milliseconds} ms"),
        1_000..120_000 => format!("{:.1} s", milliseconds as f64 / 1_000.0),
        120_000..7_200_000 => format!("{} min", milliseconds / 60_000),
        7_200_000..172_800_000 => format!("{} h", milliseconds / 3_600_000),
        172_800_000.. => format!("{} days", milliseconds / 86_400_000),
    }
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, since};

    #[test]
    fn a_time_is_named_by_its_age_its_day_or_itself() {
        let now = 1_700_000_000_000;
        assert_eq!(since("1h", now), Ok(Timestamp(now - 3_600_000)));
        assert_eq!(since("2023-11-14", now), Ok(Timestamp(1_699_920_000_000)));
        assert_eq!(since("2023-11-14T22:13:20+01:00", now), Ok(Timestamp(now - 3_600_000)));
        for wrong in ["", "yesterday", "2023-13-01", "7"] {
            assert!(since(wrong, now).is_err_and(|said| said.contains("2026-11-01")), "{wrong}");
        }
    }

    #[test]
    fn timestamps_are_rfc_3339_in_utc() {
        assert_eq!(Timestamp(1_700_000_000_123).to_string(), "2023-11-14T22:13:20.123Z");
        assert_eq!(Timestamp(i64::MAX).to_string(), format!("{} ms", i64::MAX));
    }
}
