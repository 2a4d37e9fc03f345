//! Conditions on articles, and on what they say of themselves, as SQL.

use std::fmt::Write;

use afterword_actors::store::sql::Value as Parameter;

use super::period::Period;

/// How a condition is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Tests each article: best where most of those looked at match, or few are looked at.
    Probing,
    /// Gathers the matching articles first: best where they are few among many.
    Gathering,
}

/// What a test looks at.
pub(super) enum TestTarget {
    /// Columns of the article `a`.
    Article(String),
    /// Any of these.
    Rows(Vec<Rows>),
}

/// Rows of another table, as `t`, that belong to the article.
pub(super) struct Rows {
    table: &'static str,
    holds: String,
}

impl TestTarget {
    /// The condition on the article `a`.
    pub(super) fn condition(&self, shape: Shape) -> String {
        match (self, shape) {
            (Self::Article(holds), _) => holds.clone(),
            (Self::Rows(rows), Shape::Probing) => {
                let exists = |Rows { table, holds }: &Rows| {
                    format!("EXISTS (SELECT 1 FROM {table} t WHERE t.article_id = a.id AND {holds})")
                };
                format!("({})", rows.iter().map(exists).collect::<Vec<_>>().join(" OR "))
            }
            (Self::Rows(rows), Shape::Gathering) => format!("a.id IN ({})", gathered(rows)),
        }
    }

    /// A query for the articles, as `id`; some perhaps more than once.
    pub(super) fn articles(&self) -> String {
        match self {
            Self::Article(holds) => format!("SELECT a.id FROM articles a WHERE {holds}"),
            Self::Rows(rows) => gathered(rows),
        }
    }
}

/// A query for the articles that have any of these, as `id`.
fn gathered(rows: &[Rows]) -> String {
    let each =
        rows.iter().map(|Rows { table, holds }| format!("SELECT t.article_id AS id FROM {table} t WHERE {holds}"));
    each.collect::<Vec<_>>().join(" UNION ALL ")
}

pub(super) fn text(key: &str, value: &str, parameters: &mut Vec<Parameter>) -> String {
    let (key, value) = (push(parameters, key.to_owned()), push(parameters, value.to_owned()));
    format!("t.key = {key} AND t.folded = {value}")
}

pub(super) fn range(
    key: &str,
    kind: &str,
    (from, to): (Option<i64>, Option<i64>),
    shape: Shape,
    parameters: &mut Vec<Parameter>,
) -> String {
    let mut holds = format!("t.key = {} AND t.kind = '{kind}'", push(parameters, key.to_owned()));
    // With the plus, no index of numbers is used: to test one article it would be read from end to end.
    let number = if shape == Shape::Probing { "+t.number" } else { "t.number" };
    bounds(&mut holds, number, from, to, parameters);
    holds
}

pub(super) fn tag(holds: String) -> Rows {
    Rows { table: "article_tags", holds }
}

pub(super) fn property(holds: String) -> Rows {
    Rows { table: "article_properties", holds }
}

pub(super) fn happened(column: &str, period: Period, parameters: &mut Vec<Parameter>) -> String {
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

pub(super) fn push(parameters: &mut Vec<Parameter>, value: impl Into<Parameter>) -> String {
    parameters.push(value.into());
    format!("${}", parameters.len())
}
