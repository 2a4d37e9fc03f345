//! Lists by filter: how they are read and counted without looking through all articles.

use std::cmp::Reverse;

use afterword_actors::store::{
    StoreError,
    sql::{Sql, Value},
};

use super::{
    cursor::{Cursor, ListName},
    folder::within,
    list_row::{self, ListRow},
    properties::{Filter, Shape},
};
use crate::api::MAX_COUNTED;

/// Up to so many articles, whatever a filter matches is counted. Among more, so many, the last saved, are looked
/// through for those that match several terms.
const LOOKED_THROUGH: i64 = 30_000;

/// The articles that a page is taken from.
pub(super) struct ListQuery<'a> {
    folder: &'a str,
    filter: &'a Filter,
}

/// How the articles of a list are found. Up to [`MAX_COUNTED`] are gathered and then sorted; more are looked through in
/// the order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListPlan {
    /// The term at this place matches few: they are gathered, and the other terms test them.
    LedBy(usize),
    /// Each term gathers what it matches.
    Gathered,
    /// Articles are looked at one after the other, in the order of the list.
    InOrder,
}

/// The size of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    /// *Units:* articles; `None` if there are more than are counted.
    pub(super) total: Option<i64>,
    pub(super) way: ListPlan,
}

/// How many articles a term matches.
enum Breadth {
    /// Up to [`MAX_COUNTED`].
    Narrow,
    /// More.
    Broad,
    /// Only counting all of them would tell.
    Unknown,
}

/// What is counted.
#[derive(Debug, Clone, Copy, Default)]
struct Limits {
    /// Only those saved at this time or later.
    since: Option<i64>,
    /// Only up to so many.
    most: Option<i64>,
}

impl<'a> ListQuery<'a> {
    pub(super) fn new(folder: &'a str, filter: &'a Filter) -> Self {
        Self { folder, filter }
    }

    /// The name of the list in cursors.
    pub(super) fn name(&self) -> ListName {
        ListName::of_articles(self.folder, self.filter)
    }

    /// Counts them. Without a filter to the last one, which an index answers.
    pub(super) async fn size(&self, connection: &impl Sql) -> Result<Size, StoreError> {
        if self.filter.is_empty() {
            let total = self.count(connection, ListPlan::InOrder, Limits::default()).await?;
            return Ok(Size { total: Some(total), way: ListPlan::InOrder });
        }
        let Some(newest) = newest(connection).await? else {
            let total = self.count(connection, ListPlan::Gathered, Limits::default()).await?;
            let way = if total > MAX_COUNTED { ListPlan::InOrder } else { ListPlan::Gathered };
            return Ok(Size { total: Some(total), way });
        };
        let many = Size { total: None, way: ListPlan::InOrder };
        for term in 0..self.filter.len() {
            match self.breadth(connection, term).await? {
                Breadth::Narrow => {
                    let way = ListPlan::LedBy(term);
                    return Ok(Size { total: Some(self.count(connection, way, Limits::default()).await?), way });
                }
                Breadth::Broad if self.filter.len() == 1 && self.folder.is_empty() => return Ok(many),
                Breadth::Broad | Breadth::Unknown => {}
            }
        }
        let limits = Limits { since: Some(newest), most: Some(MAX_COUNTED + 1) };
        if self.count(connection, ListPlan::InOrder, limits).await? > MAX_COUNTED {
            return Ok(many);
        }
        let total = self.count(connection, ListPlan::Gathered, Limits { since: None, ..limits }).await?;
        Ok(if total > MAX_COUNTED { many } else { Size { total: Some(total), way: ListPlan::Gathered } })
    }

    /// Returns those after `after`, the last saved first; what was saved since the list began, where it was then.
    pub(super) async fn page(
        &self,
        connection: &impl Sql,
        way: ListPlan,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Vec<ListRow>, StoreError> {
        let mut parameters = Vec::new();
        let mut condition = self.condition(way, &mut parameters);
        let Some(Cursor { at, id, began }) = after else {
            return list_row::page(connection, &condition, parameters, limit).await;
        };
        let place = (push(&mut parameters, at), push(&mut parameters, id));
        condition.push_str(&format!(" AND (a.updated_at, a.id) < ({}, {})", place.0, place.1));
        let Some(began) = began else { return list_row::page(connection, &condition, parameters, limit).await };
        // Those have their former places, whatever time their save says.
        let unsaved = list_row::unsaved(&push(&mut parameters, began));
        condition.push_str(&format!(" AND {unsaved}"));
        let mut rows = list_row::page(connection, &condition, parameters, limit).await?;
        // After the others: what is saved between the two readings is found by both, instead of by neither.
        rows.extend(self.moved_rows(connection, (at, id), began, limit).await?);
        rows.sort_by_key(|row| Reverse(row.place()));
        rows.dedup_by_key(|row| row.place());
        rows.truncate(limit as usize);
        Ok(rows)
    }

    /// Returns those that were saved since the list began, and were behind `after` when it did.
    async fn moved_rows(
        &self,
        connection: &impl Sql,
        after: (i64, i64),
        began: i64,
        limit: u32,
    ) -> Result<Vec<ListRow>, StoreError> {
        let mut parameters = Vec::new();
        let condition = self.condition(ListPlan::InOrder, &mut parameters);
        list_row::moved_rows(connection, &condition, parameters, (after, began), limit).await
    }

    /// Whether the term at this place matches few articles.
    async fn breadth(&self, connection: &impl Sql, term: usize) -> Result<Breadth, StoreError> {
        let mut parameters = Vec::new();
        let Some(matches) = self.filter.matches_of(term, &mut parameters) else { return Ok(Breadth::Unknown) };
        let sql = format!(
            "SELECT count(*) AS rows_found, count(DISTINCT id) AS articles_found
             FROM (SELECT id FROM ({matches}) m LIMIT {}) c",
            2 * MAX_COUNTED + 1
        );
        let found = connection.row::<(i64, i64)>(&sql, parameters).await?;
        Ok(match found {
            Some((rows, _)) if rows <= MAX_COUNTED => Breadth::Narrow,
            Some((_, articles)) if articles > MAX_COUNTED => Breadth::Broad,
            _ => Breadth::Unknown,
        })
    }

    async fn count(&self, connection: &impl Sql, way: ListPlan, limits: Limits) -> Result<i64, StoreError> {
        let mut parameters = Vec::new();
        let mut condition = self.condition(way, &mut parameters);
        if let Some(since) = limits.since {
            condition.push_str(&format!(" AND a.updated_at >= {}", push(&mut parameters, since)));
        }
        let sql = match limits.most {
            None => format!("SELECT count(*) AS n FROM articles a WHERE {condition}"),
            Some(most) => {
                format!("SELECT count(*) AS n FROM (SELECT 1 FROM articles a WHERE {condition} LIMIT {most}) c")
            }
        };
        Ok(connection.row::<i64>(&sql, parameters).await?.unwrap_or(0))
    }

    fn condition(&self, way: ListPlan, parameters: &mut Vec<Value>) -> String {
        let filter = match way {
            ListPlan::LedBy(term) => self.filter.condition_led_by(term, parameters),
            ListPlan::Gathered => self.filter.condition(Shape::Gathering, parameters),
            ListPlan::InOrder => self.filter.condition(Shape::Probing, parameters),
        };
        if self.folder.is_empty() {
            return filter;
        }
        let folder = push(parameters, self.folder);
        format!("{filter} AND {}", within("a.folder", &folder))
    }
}

/// When the first of the last saved articles that are looked through was saved; `None` if there are fewer.
async fn newest(connection: &impl Sql) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT updated_at AS n FROM articles ORDER BY updated_at DESC, id DESC LIMIT 1 OFFSET $1 + 0";
    connection.row(sql, [LOOKED_THROUGH.into()]).await
}

fn push(parameters: &mut Vec<Value>, value: impl Into<Value>) -> String {
    parameters.push(value.into());
    format!("${}", parameters.len())
}
