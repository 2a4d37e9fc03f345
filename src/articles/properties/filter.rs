//! Selects articles: `tag:rust status:draft created:2026-01..2026-03 updated:<7d`.
//!
//! The same syntax at every door, for lists and for searches. A filter makes an SQL condition on the table `articles`
//! under the name `a`.

use std::fmt::Write;

use afterword_actors::store::sql::Value as Parameter;

use super::{
    fold::folded,
    period::{self, Period},
    read::number,
};
use crate::{articles::folder::within, time::Timestamp};

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
    /// Any value of the key.
    Has(String),
    Text {
        key: String,
        value: String,
    },
    /// A number in thousandths, from (inclusive) and to (exclusive), or a text that is written like it.
    Number {
        key: String,
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
        const SHOWN: usize = 80;
        let given = given.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect();
        Self { given, fault: fault.into() }
    }
}

/// How a condition is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Tests each article: best where most of those looked at match, or few are looked at.
    Probing,
    /// Gathers the matching articles first: best where they are few among many.
    Gathering,
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
            Some(Timestamp(since)) => {
                self.and(Term { not: false, test: Test::Updated(Period::Between(Some(since), None)) })
            }
            None => self,
        }
    }

    /// Whether it matches every article.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The number of its terms.
    pub fn len(&self) -> usize {
        self.terms.len()
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

    /// Returns a query for the articles that the term at this place matches, as `id`, some perhaps more than once; `None` if
    /// no index leads to them.
    pub fn matches_of(&self, term: usize, parameters: &mut Vec<Parameter>) -> Option<String> {
        self.terms.get(term).filter(|term| !term.not)?.test.matches(parameters)
    }
}

impl Term {
    /// Parses one word.
    ///
    /// # Errors
    /// [`FilterError`]
    pub fn parse(word: &str) -> Result<Self, FilterError> {
        let (not, plain) = word.strip_prefix('-').map_or((false, word), |rest| (true, rest));
        let Some((key, value)) = plain.split_once(':') else {
            let fault =
                "is not a filter; one looks like tag:rust, status:draft, created:2026-01..2026-03 or updated:<7d";
            return Err(FilterError::new(word, fault));
        };
        let (key, value) = (folded(key), value.trim().trim_matches('"').trim());
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
        let condition = self.test.condition(shape, parameters);
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
            "folder" => Ok(Self::Folder(value.trim_matches('/').to_owned())),
            "created" => period().map(Self::Created),
            "updated" => period().map(Self::Updated),
            "alias" => Ok(Self::Text { key: "aliases".to_owned(), value: super::store::alias_key(value) }),
            "aliases" => Ok(Self::Text { value: super::store::alias_key(value), key }),
            _ if value == "*" => Ok(Self::Has(key)),
            _ => Self::of_property(word, key, value),
        }
    }

    fn of_property(word: &str, key: String, value: &str) -> Result<Self, FilterError> {
        let is_range = value.contains("..") || value.starts_with(['<', '>']);
        if let Some((from, to)) = numbers(value) {
            return Ok(match is_range {
                true => Self::Range { key, kind: "number", from, to },
                false => Self::Number { key, from, to, value: folded(value) },
            });
        }
        match period::parse(value) {
            Some(Period::Between(from, to)) if is_range || value.contains('-') => {
                Ok(Self::Range { key, kind: "time", from, to })
            }
            _ if is_range => {
                Err(FilterError::new(word, "is no range of numbers or dates, such as 3..7, >5 or 2026-01..2026-03"))
            }
            _ => Ok(Self::Text { key, value: folded(value) }),
        }
    }

    fn condition(&self, shape: Shape, parameters: &mut Vec<Parameter>) -> String {
        match (self.place(shape, parameters), shape) {
            (Place::Article(holds), _) => holds,
            (Place::Row { table, holds }, Shape::Probing) => {
                format!("EXISTS (SELECT 1 FROM {table} t WHERE t.article_id = a.id AND {holds})")
            }
            (Place::Row { table, holds }, Shape::Gathering) => {
                format!("a.id IN (SELECT t.article_id FROM {table} t WHERE {holds})")
            }
        }
    }

    /// A query for the articles that match, as `id`; some perhaps more than once. `None` if no index leads to them.
    fn matches(&self, parameters: &mut Vec<Parameter>) -> Option<String> {
        if matches!(self, Self::Number { .. }) {
            return None;
        }
        Some(match self.place(Shape::Gathering, parameters) {
            Place::Row { table, holds } => format!("SELECT t.article_id AS id FROM {table} t WHERE {holds}"),
            Place::Article(holds) => format!("SELECT a.id FROM articles a WHERE {holds}"),
        })
    }

    fn place(&self, shape: Shape, parameters: &mut Vec<Parameter>) -> Place {
        let of_tags = |holds: String| Place::Row { table: "article_tags", holds };
        let of_properties = |holds: String| Place::Row { table: "article_properties", holds };
        match self {
            Self::Tag(tag) => {
                let place = push(parameters, tag.clone());
                of_tags(format!("(t.tag = {place} OR (t.tag >= {place} || '/' AND t.tag < {place} || '0'))"))
            }
            Self::Tagged => of_tags("TRUE".to_owned()),
            Self::Folder(folder) => {
                let place = push(parameters, folder.clone());
                Place::Article(within("a.folder", &place))
            }
            Self::Created(period) => Place::Article(happened("a.created_at", *period, parameters)),
            Self::Updated(period) => Place::Article(happened("a.updated_at", *period, parameters)),
            Self::Has(key) => of_properties(format!("t.key = {}", push(parameters, key.clone()))),
            Self::Text { key, value } => {
                let (key, value) = (push(parameters, key.clone()), push(parameters, value.clone()));
                of_properties(format!("t.key = {key} AND t.folded = {value}"))
            }
            Self::Number { key, from, to, value } => {
                let number = Self::Range { key: key.clone(), kind: "number", from: *from, to: *to };
                let text = Self::Text { key: key.clone(), value: value.clone() };
                Place::Article(format!(
                    "({} OR {})",
                    number.condition(shape, parameters),
                    text.condition(shape, parameters)
                ))
            }
            Self::Range { key, kind, from, to } => {
                let mut holds = format!("t.key = {} AND t.kind = '{kind}'", push(parameters, key.clone()));
                // With the plus, no index of numbers is used: to test one article it would be read from end to end.
                let number = if shape == Shape::Probing { "+t.number" } else { "t.number" };
                bounds(&mut holds, number, *from, *to, parameters);
                of_properties(holds)
            }
        }
    }
}

/// What a test looks at.
enum Place {
    /// Columns of the article `a`.
    Article(String),
    /// A row of another table, as `t`, that belongs to the article.
    Row { table: &'static str, holds: String },
}

fn happened(column: &str, period: Period, parameters: &mut Vec<Parameter>) -> String {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    match period {
        Period::Younger(age) => format!("{column} >= {{now}} - {}", push(parameters, age)),
        Period::Older(age) => format!("{column} <= {{now}} - {}", push(parameters, age)),
        Period::Days(ago) => {
            let today = format!("({{now}} - {{now}} % {DAY})");
            format!("({column} >= {today} - {} AND {column} < {today} - {})", ago * DAY, (ago - 1) * DAY)
        }
        Period::Between(from, to) => {
            let mut holds = "TRUE".to_owned();
            bounds(&mut holds, column, from, to, parameters);
            format!("({holds})")
        }
    }
}

fn bounds(holds: &mut String, column: &str, from: Option<i64>, to: Option<i64>, parameters: &mut Vec<Parameter>) {
    for (sign, bound) in [(">=", from), ("<", to)] {
        if let Some(bound) = bound {
            // Writing to a string cannot fail.
            let _ = write!(holds, " AND {column} {sign} {}", push(parameters, bound));
        }
    }
}

fn push(parameters: &mut Vec<Parameter>, value: impl Into<Parameter>) -> String {
    parameters.push(value.into());
    format!("${}", parameters.len())
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
