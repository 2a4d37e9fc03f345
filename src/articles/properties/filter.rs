//! Selects articles: `tag:rust status:draft created:2026-01..2026-03 updated:<7d`.
//!
//! The same syntax at every door, for lists and for searches. A filter makes an SQL condition on the table `articles`
//! under the name `a`.

use afterword_actors::store::sql::Value as Parameter;

use super::{
    condition::{Shape, TestTarget, happened, property, push, range, tag, text},
    fold::folded,
    period::{self, Period},
    read::{found_by, number},
    store::{ALIASES, alias_key},
};
use crate::{
    articles::folder::{Folder, within},
    time::Timestamp,
};

/// Most words of a filter.
const MAX_TERMS: usize = 30;

/// Terms that must all be true. The default matches every article.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<Term>,
}

/// One word of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// With `-` before it: must not be true.
    not: bool,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    /// This tag, or one below it.
    Tag(String),
    /// Any tag.
    Tagged,
    /// This folder, or one below it.
    Folder(String),
    Created(Period),
    Updated(Period),
    /// Saved then or later, by a time that a caller says beside the filter.
    SavedSince(Timestamp),
    /// Any value of the key.
    Has(String),
    Text {
        key: String,
        value: String,
    },
    /// A number in thousandths, or a day, a month or a year, from (inclusive) and to (exclusive); or a text that is
    /// written like it.
    Exact {
        key: String,
        kind: &'static str,
        from: Option<i64>,
        to: Option<i64>,
        value: String,
    },
    /// From (inclusive) and to (exclusive), of numbers in thousandths or of times.
    Range {
        key: String,
        kind: &'static str,
        from: Option<i64>,
        to: Option<i64>,
    },
}

/// Why a text is not a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{given}\" {fault}")]
pub struct FilterError {
    given: String,
    fault: String,
}

impl FilterError {
    fn new(given: &str, fault: impl Into<String>) -> Self {
        const MAX_SHOWN_CHARS: usize = 80;
        let given = given.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_SHOWN_CHARS).collect();
        Self { given, fault: fault.into() }
    }
}

impl Filter {
    /// Parses words such as `tag:rust`, separated by blanks; a value with blanks is quoted (`status:"in work"`), and
    /// `-` before a word negates it.
    ///
    /// # Errors
    /// [`FilterError`] names the invalid word and shows a valid one.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let terms: Vec<Term> = words(text).iter().map(|word| Term::parse(word)).collect::<Result<_, _>>()?;
        if terms.len() > MAX_TERMS {
            return Err(FilterError::new(
                text,
                format!("has {} words, and at most {MAX_TERMS} are allowed", terms.len()),
            ));
        }
        Ok(Self { terms })
    }

    /// Adds a term.
    pub fn and(mut self, term: Term) -> Self {
        self.terms.push(term);
        self
    }

    /// Adds: saved at `since` or later.
    pub fn saved_since(self, since: Option<Timestamp>) -> Self {
        match since {
            Some(since) => self.and(Term { not: false, test: Test::SavedSince(since) }),
            None => self,
        }
    }

    /// Returns a text that is another one for a filter with other words. The time of [`Filter::saved_since`] is none of
    /// them: it may be an age, and then moves from page to page.
    pub(in crate::articles) fn lasting(&self) -> String {
        let words: Vec<_> = self.terms.iter().filter(|term| !matches!(term.test, Test::SavedSince(_))).collect();
        format!("{words:?}")
    }

    /// Whether it matches every article.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The number of its terms.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// The keys of properties that an article must have, folded.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter(|term| !term.not).filter_map(|term| match &term.test {
            Test::Has(key) | Test::Text { key, .. } | Test::Exact { key, .. } | Test::Range { key, .. } => {
                Some(key.as_str()).filter(|key| *key != ALIASES)
            }
            Test::Tag(_)
            | Test::Tagged
            | Test::Folder(_)
            | Test::Created(_)
            | Test::Updated(_)
            | Test::SavedSince(_) => None,
        })
    }

    /// The folders that it demands.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter(|term| !term.not).filter_map(|term| match &term.test {
            Test::Folder(folder) => Some(folder.as_str()),
            _ => None,
        })
    }

    /// Returns the condition on `articles a`. Its parameters are appended to `parameters`.
    pub fn condition(&self, shape: Shape, parameters: &mut Vec<Parameter>) -> String {
        self.shaped(|_| shape, parameters)
    }

    /// The same, with one term that gathers the articles, and others that test those.
    pub fn condition_led_by(&self, leading: usize, parameters: &mut Vec<Parameter>) -> String {
        let shape = |term| if term == leading { Shape::Gathering } else { Shape::Probing };
        self.shaped(shape, parameters)
    }

    fn shaped(&self, shape: impl Fn(usize) -> Shape, parameters: &mut Vec<Parameter>) -> String {
        if self.terms.is_empty() {
            return "TRUE".to_owned();
        }
        let terms = self.terms.iter().enumerate();
        let conditions: Vec<_> = terms.map(|(at, term)| term.condition(shape(at), parameters)).collect();
        conditions.join(" AND ")
    }

    /// Returns a query for the articles that the term at this place matches, as `id`, some perhaps more than once;
    /// `None` if it says what they are not.
    pub fn matches_of(&self, term: usize, parameters: &mut Vec<Parameter>) -> Option<String> {
        self.terms
            .get(term)
            .filter(|term| !term.not)
            .map(|term| term.test.place(Shape::Gathering, parameters).articles())
    }
}

impl Term {
    /// Parses one word.
    ///
    /// # Errors
    /// [`FilterError`]
    pub fn parse(word: &str) -> Result<Self, FilterError> {
        let (not, plain) = word.strip_prefix('-').map_or((false, word), |rest| (true, rest));
        let Some((key, value)) = key_and_value(plain) else {
            let fault =
                "is not a filter; one looks like tag:rust, status:draft, created:2026-01..2026-03 or updated:<7d";
            return Err(FilterError::new(word, fault));
        };
        let (key, value) = (folded(unquoted(key)), unquoted(value));
        if word.contains(char::is_control) {
            return Err(FilterError::new(word, "has a control character"));
        }
        if key.is_empty() {
            return Err(FilterError::new(word, "has no key before its colon"));
        }
        if value.is_empty() {
            return Err(FilterError::new(word, format!("has no value; write {key}:VALUE, or {key}:* for any")));
        }
        Ok(Self { not, test: Test::of(word, key, value)? })
    }

    fn condition(&self, shape: Shape, parameters: &mut Vec<Parameter>) -> String {
        let condition = self.test.place(shape, parameters).condition(shape);
        if self.not { format!("NOT ({condition})") } else { condition }
    }
}

impl Test {
    fn of(word: &str, key: String, value: &str) -> Result<Self, FilterError> {
        let period = || {
            let fault = "is not a time; write 2026, 2026-03, 2026-03-15, 2026-01..2026-03, >2026-01, <7d or today";
            period::parse(value).ok_or_else(|| FilterError::new(word, fault))
        };
        match key.as_str() {
            "tag" | "tags" if value == "*" => Ok(Self::Tagged),
            "tag" | "tags" => match folded(value.trim_start_matches('#').trim_matches('/')) {
                tag if tag.is_empty() => Err(FilterError::new(word, "names no tag; write tag:rust, or tag:* for any")),
                tag => Ok(Self::Tag(tag)),
            },
            // As it is stored; what can be no folder finds nothing.
            "folder" => {
                Ok(Self::Folder(Folder::parse(value).map_or_else(|_| value.to_owned(), |folder| folder.to_string())))
            }
            "created" => period().map(Self::Created),
            "updated" => period().map(Self::Updated),
            "alias" | "aliases" if value == "*" => Ok(Self::Has(ALIASES.to_owned())),
            "alias" | "aliases" => Ok(Self::Text { key: ALIASES.to_owned(), value: alias_key(value) }),
            _ if value == "*" => Ok(Self::Has(key)),
            _ => Self::of_property(word, key, value),
        }
    }

    fn of_property(word: &str, key: String, value: &str) -> Result<Self, FilterError> {
        let is_range = value.contains("..") || value.starts_with(['<', '>']);
        let span = |key, kind, from, to| match is_range {
            true => Self::Range { key, kind, from, to },
            false => Self::Exact { key, kind, from, to, value: found_by(value) },
        };
        if let Some((from, to)) = numbers(value) {
            return Ok(span(key, "number", from, to));
        }
        match period::parse(value) {
            Some(Period::Between(from, to)) if is_range || value.contains('-') => Ok(span(key, "time", from, to)),
            _ if is_range => {
                Err(FilterError::new(word, "is no range of numbers or dates, such as 3..7, >5 or 2026-01..2026-03"))
            }
            _ => Ok(Self::Text { key, value: found_by(value) }),
        }
    }

    fn place(&self, shape: Shape, parameters: &mut Vec<Parameter>) -> TestTarget {
        match self {
            Self::Tag(name) => {
                let place = push(parameters, name.clone());
                let holds = format!("(t.tag = {place} OR (t.tag >= {place} || '/' AND t.tag < {place} || '0'))");
                TestTarget::Rows(vec![tag(holds)])
            }
            Self::Tagged => TestTarget::Rows(vec![tag("TRUE".to_owned())]),
            Self::Folder(folder) => {
                let place = push(parameters, folder.clone());
                TestTarget::Article(within("a.folder", &place))
            }
            Self::Created(period) => TestTarget::Article(happened("a.created_at", *period, parameters)),
            Self::Updated(period) => TestTarget::Article(happened("a.updated_at", *period, parameters)),
            Self::SavedSince(Timestamp(since)) => {
                let since = Period::Between(Some(*since), None);
                TestTarget::Article(happened("a.updated_at", since, parameters))
            }
            Self::Has(key) => TestTarget::Rows(vec![property(format!("t.key = {}", push(parameters, key.clone())))]),
            Self::Text { key, value } => TestTarget::Rows(vec![property(text(key, value, parameters))]),
            Self::Exact { key, kind, from, to, value } => {
                let range = range(key, kind, (*from, *to), shape, parameters);
                TestTarget::Rows(vec![property(range), property(text(key, value, parameters))])
            }
            Self::Range { key, kind, from, to } => {
                TestTarget::Rows(vec![property(range(key, kind, (*from, *to), shape, parameters))])
            }
        }
    }
}

/// `5`, `3..7`, `>5`, `<=2.5`, in thousandths: from (inclusive), and to (exclusive).
fn numbers(value: &str) -> Option<(Option<i64>, Option<i64>)> {
    let parts = |text: &str| number(text.trim());
    if let Some((from, to)) = value.split_once("..") {
        let open = |text: &str| text.trim().is_empty();
        let (low, high) = (parts(from), parts(to));
        let is_range =
            (low.is_some() || open(from)) && (high.is_some() || open(to)) && (low.is_some() || high.is_some());
        return is_range.then(|| (low, high.map(|high| high + 1)));
    }
    for (sign, low, high) in [(">=", Some(0), None), ("<=", None, Some(1)), (">", Some(1), None), ("<", None, Some(0))]
    {
        if let Some(bound) = value.strip_prefix(sign) {
            let bound = parts(bound)?;
            return Some((low.map(|more| bound + more), high.map(|more| bound + more)));
        }
    }
    parts(value).map(|exact| (Some(exact), Some(exact + 1)))
}

/// Splits behind the key, which may be quoted.
fn key_and_value(word: &str) -> Option<(&str, &str)> {
    let quoted = word.strip_prefix('"').and_then(|inner| inner.find('"')).map_or(0, |end| end + 1);
    let colon = quoted + word[quoted..].find(':')?;
    Some((&word[..colon], &word[colon + 1..]))
}

/// A key or a value without its quotation marks.
fn unquoted(text: &str) -> &str {
    text.trim().trim_matches('"').trim()
}

/// Splits at blanks; quotes keep blanks in a word.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                word.push(c);
            }
            c if c.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}
