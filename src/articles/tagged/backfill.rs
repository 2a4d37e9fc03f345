//! Reads articles that an earlier version has saved: in the background, few at a time, behind saves.

use afterword_actors::store::{
    StoreError, Transaction,
    sql::{self, FromRow, Sql},
};

use crate::{
    articles::{
        Articles, links,
        properties::{ExistingRows, Properties, TextReading, write},
        reading, row,
    },
    markdown::Link,
};

/// Articles read and written together.
const ARTICLES_PER_BATCH: i64 = 50;
/// Most bytes of bodies in one batch, unless one alone is larger. *Units:* bytes.
const BATCH_BYTES: i64 = 4 << 20;

#[derive(FromRow)]
struct UnreadRow {
    id: i64,
    revision: i64,
    front_matter: String,
    body: String,
}

impl Articles {
    /// Reads the tags, properties and links of some articles that an earlier version has saved; returns whether there
    /// may be more. Articles saved meanwhile are read by their save.
    ///
    /// # Errors
    /// [`StoreError`]; the next call reads what this one did not.
    pub async fn read_some_again(&self) -> Result<bool, StoreError> {
        let reader = self.database.reader();
        let sizes: Vec<(i64, i64)> = reader
            .rows(
                "SELECT a.id, CAST(octet_length(a.body) AS BIGINT) AS size
                 FROM unread_articles u JOIN articles a ON a.id = u.article_id ORDER BY u.article_id LIMIT $1 + 0",
                [ARTICLES_PER_BATCH.into()],
            )
            .await?;
        let ids = reading::fitting(sizes, BATCH_BYTES);
        if ids.is_empty() {
            return Ok(false);
        }
        let sql = format!(
            "SELECT a.id, a.revision, {}, a.body FROM {{ids $1}} j JOIN articles a ON a.id = j.id ORDER BY a.id",
            row::FRONT_MATTER
        );
        let unread: Vec<UnreadRow> = reader.rows(&sql, [sql::json(&ids)?]).await?;
        let mut read = Vec::with_capacity(unread.len());
        for article in unread {
            let text = TextReading::of(&article.body).await;
            let said = Properties::of_reading(&article.front_matter, &text);
            let links = text.links(&article.front_matter).into_owned();
            read.push(ParsedArticle { id: article.id, revision: article.revision, said, links });
        }
        self.database.write_behind(async move |transaction| keep(transaction, read).await).await?;
        Ok(true)
    }
}

/// What was read of one article.
struct ParsedArticle {
    id: i64,
    revision: i64,
    said: Properties,
    links: Vec<Link>,
}

async fn keep(transaction: &Transaction, read: Vec<ParsedArticle>) -> Result<(), StoreError> {
    for ParsedArticle { id, revision, said, links: found } in read {
        // An article saved meanwhile was read by its save, unless that left the text unchanged; then the next batch has
        // it.
        let held = "SELECT a.id AS n FROM articles a JOIN unread_articles u ON u.article_id = a.id
                    WHERE a.id = $1 AND a.revision = $2 {lock a}";
        if transaction.row::<()>(held, [id.into(), revision.into()]).await?.is_some() {
            write(transaction, id, ExistingRows::Possible, &said).await?;
            links::write(transaction, id, ExistingRows::Possible, &found).await?;
        }
    }
    Ok(())
}
