//! Articles with their places in a list, which goes by the time of the last save: now, or when the list began.

use afterword_actors::store::{
    StoreError,
    sql::{FromRow, Row, Sql, Value},
};

use super::{
    ArticleError,
    cursor::{self, Cursor},
    row::{COLUMNS, JOINS, SummaryRow},
};

/// An article with its place in a list.
pub(super) struct ListRow {
    pub(super) summary: SummaryRow,
    /// *Units:* milliseconds since 1970.
    at: i64,
    /// When the last save was made that the reading saw, of whatever article. *Units:* milliseconds since 1970.
    pub(super) read_at: i64,
}

impl ListRow {
    /// Its place: time and number.
    pub(super) fn place(&self) -> (i64, i64) {
        (self.at, self.summary.id)
    }
}

impl FromRow for ListRow {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self { summary: SummaryRow::from_row(row)?, at: row.get("place")?, read_at: row.get("read_at")? })
    }
}

/// When the last save was made. A file's or a person's time may be ahead of the clock, and behind the save.
const READ_AT: &str = "
    (SELECT max(l.at) FROM (
        SELECT max(b.updated_at) AS at FROM articles b WHERE b.updated_at <= {now}
        UNION ALL
        SELECT max(v.superseded_at) FROM article_versions v WHERE NOT v.deleted AND v.superseded_at <= {now}) l)";

/// Returns the articles for which `condition` is true, with those `parameters`, the last saved first.
pub(super) async fn page(
    connection: &impl Sql,
    condition: &str,
    mut parameters: Vec<Value>,
    limit: u32,
) -> Result<Vec<ListRow>, StoreError> {
    parameters.push(i64::from(limit).into());
    let sql = format!(
        "SELECT {COLUMNS}, CAST(octet_length(a.body) AS BIGINT) AS size, a.updated_at AS place,
                COALESCE({READ_AT}, 0) AS read_at FROM articles a {JOINS}
         WHERE {condition} ORDER BY a.updated_at DESC, a.id DESC LIMIT ${} + 0",
        parameters.len()
    );
    connection.rows(&sql, parameters).await
}

/// Past revisions that are looked at to say where what was saved since a list began was in it. Of more, no page of it
/// is made: whoever reads it begins again.
const MOST_REPLACED: i64 = 20_000;
const ONE_TOO_MANY: i64 = MOST_REPLACED + 1;
/// No save takes longer between its time and its commit, so that all that was replaced before is known. *Units:*
/// milliseconds.
const SETTLED_AFTER: i64 = 60_000;

/// Revisions that another one has replaced since a time, the first of them first: an index has them in this order.
fn replaced(began: &str) -> String {
    format!(
        "SELECT v.article_id, v.revision FROM article_versions v WHERE NOT v.deleted AND v.superseded_at > {began}
         ORDER BY v.superseded_at LIMIT {ONE_TOO_MANY}"
    )
}

/// Where the article was in the list. If too much was saved since for that revision to be kept, it is behind the
/// others. A time ahead of the clock tells nothing: such a revision was in the list if it was the first one, or if the
/// one before it is kept. Asked for each article, so that no plan looks through all revisions.
const PLACE_IN_LIST: &str = "
    (SELECT CASE WHEN w.updated_at <= {began} OR w.revision = 1
                      OR EXISTS (SELECT 1 FROM article_versions b
                                 WHERE b.article_id = w.article_id AND b.revision = w.revision - 1)
                 THEN w.updated_at ELSE a.created_at END
     FROM article_versions w WHERE w.article_id = m.article_id AND w.revision = m.revision)";

/// The articles for which `condition` is true, that were saved since `began`: where each was in the list, by the first
/// of its revisions that was replaced since, and where it is now. The limit keeps it a query of its own: a place is
/// asked for once.
fn saved(began: &str, condition: &str) -> String {
    let (replaced, place) = (replaced(began), PLACE_IN_LIST.replace("{began}", began));
    format!(
        "SELECT a.id, a.updated_at AS present, {place} AS place
         FROM (SELECT r.article_id, min(r.revision) AS revision FROM ({replaced}) r GROUP BY r.article_id) m
              CROSS JOIN articles a
         WHERE a.id = m.article_id AND {condition} LIMIT {ONE_TOO_MANY}"
    )
}

/// The condition that an article was not saved since `began`.
pub(super) fn unsaved(began: &str) -> String {
    format!("a.id NOT IN (SELECT s.article_id FROM ({}) s)", replaced(began))
}

/// A place in a list as the next page needs it. If all that was saved since the list began was in front of the place,
/// and is so still, the rest of the list is as it would be had the list begun just now: those saves need not be looked
/// at again. So a reader that saves what it lists does not pay for all of that on each page.
///
/// # Errors
/// [`ArticleError::Invalid`] if more was saved since the list began than is looked at.
pub(super) async fn brought_up(connection: &impl Sql, cursor: Cursor) -> Result<Cursor, ArticleError> {
    let Cursor { at, id, began: Some(began) } = cursor else { return Ok(cursor) };
    let sql = format!(
        "SELECT (SELECT count(*) FROM ({}) r) AS replaced,
                EXISTS (SELECT 1 FROM ({}) p
                        WHERE (p.place, p.id) < ($2, $3) OR (p.present, p.id) < ($2, $3)) AS is_open,
                {{now}} AS now",
        replaced("$1"),
        saved("$1", "TRUE"),
    );
    let values = [began.into(), at.into(), id.into()];
    let (replaced, is_open, now) = connection.one::<(i64, bool, i64)>(&sql, values).await?;
    if replaced > MOST_REPLACED {
        return Err(cursor::too_old(MOST_REPLACED));
    }
    let began = if is_open { began } else { began.max(now - SETTLED_AFTER) };
    Ok(Cursor { began: Some(began), ..cursor })
}

/// Returns the articles for which `condition` is true, with those `parameters`, that were saved since `began` and were
/// behind `after` until then; in the order of that time. All that a list shows is read of these alone.
pub(super) async fn moved_rows(
    connection: &impl Sql,
    condition: &str,
    mut parameters: Vec<Value>,
    ((at, id), began): ((i64, i64), i64),
    limit: u32,
) -> Result<Vec<ListRow>, StoreError> {
    let first = parameters.len() + 1;
    parameters.extend([began.into(), at.into(), id.into(), i64::from(limit).into()]);
    let began = format!("${first}");
    let sql = format!(
        "SELECT {COLUMNS}, CAST(octet_length(a.body) AS BIGINT) AS size, p.place, CAST({began} AS BIGINT) AS read_at
         FROM (SELECT s.id, s.place FROM ({}) s WHERE (s.place, s.id) < (${}, ${})
               ORDER BY s.place DESC, s.id DESC LIMIT ${} + 0) p
              JOIN articles a ON a.id = p.id {JOINS}
         ORDER BY p.place DESC, a.id DESC",
        saved(&began, condition),
        first + 1,
        first + 2,
        first + 3,
    );
    connection.rows(&sql, parameters).await
}
