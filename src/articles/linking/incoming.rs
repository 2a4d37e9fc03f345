//! Links to an article, without those that lead elsewhere.

use std::collections::BTreeSet;

use afterword_actors::store::{
    StoreError,
    sql::{self, FromRow, Sql},
};

use super::{
    files::Files,
    link_target::{LEADS_TO, LinkTarget},
};
use crate::markdown::Form;

/// A link that leads to an article.
#[derive(Debug)]
pub(super) struct Incoming {
    /// The article that contains it.
    pub(super) slug: String,
    pub(super) title: String,
    pub(super) target: String,
    pub(super) form: Form,
    /// The file that it leads by, its source and path; else it leads by a name.
    pub(super) file: Option<(i64, String)>,
}

#[derive(FromRow)]
struct LeadRow {
    article_id: i64,
    slug: String,
    title: String,
    target: String,
    form: String,
    leads_to: Option<i64>,
}

/// Returns links to `article` from others, in the order of their slugs; at most `most`.
pub(super) async fn to(connection: &impl Sql, article: &LinkTarget, most: u32) -> Result<Vec<Incoming>, StoreError> {
    let sql = format!(
        "SELECT l.article_id, a.slug, a.title, l.target, l.form, {LEADS_TO} AS leads_to
         FROM (SELECT n.* FROM {{texts $1}} j JOIN article_links n ON n.key = j.text
               WHERE n.article_id <> $2 LIMIT $3 + 0) l
         JOIN articles a ON a.id = l.article_id ORDER BY a.slug, l.position"
    );
    let keys = sql::json(&article.keys(connection).await?)?;
    let rows = connection.rows(&sql, [keys, article.id.into(), i64::from(most).into()]).await?;
    leading(connection, article, rows).await
}

/// Returns links to `article` by names that make one of the slugs `keys`, its own links included, from some articles
/// with ids above `after`, in that order, and the last id that was looked at; `None` if there are no more.
pub(super) async fn named(
    connection: &impl Sql,
    article: &LinkTarget,
    keys: &BTreeSet<String>,
    after: i64,
) -> Result<Option<(Vec<Incoming>, i64)>, StoreError> {
    let sql = format!(
        "SELECT l.article_id, a.slug, a.title, l.target, l.form, {LEADS_TO} AS leads_to
         FROM (SELECT DISTINCT n.article_id FROM {{texts $1}} j JOIN article_links n ON n.key = j.text
               WHERE n.article_id > $2 ORDER BY n.article_id LIMIT 100) d
         JOIN article_links l ON l.article_id = d.article_id AND l.key IN (SELECT k.text FROM {{texts $1}} k)
         JOIN articles a ON a.id = l.article_id ORDER BY l.article_id, l.position"
    );
    let rows: Vec<LeadRow> = connection.rows(&sql, [sql::json(keys)?, after.into()]).await?;
    let Some(last) = rows.last().map(|row| row.article_id) else { return Ok(None) };
    leading(connection, article, rows).await.map(|links| Some((links, last)))
}

/// Keeps the links that lead to the article: a link to a file leads to the file, and to a name only if there is no
/// file.
async fn leading(connection: &impl Sql, article: &LinkTarget, rows: Vec<LeadRow>) -> Result<Vec<Incoming>, StoreError> {
    let paths = rows.iter().map(|row| (row.article_id, row.form.as_str(), row.target.as_str()));
    let files = Files::of(connection, paths).await?;
    let link = |row: LeadRow| {
        let form = Form::named(&row.form)?;
        let file = files.at(row.article_id, &row.form, &row.target);
        let is_here = match file {
            Some(file) => file.slug == article.slug,
            None => row.leads_to == Some(article.id),
        };
        let file = file.map(|file| file.place.clone());
        let LeadRow { article_id: _, slug, title, target, form: _, leads_to: _ } = row;
        is_here.then_some(Incoming { slug, title, target, form, file })
    };
    Ok(rows.into_iter().filter_map(link).collect())
}
