//! The other program's database, which is only read.

use afterword_actors::store::sql::{Connection, FromRow, Sql};

use super::{super::content, report::ManagerError};
use crate::articles::{
    folder::Folder,
    request::{Limits, plain_title},
};

/// Articles read at a time.
const ARTICLES_PER_READ: i64 = 50;

/// An article there.
#[derive(Debug, Clone, FromRow)]
pub(super) struct TheirArticle {
    pub(super) id: String,
    title: String,
    pub(super) slug: String,
    content: String,
    folder: String,
    pub(super) is_public: bool,
    pub(super) no_rag: bool,
    pub(super) created_at: Option<i64>,
    updated_at: Option<i64>,
}

#[derive(FromRow)]
struct Revision {
    title: String,
    content: String,
    folder: String,
    created_at: Option<i64>,
}

/// What one revision says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) title: String,
    pub(super) body: String,
    pub(super) folder: Folder,
    /// When it was saved. *Units:* milliseconds since 1970.
    pub(super) at: Option<i64>,
}

pub(super) struct Theirs {
    connection: Connection,
    has_history: bool,
}

fn failed(error: impl std::fmt::Display) -> ManagerError {
    ManagerError::Theirs(error.to_string())
}

impl Theirs {
    pub(super) async fn open(url: &str) -> Result<Self, ManagerError> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(failed("the address does not begin with postgres://"));
        }
        let connection = Connection::open(url).await.map_err(failed)?;
        connection.run("SET default_transaction_read_only = on", []).await.map_err(failed)?;
        let sql = "SELECT CAST(count(to_regclass('article_history')) AS BIGINT) AS n";
        let has_history = number(&connection, sql).await? > 0;
        Ok(Self { connection, has_history })
    }

    pub(super) async fn count(&self) -> Result<usize, ManagerError> {
        let count = number(&self.connection, "SELECT count(*) AS n FROM articles").await?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// The articles after the one with the id `after`; `None` if there are no more.
    pub(super) async fn page(&self, after: Option<&str>) -> Result<Option<Vec<TheirArticle>>, ManagerError> {
        let sql = format!(
            "SELECT CAST(id AS TEXT) AS id, title, slug, coalesce(content, '') AS content,
                          coalesce(folder, '') AS folder, coalesce(is_public, FALSE) AS is_public,
                          coalesce(no_rag, FALSE) AS no_rag,
                          {} AS created_at, {} AS updated_at
                   FROM articles WHERE CAST(id AS TEXT) COLLATE \"C\" > $1 ORDER BY CAST(id AS TEXT) COLLATE \"C\" LIMIT $2",
            milliseconds("created_at"),
            milliseconds("updated_at")
        );
        let page: Vec<TheirArticle> = self
            .connection
            .rows(&sql, [after.unwrap_or_default().into(), ARTICLES_PER_READ.into()])
            .await
            .map_err(failed)?;
        Ok(Some(page).filter(|page| !page.is_empty()))
    }

    /// What the article was, the oldest first, and what it is; what says the same twice in a row once.
    pub(super) async fn states(&self, article: &TheirArticle, limits: Limits) -> Result<Vec<State>, ManagerError> {
        let state = |title: &str, body: &str, folder: &str, at| state(title, body, folder, at, limits);
        let mut states: Vec<State> = Vec::new();
        if self.has_history {
            let sql = format!(
                "SELECT coalesce(title, '') AS title, coalesce(content, '') AS content,
                              coalesce(folder, '') AS folder, {} AS created_at
                       FROM article_history WHERE CAST(article_id AS TEXT) = $1 ORDER BY version_id",
                milliseconds("created_at")
            );
            let rows: Vec<Revision> = self.connection.rows(&sql, [article.id.clone().into()]).await.map_err(failed)?;
            states.extend(rows.into_iter().map(|row| state(&row.title, &row.content, &row.folder, row.created_at)));
        }
        let at = article.updated_at.or(article.created_at);
        states.push(state(&article.title, &article.content, &article.folder, at));
        states.dedup_by(|later, earlier| later.says() == earlier.says());
        Ok(states)
    }
}

impl State {
    /// Everything but its time.
    pub(super) fn says(&self) -> (&str, &str, &str) {
        (&self.title, &self.body, self.folder.as_ref())
    }
}

async fn number(connection: &Connection, sql: &str) -> Result<i64, ManagerError> {
    Ok(connection.row(sql, []).await.map_err(failed)?.unwrap_or_default())
}

/// SQL: a time in milliseconds since 1970; null for one that is none (`infinity`).
fn milliseconds(column: &str) -> String {
    format!("CASE WHEN isfinite({column}) THEN CAST(extract(epoch FROM {column}) * 1000 AS BIGINT) END")
}

fn state(title: &str, body: &str, folder: &str, at: Option<i64>, limits: Limits) -> State {
    let mut title = Some(plain_title(title)).filter(|title| !title.is_empty()).unwrap_or_else(|| "Untitled".to_owned());
    if title.chars().count() > limits.max_title {
        title = content::cut(&title, limits.max_title);
    }
    State { title, body: body.replace('\0', ""), folder: Folder::of_place(folder.split('/')), at }
}
