//! Folders and properties that a caller names and no article has: rather a mistake in the name than a question without
//! an answer.

use afterword_actors::store::{StoreError, sql::Sql};

use super::{
    ArticleError, Articles,
    folder::{Folder, within},
    properties::Filter,
    subfolders,
};

/// Names that are told.
const MAX_NAMES: usize = 20;

/// Keys that articles have, the first `$1` in their order. From each to the next in the index, instead of reading a row
/// for each value of each article. One more is looked at: aliases are none.
const KNOWN_KEYS: &str = "
    WITH RECURSIVE known (key, place) AS (
        SELECT min(key), 1 FROM article_properties
        UNION ALL
        SELECT (SELECT min(p.key) FROM article_properties p WHERE p.key > known.key), known.place + 1
        FROM known WHERE known.key IS NOT NULL AND known.place <= $1
    )
    SELECT key FROM known WHERE key <> 'aliases' ORDER BY key LIMIT $1 + 0";

/// A property that no article has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no article has the property \"{key}\"; {}", there_are(.known))]
pub struct UnknownProperty {
    /// As it was asked for.
    pub key: String,
    /// Some that articles have.
    pub known: Vec<String>,
}

fn there_are(known: &[String]) -> String {
    let keys: Vec<_> = known.iter().map(|key| format!("{key}:")).collect();
    let own = "tag:, folder:, created: and updated: are known, and title: and slug: in a question";
    if keys.is_empty() { own.to_owned() } else { format!("some have {}; {own}", keys.join(", ")) }
}

/// Returns the first property that `filter` demands and no article has.
///
/// # Errors
/// [`StoreError`]
pub(crate) async fn unknown_property(
    connection: &impl Sql,
    filter: &Filter,
) -> Result<Option<UnknownProperty>, StoreError> {
    for key in filter.keys() {
        let sql = "SELECT EXISTS (SELECT 1 FROM article_properties WHERE key = $1) AS n";
        if !connection.row::<bool>(sql, [key.into()]).await?.unwrap_or_default() {
            let known = connection.rows::<String>(KNOWN_KEYS, [(MAX_NAMES as i64).into()]).await?;
            return Ok(Some(UnknownProperty { key: key.to_owned(), known }));
        }
    }
    Ok(None)
}

impl Articles {
    /// Explains why a list or a search has found nothing, if it names a folder that has no article and had none that
    /// can be restored, or a property that no article has.
    ///
    /// # Errors
    /// [`ArticleError::Invalid`] for `folder` or `filter`, with some that there are.
    pub async fn must_be_known(&self, folder: &Folder, filter: &Filter) -> Result<(), ArticleError> {
        let reader = self.database.reader();
        if let Some(unknown) = unknown_property(reader, filter).await? {
            return Err(ArticleError::invalid("filter", unknown.to_string()));
        }
        let within = filter.folders().map(|folder| ("filter", folder));
        for (field, folder) in within.chain([("folder", folder.as_ref())]) {
            if !folder.is_empty() && !is_known(reader, folder).await? {
                return Err(ArticleError::invalid(field, unknown_folder(reader, folder).await?));
            }
        }
        Ok(())
    }
}

async fn unknown_folder(connection: &impl Sql, folder: &str) -> Result<String, StoreError> {
    let known = subfolders::of(connection, &Folder::default(), MAX_NAMES).await?;
    let known: Vec<_> = known.iter().map(|folder| format!("\"{folder}\"")).collect();
    let known =
        if known.is_empty() { "there are no folders".to_owned() } else { format!("there are {}", known.join(", ")) };
    Ok(format!("no article is in \"{folder}\"; {known}"))
}

async fn is_known(connection: &impl Sql, folder: &str) -> Result<bool, StoreError> {
    let within = within("folder", "$1");
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM articles WHERE {within})
             OR EXISTS (SELECT 1 FROM article_versions WHERE deleted AND {within}) AS n"
    );
    Ok(connection.row::<bool>(&sql, [folder.into()]).await?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use afterword_actors::store::{Database, OpenOptions};

    use super::*;

    #[tokio::test]
    async fn keys_are_told_without_a_look_at_each_article() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let options = OpenOptions::new(format!("sqlite://{}", path.display()));
        let database = Database::open(&options).await.expect("a database");
        crate::database::migrate(&database).await.expect("a schema");
        let explained = format!("EXPLAIN QUERY PLAN {KNOWN_KEYS}");
        let plan =
            database.reader().rows::<(i64, i64, i64, String)>(&explained, [20_i64.into()]).await.expect("a plan");
        let lines: Vec<_> = plan.iter().map(|(.., line)| line).filter(|line| line.contains(" INDEX ")).collect();
        assert!(!lines.is_empty() && lines.iter().all(|line| line.starts_with("SEARCH ")), "{plan:?}");
    }
}
