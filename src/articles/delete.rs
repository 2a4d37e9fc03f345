//! Deletes an article: its chunks, vectors, words and waiting task are removed in the same transaction. The last
//! revision is kept as a past one, so that a deletion can be undone.

use afterword_actors::store::{Transaction, events, sql::Sql, tasks};

use super::{
    Article, ArticleError,
    update::{self, Ending},
};

pub(crate) async fn delete(
    transaction: &Transaction,
    slug: &str,
    expected_revision: Option<i64>,
) -> Result<Article, ArticleError> {
    let present = update::present(transaction, slug, expected_revision).await?;
    update::archive(transaction, present.id, Ending::Deleted).await?;
    tasks::withdraw(transaction, present.id, "article deleted").await?;
    // Chunks, vectors and former slugs go by foreign key, words by trigger. An attempt that is running finds no
    // article.
    transaction.run("DELETE FROM articles WHERE id = $1", [present.id.into()]).await?;
    events::record_article_act(transaction, present.id, "article deleted", &present.slug).await?;
    Ok(present.into())
}
