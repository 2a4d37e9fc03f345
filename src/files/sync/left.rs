//! Copies that stand beside files until their owner has looked at them.

use afterword_actors::store::{
    Database, StoreError,
    sql::{FromRow, Sql},
};
use serde::Serialize;

use super::super::place;

/// Copies that are named; of more, that there are more.
const MAX_NAMED_COPIES: usize = 100;

/// What a file held that could not be merged with its article, or that was written to it late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct LeftCopy {
    /// The folder that is kept in step.
    pub directory: String,
    /// Where the copy is in it.
    pub file: String,
    /// The copy's article.
    pub slug: String,
}

/// Copies in folders that are kept in step. One that was removed or renamed is none any more.
///
/// # Errors
/// The database's.
pub async fn left_copies(database: &Database) -> Result<Vec<LeftCopy>, StoreError> {
    let sql = "SELECT o.root AS directory, s.path AS file, a.slug FROM article_sources s
               JOIN sources o ON o.id = s.source_id JOIN articles a ON a.id = s.article_id
               WHERE s.is_copy AND o.kept AND s.file_hash <> '' ORDER BY s.source_id, s.path LIMIT $1";
    let most = i64::try_from(MAX_NAMED_COPIES).unwrap_or(i64::MAX);
    let marked: Vec<LeftCopy> = database.reader().rows(sql, [most.into()]).await?;
    // What the files of earlier versions are was told by a part of their names: "a (conflict of interest).md" is none.
    Ok(marked.into_iter().filter(|copy| place::is_copy(&copy.file)).collect())
}

/// What is told of them; nothing if there are none.
pub fn told_of(copies: &[LeftCopy]) -> Option<String> {
    let first = copies.first()?;
    let more = match copies.len() - 1 {
        0 => String::new(),
        MAX_NAMED_COPIES.. => ", and many more".to_owned(),
        others => format!(", and {others} more"),
    };
    Some(format!(
        "both sides changed the same lines, and a copy was left in {}: \"{}\" (article \"{}\"){more}; take over what is \
         wanted of it, and delete it",
        first.directory, first.file, first.slug
    ))
}
