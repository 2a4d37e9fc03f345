//! How the words in the index were made: in which language, and by which version of this program's rules.

use afterword_actors::store::{StoreError, sql::Sql};
use sea_orm::{ConnectionTrait, FromQueryResult};

/// The rules by which words are written now. A higher number makes a running server write all words again.
pub(crate) const VERSION: i32 = 2;

/// What a search has to know before it reads a question.
#[derive(Debug, Clone, FromQueryResult)]
pub(crate) struct Standing {
    /// The language of the stems.
    pub(crate) language: String,
    /// Whether words of an earlier version are left.
    pub(crate) with_earlier: bool,
    /// By the database's clock. *Units:* milliseconds since 1970.
    pub(crate) now: i64,
}

impl Standing {
    /// As it is now.
    ///
    /// # Errors
    /// [`StoreError`]
    pub(crate) async fn read(connection: &impl ConnectionTrait) -> Result<Self, StoreError> {
        let sql = "SELECT language, EXISTS (SELECT 1 FROM article_words) AS with_earlier, {now} AS now
                   FROM fulltext_state WHERE id = 1";
        let standing = connection.row(sql, []).await?;
        standing.ok_or_else(|| StoreError::Unexpected("the index of words has no state".to_owned()))
    }
}

/// The state of the index.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub(crate) struct State {
    /// The language of its stems.
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
    pub(crate) async fn read(connection: &impl ConnectionTrait) -> Result<Self, StoreError> {
        let sql = "SELECT language, version, rebuilt_to FROM fulltext_state WHERE id = 1";
        let state = connection.row(sql, []).await?;
        state.ok_or_else(|| StoreError::Unexpected("the index of words has no state".to_owned()))
    }

    /// Notes it.
    ///
    /// # Errors
    /// [`StoreError`]
    pub(crate) async fn write(&self, connection: &impl ConnectionTrait) -> Result<(), StoreError> {
        let sql = "UPDATE fulltext_state SET language = $1, version = $2, rebuilt_to = $3 WHERE id = 1";
        let values = [self.language.clone().into(), self.version.into(), self.rebuilt_to.into()];
        connection.run(sql, values).await.map(drop)
    }
}
