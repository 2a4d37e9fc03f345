//! Articles that were renamed, and whose front matter names their slug: their files need no other name.

use std::collections::HashSet;

use afterword_actors::store::{StoreError, sql::Sql};

use crate::articles::{front_matter::joined, row};

/// Those of `renamed`, numbers of articles, whose front matter names the slug.
pub(super) async fn naming(
    connection: &impl Sql,
    renamed: impl Iterator<Item = i64>,
) -> Result<HashSet<i64>, StoreError> {
    let mut naming = HashSet::new();
    for id in renamed {
        let Some(article) = row::by_id(connection, id).await? else { continue };
        let document = joined(&article.front_matter, &article.body);
        if document.fields().0.slug.is_some() {
            naming.insert(id);
        }
    }
    Ok(naming)
}
