//! Conditions on an article that a question may hold: `folder:guides`, `title:rust`, `slug:the-*`, `tag:rust`,
//! `created:>2026-01`, `updated:<7d`.
//!
//! A name that is neither listed in [`Field::read`] nor a property of some article is no field, and what was written is
//! text. Another field is a variant, its line there, and its condition in `filter`.

use std::collections::HashSet;

use crate::{
    articles::{folder::Folder, front_matter::named, properties::Term, slug::as_stored},
    fulltext::tokens,
};
use time::{Date, Duration, Month, OffsetDateTime};

/// What a question is read with.
#[derive(Debug, Clone, Default)]
pub(super) struct ParseContext {
    /// Times like `7d` are counted back from here. *Units:* milliseconds since 1970.
    pub(super) now: i64,
    /// Keys of properties that articles have.
    pub(super) keys: HashSet<String>,
    /// Parts of the question that begin with a hyphen and exclude nothing: options of commands.
    pub(super) options: HashSet<String>,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    /// In this folder or below.
    Folder(String),
    /// With this tag, or one below it.
    Tag(Term),
    /// With this value of a property.
    Property(Term),
    /// The title has these words, one after the other.
    Title(String),
    /// The slug, or what it begins with.
    Slug { slug: String, is_beginning: bool },
    /// A time of the article, within.
    Time(Moment, Span),
}

/// A time that an article has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Created,
    Updated,
}

/// From, and up to but not including. *Units:* milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: i64,
    pub(super) until: i64,
}

impl Field {
    /// `name:value`; `None` if that is no condition, or one that says nothing: it would hold for every article.
    pub(super) fn read(name: &str, value: &str, known: &ParseContext) -> Option<Self> {
        // A telephone capitalises the first word.
        match name.to_lowercase().as_str() {
            "folder" => folder(value).map(Self::Folder),
            "tag" | "tags" => Term::parse(&format!("tag:{value}")).ok().map(Self::Tag),
            "title" => says_something(value).then(|| Self::Title(value.to_owned())),
            "slug" => {
                let (slug, is_beginning) =
                    value.strip_suffix('*').map_or((value, false), |beginning| (beginning, true));
                let slug = as_stored(slug).into_owned();
                says_something(&slug).then_some(Self::Slug { slug, is_beginning })
            }
            "created" => Some(Self::Time(Moment::Created, Span::read(value, known.now)?)),
            "updated" => Some(Self::Time(Moment::Updated, Span::read(value, known.now)?)),
            _ if known.keys.contains(&named(name)) => Term::parse(&format!("{name}:{value}")).ok().map(Self::Property),
            _ => None,
        }
    }
}

/// The path of a folder, as it is stored; `None` if there is nothing but slashes and marks. One that no folder can have
/// stays as it was written: no article is in it.
fn folder(value: &str) -> Option<String> {
    value.contains(|c: char| c != '/' && !is_quote(c) && !c.is_whitespace()).then(|| match Folder::parse(value) {
        Ok(folder) => folder.into(),
        Err(_) => value.to_owned(),
    })
}

/// Whether there is any word in `text`, or a symbol.
pub(super) fn says_something(text: &str) -> bool {
    !tokens(text).is_empty()
}

pub(super) fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„')
}

/// How a time is compared.
#[derive(Clone, Copy)]
enum Comparison {
    Is,
    Less,
    LessOrIs,
    More,
    MoreOrIs,
}

impl Span {
    /// `2026`, `2026-01`, `2026-01-31`, or an age (`7d`, `12h`, `3w`, `6m`, `1y`), behind `<`, `<=`, `>`, `>=` or
    /// nothing. A day is one in UTC.
    fn read(value: &str, now: i64) -> Option<Self> {
        let (comparison, value) = [
            ("<=", Comparison::LessOrIs),
            (">=", Comparison::MoreOrIs),
            ("<", Comparison::Less),
            (">", Comparison::More),
            ("", Comparison::Is),
        ]
        .into_iter()
        .find_map(|(sign, comparison)| Some((comparison, value.strip_prefix(sign)?)))?;
        let (least, most) = (i64::MIN, i64::MAX);
        if let Some(age) = age(value) {
            let then = now.checked_sub(age)?;
            // An age of less than seven days began after that.
            return Some(match comparison {
                Comparison::Is | Comparison::Less | Comparison::LessOrIs => Self { from: then, until: most },
                Comparison::More | Comparison::MoreOrIs => Self { from: least, until: then },
            });
        }
        let Self { from, until } = Self::of_date(value)?;
        Some(match comparison {
            Comparison::Is => Self { from, until },
            Comparison::Less => Self { from: least, until: from },
            Comparison::LessOrIs => Self { from: least, until },
            Comparison::More => Self { from: until, until: most },
            Comparison::MoreOrIs => Self { from, until: most },
        })
    }

    fn of_date(value: &str) -> Option<Self> {
        let mut parts = value.split('-');
        let year = parts.next().filter(|year| year.len() == 4)?.parse::<i32>().ok()?;
        let month = parts.next().map(|month| month.parse::<u8>().ok().and_then(|month| Month::try_from(month).ok()));
        let day = parts.next().map(|day| day.parse::<u8>().ok());
        if parts.next().is_some() {
            return None;
        }
        let (first, next) = match (month, day) {
            (None, _) => (start(year, Month::January)?, start(year + 1, Month::January)?),
            (Some(month), None) => {
                let month = month?;
                let of = if month == Month::December { year + 1 } else { year };
                (start(year, month)?, start(of, month.next())?)
            }
            (Some(month), Some(day)) => {
                let day = Date::from_calendar_date(year, month?, day?).ok()?;
                (day, day.next_day()?)
            }
        };
        Some(Self { from: millis(first), until: millis(next) })
    }
}

fn start(year: i32, month: Month) -> Option<Date> {
    Date::from_calendar_date(year, month, 1).ok()
}

fn millis(date: Date) -> i64 {
    OffsetDateTime::new_utc(date, time::Time::MIDNIGHT).unix_timestamp() * 1000
}

/// *Units:* milliseconds.
fn age(value: &str) -> Option<i64> {
    let unit = value.chars().last()?;
    let count = value.strip_suffix(unit)?.parse::<u32>().ok()?;
    let one = match unit {
        'h' => Duration::HOUR,
        'd' => Duration::DAY,
        'w' => Duration::WEEK,
        'm' => Duration::days(30),
        'y' => Duration::days(365),
        _ => return None,
    };
    one.whole_milliseconds().checked_mul(i128::from(count)).and_then(|age| i64::try_from(age).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;
    const NOW: i64 = 1_795_000_000_000;

    fn span(value: &str) -> Option<(i64, i64)> {
        Span::read(value, NOW).map(|span| (span.from, span.until))
    }

    #[test]
    fn a_name_is_read_in_either_case() {
        let known = ParseContext { now: NOW, ..ParseContext::default() };
        for (one, other) in [("Tag", "tag"), ("TITLE", "title"), ("Folder", "folder"), ("Created", "created")] {
            assert_eq!(Field::read(one, "2026", &known), Field::read(other, "2026", &known));
            assert!(Field::read(one, "2026", &known).is_some(), "{one}");
        }
    }

    #[test]
    fn a_folder_is_read_as_it_is_stored() {
        for written in ["guides/rust", "/guides//rust/", " guides / rust ", "guides/ru\u{73}t"] {
            assert_eq!(
                Field::read("folder", written, &ParseContext { now: NOW, ..ParseContext::default() }),
                Some(Field::Folder("guides/rust".to_owned())),
                "{written}"
            );
        }
        assert_eq!(
            Field::read("folder", "cafe\u{301}", &ParseContext { now: NOW, ..ParseContext::default() }),
            Some(Field::Folder("caf\u{e9}".to_owned()))
        );
    }

    #[test]
    fn times_are_days_months_years_and_ages() {
        let january = 1_767_225_600_000;
        assert_eq!(span("2026-01"), Some((january, january + 31 * DAY)));
        assert_eq!(span(">2026-01"), Some((january + 31 * DAY, i64::MAX)));
        assert_eq!(span(">=2026"), Some((january, i64::MAX)));
        assert_eq!(span("<2026-01-01"), Some((i64::MIN, january)));
        assert_eq!(span("<7d"), Some((NOW - 7 * DAY, i64::MAX)));
        assert_eq!(span(">7d"), Some((i64::MIN, NOW - 7 * DAY)));
        for text in ["soon", "2026-13", "2026-02-30", "7x", "-3d", "20260101", ">", "99999999999d"] {
            assert_eq!(span(text), None, "{text}");
        }
    }
}
