//! How the words in the index were made: in which language, and by which version of this program's rules.

use afterword_actors::store::{
    Engine, StoreError,
    sql::{FromRow, Sql},
};

use super::{fts5, languages::Languages};

/// The rules by which words are written now. A higher number makes a running server write all words again.
pub(crate) const VERSION: i32 = 6;

/// The language of the stems of articles whose own is not known, as a part of another statement.
pub(crate) const LANGUAGE: &str = "(SELECT language FROM fulltext_state WHERE id = 1)";

/// What a search has to know before it reads a question.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Freshness {
    /// The language of the stems of articles whose own is not known.
    pub(crate) language: String,
    /// Those of all others, between spaces.
    pub(crate) languages: Option<String>,
    /// Whether words of an earlier version are left, in a table of their own.
    pub(crate) with_earlier: bool,
    /// Whether all terms follow the present rules.
    pub(super) is_renewed: bool,
    /// By the database's clock. *Units:* milliseconds since 1970.
    pub(crate) now: i64,
    /// What FTS5 notes of its index, on SQLite.
    pub(super) averages: Option<Vec<u8>>,
    pub(super) structure: Option<Vec<u8>>,
}

impl Freshness {
    /// All languages by whose stems there are articles.
    pub(crate) fn languages(&self) -> Languages {
        let stored = self.languages.as_deref().unwrap_or_default().split_ascii_whitespace();
        if self.is_renewed {
            Languages::of(&self.language, stored)
        } else {
            Languages::with_earlier(&self.language, stored)
        }
    }

    /// As it is now.
    ///
    /// # Errors
    /// [`StoreError`]
    pub(crate) async fn read(connection: &impl Sql) -> Result<Self, StoreError> {
        let (joined, notes) = match connection.engine() {
            Engine::Sqlite => ("group_concat(language, ' ')", fts5::notes()),
            Engine::Postgres => {
                let nothing = "CAST(NULL AS BYTEA) AS averages, CAST(NULL AS BYTEA) AS structure";
                ("string_agg(language, ' ')", nothing.to_owned())
            }
        };
        // From each language to the next in the index, instead of reading a row for each article.
        let sql = format!(
            "WITH RECURSIVE held (language) AS (
                 SELECT min(language) FROM article_languages
                 UNION ALL
                 SELECT (SELECT min(l.language) FROM article_languages l WHERE l.language > held.language)
                 FROM held WHERE held.language IS NOT NULL
             )
             SELECT language, (SELECT {joined} FROM held) AS languages,
                    EXISTS (SELECT 1 FROM article_words) AS with_earlier,
                    version >= {VERSION} AND rebuilt_to IS NULL AS is_renewed, {{now}} AS now, {notes}
             FROM fulltext_state WHERE id = 1"
        );
        let freshness = connection.row(&sql, []).await?;
        freshness.ok_or_else(|| StoreError::Unexpected("the index of words has no state".to_owned()))
    }
}

/// Notes in which language an article is, if it is another than that of articles whose own is not known.
///
/// # Errors
/// [`StoreError`]
pub(super) async fn note_language(transaction: &impl Sql, id: i64, language: Option<&str>) -> Result<(), StoreError> {
    match language {
        None => transaction.later("DELETE FROM article_languages WHERE article_id = $1", [id.into()]).await,
        Some(language) => {
            let sql = "INSERT INTO article_languages (article_id, language) VALUES ($1, $2)
                       ON CONFLICT (article_id) DO UPDATE SET language = excluded.language";
            transaction.later(sql, [id.into(), language.into()]).await
        }
    }
}

/// The state of the index.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct State {
    /// The language of the stems of articles whose own is not known.
    pub(crate) language: String,
    /// The rules that every article was written by, once there is nothing left to write.
    pub(crate) version: i32,
    /// All up to this article have been written by the present rules; `None` if there is nothing left to write.
    pub(crate) rebuilt_to: Option<i64>,
}

impl State {
    /// As it is stored.
    ///
    /// # Errors
    /// [`StoreError`]
    pub(crate) async fn read(connection: &impl Sql) -> Result<Self, StoreError> {
        let sql = "SELECT language, version, rebuilt_to FROM fulltext_state WHERE id = 1";
        let state = connection.row(sql, []).await?;
        state.ok_or_else(|| StoreError::Unexpected("the index of words has no state".to_owned()))
    }

    /// Notes it.
    ///
    /// # Errors
    /// [`StoreError`]
    pub(crate) async fn write(&self, connection: &impl Sql) -> Result<(), StoreError> {
        let sql = "UPDATE fulltext_state SET language = $1, version = $2, rebuilt_to = $3 WHERE id = 1";
        let values = [self.language.clone().into(), self.version.into(), self.rebuilt_to.into()];
        connection.run(sql, values).await.map(drop)
    }
}
