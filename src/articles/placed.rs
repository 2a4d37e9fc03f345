//! Articles with their places in a list, which goes by the time of the last save: now, or when the list began.

use afterword_actors::store::{
    StoreError,
    sql::{FromRow, Row, Sql, Value},
};

use super::row::{COLUMNS, JOINS, SummaryRow};

/// An article with its place in a list.
pub(super) struct Placed {
    pub(super) summary: SummaryRow,
    /// *Units:* milliseconds since 1970.
    at: i64,
    /// When the last save was made that the reading saw, of whatever article. *Units:* milliseconds since 1970.
    pub(super) read_at: i64,
}

impl Placed {
    /// Its place: time and number.
    pub(super) fn place(&self) -> (i64, i64) {
        (self.at, self.summary.id)
    }
}

impl FromRow for Placed {
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
) -> Result<Vec<Placed>, StoreError> {
    parameters.push(i64::from(limit).into());
    let sql = format!(
        "SELECT {COLUMNS}, CAST(octet_length(a.body) AS BIGINT) AS size, a.updated_at AS place,
                COALESCE({READ_AT}, 0) AS read_at FROM articles a {JOINS}
         WHERE {condition} ORDER BY a.updated_at DESC, a.id DESC LIMIT ${} + 0",
        parameters.len()
    );
    connection.rows(&sql, parameters).await
}

/// The first revision of each article that another one has replaced since a time: what the article was then. Grouped so that the
/// index of that time is taken, and not that of all revisions by article.
const MOVED: &str = "
    SELECT v.article_id + 0 AS article_id, min(v.revision) AS revision FROM article_versions v
    WHERE NOT v.deleted AND v.superseded_at > {began} GROUP BY v.article_id + 0";
/// Where the article was in the list. If too much was saved since for that revision to be kept, it is behind the others. A time
/// ahead of the clock tells nothing: such a revision was in the list if it was the first one, or if the one before it is kept.
const PLACE: &str = "
    CASE WHEN w.updated_at <= {began} OR w.revision = 1
              OR EXISTS (SELECT 1 FROM article_versions b WHERE b.article_id = w.article_id AND b.revision = w.revision - 1)
         THEN w.updated_at ELSE a.created_at END";

/// Returns the articles for which `condition` is true, with those `parameters`, that were saved since `began` and were behind
/// `after` until then; in the order of that time.
pub(super) async fn moved(
    connection: &impl Sql,
    condition: &str,
    mut parameters: Vec<Value>,
    ((at, id), began): ((i64, i64), i64),
    limit: u32,
) -> Result<Vec<Placed>, StoreError> {
    let first = parameters.len() + 1;
    parameters.extend([began.into(), at.into(), id.into(), i64::from(limit).into()]);
    let began = format!("${first}");
    let (moved, place) = (MOVED.replace("{began}", &began), PLACE.replace("{began}", &began));
    let sql = format!(
        "SELECT {COLUMNS}, CAST(octet_length(a.body) AS BIGINT) AS size, {place} AS place, CAST({began} AS BIGINT) AS read_at
         FROM ({moved}) m JOIN article_versions w ON w.article_id = m.article_id AND w.revision = m.revision
              JOIN articles a ON a.id = m.article_id {JOINS}
         WHERE {condition} AND ({place}, a.id) < (${}, ${})
         ORDER BY place DESC, a.id DESC LIMIT ${} + 0",
        first + 1,
        first + 2,
        first + 3,
    );
    connection.rows(&sql, parameters).await
}
