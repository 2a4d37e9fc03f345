//! The pause that a server asks for.

use std::time::{Duration, SystemTime};

use reqwest::header;

/// The longest pause that a server can ask for: a wrong number must not stop anything for ever.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// `Retry-After-Ms`, or `Retry-After` in seconds or as a date; never longer than [`LONGEST_PAUSE`].
pub(crate) fn retry_after(headers: &header::HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |name: &str| text(name)?.parse::<f64>().ok().filter(|number| *number >= 0.0);
    let capped = |seconds: f64| Duration::from_secs_f64(seconds.min(LONGEST_PAUSE.as_secs_f64()));
    if let Some(milliseconds) = number("retry-after-ms") {
        return Some(capped(milliseconds / 1000.0));
    }
    if let Some(seconds) = number("retry-after") {
        return Some(capped(seconds));
    }
    let date = httpdate::parse_http_date(text("retry-after")?).ok()?;
    // A date that has passed asks for no pause.
    Some(date.duration_since(SystemTime::now()).unwrap_or_default().min(LONGEST_PAUSE))
}

/// The pause that a server names in its words only, as Gemini does: "Please retry in 2.5s".
pub(crate) fn stated_pause(said: &str) -> Option<Duration> {
    let said = said.to_lowercase();
    let (_, after) = ["retry in ", "try again in "].iter().find_map(|words| said.split_once(words))?;
    let end = after.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(after.len());
    let (number, unit) = after.split_at(end);
    let number = number.parse::<f64>().ok()?;
    let is = |name: &str| unit.strip_prefix(name).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
    let seconds = match () {
        () if is("ms") => number / 1000.0,
        () if is("s") || is(" second") || is(" seconds") => number,
        () => return None,
    };
    Some(Duration::from_secs_f64(seconds.min(LONGEST_PAUSE.as_secs_f64())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_in_words_is_read_where_its_unit_is_plain() {
        assert_eq!(stated_pause("Quota exceeded. Please retry in 2.5s."), Some(Duration::from_millis(2_500)));
        assert_eq!(stated_pause("Please try again in 20ms. Visit us"), Some(Duration::from_millis(20)));
        assert_eq!(stated_pause("try again in 20 seconds"), Some(Duration::from_secs(20)));
        assert_eq!(stated_pause("retry in 999999999999s"), Some(LONGEST_PAUSE));
        for said in ["try again in 1m30s", "retry in a while", "retry in 5 minutes", "retry in .s", "no reason"] {
            assert_eq!(stated_pause(said), None, "{said}");
        }
    }

    #[test]
    fn a_pause_is_read_in_every_form_and_never_longer_than_an_hour() {
        let pause = |name: &'static str, value: &str| {
            let headers = [(name, value.to_owned())];
            let headers = headers.iter().map(|(name, value)| {
                (header::HeaderName::from_static(name), header::HeaderValue::from_str(value).expect("a header"))
            });
            retry_after(&headers.collect())
        };
        let date = |at: SystemTime| httpdate::fmt_http_date(at);
        assert_eq!(pause("retry-after", "2"), Some(Duration::from_secs(2)));
        assert_eq!(pause("retry-after", "1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(pause("retry-after-ms", "1500"), Some(Duration::from_millis(1500)));
        assert_eq!(pause("retry-after", "18446744073709551615"), Some(LONGEST_PAUSE));
        assert_eq!(pause("retry-after", "99999999999"), Some(LONGEST_PAUSE));
        assert_eq!(pause("retry-after", "1e999"), Some(LONGEST_PAUSE));
        assert_eq!(pause("retry-after", "-5"), None);
        assert_eq!(pause("retry-after", "NaN"), None);
        assert_eq!(pause("retry-after", "soon"), None);
        assert_eq!(pause("retry-after", &date(SystemTime::UNIX_EPOCH)), Some(Duration::ZERO));
        let far = SystemTime::now() + 100 * LONGEST_PAUSE;
        assert_eq!(pause("retry-after", &date(far)), Some(LONGEST_PAUSE));
    }
}
