//! Copies that stand beside files until their owner has looked at them.

use afterword_actors::store::{
    Database, StoreError,
    sql::{FromRow, Sql},
};
use serde::Serialize;

/// Copies that are named; of more, that there are more.
const NAMED: usize = 100;

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
    let sql = "SELECT o.root AS directory, s.path AS file, a.slug FROM sources o
               JOIN article_sources s ON s.source_id = o.id JOIN articles a ON a.id = s.article_id
               WHERE o.kept AND s.file_hash <> '' AND (s.path LIKE '% (conflict %).%' OR s.path LIKE '% (saved late %).%')
               ORDER BY 1, 2";
    let found: Vec<LeftCopy> = database.reader().rows(sql, []).await?;
    Ok(found.into_iter().filter(|copy| is_copy(&copy.file)).take(NAMED).collect())
}

/// What copies are called, and nothing else is.
fn is_copy(file: &str) -> bool {
    let marked = file.rsplit_once(").").and_then(|(name, _)| name.rsplit_once(" (")).map(|(_, mark)| mark);
    let digits = marked.and_then(|mark| mark.strip_prefix("conflict ").or_else(|| mark.strip_prefix("saved late ")));
    digits.is_some_and(|digits| digits.len() >= 8 && digits.chars().all(|digit| digit.is_ascii_hexdigit()))
}

/// What is told of them; nothing if there are none.
pub fn told_of(copies: &[LeftCopy]) -> Option<String> {
    let first = copies.first()?;
    let more = match copies.len() - 1 {
        0 => String::new(),
        NAMED.. => ", and many more".to_owned(),
        others => format!(", and {others} more"),
    };
    Some(format!(
        "both sides changed the same lines, and a copy was left in {}: \"{}\" (article \"{}\"){more}; take over what is \
         wanted of it, and delete it",
        first.directory, first.file, first.slug
    ))
}

#[cfg(test)]
mod tests {
    use super::is_copy;

    #[test]
    fn a_copy_is_known_by_its_name() {
        for copy in ["a (conflict 1a2b3c4d).md", "sub/a (b) (saved late 1a2b3c4d5e6f7a8b).mdx"] {
            assert!(is_copy(copy), "{copy}");
        }
        for other in ["a (conflict of interest).md", "(conflict 1a2b3c4d).md/a.md", "a (conflict 12).md", "conflict.md"]
        {
            assert!(!is_copy(other), "{other}");
        }
    }
}
