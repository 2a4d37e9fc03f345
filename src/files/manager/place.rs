//! Where the articles of the other program are noted. What is known of one is found by its number there, which stays
//! when it is called otherwise.

use std::collections::HashMap;

use afterword_actors::store::{StoreError, sql::Sql};

use super::{
    super::source::{self, FileRecord},
    theirs::TheirArticle,
};
use crate::articles::Articles;

/// All that is known.
#[derive(Default)]
pub(super) struct Places {
    source: i64,
    records: HashMap<String, FileRecord>,
    /// The numbers there, by place.
    ids: HashMap<String, String>,
    /// The other way round.
    places: HashMap<String, String>,
}

/// Where an article is noted, and what is known of it.
#[derive(Clone)]
pub(super) struct ArticlePlace {
    pub(super) source: i64,
    pub(super) path: String,
    /// Its number there.
    pub(super) id: String,
    /// Whether that is noted.
    pub(super) is_marked: bool,
    pub(super) record: Option<FileRecord>,
}

impl Places {
    pub(super) async fn of(connection: &impl Sql, source: i64) -> Result<Self, StoreError> {
        let records = source::files(connection, source, "").await?;
        let ids = source::marks(connection, source).await?;
        Ok(Self {
            source,
            records: records.into_iter().map(|record| (record.path.clone(), record)).collect(),
            places: ids.iter().map(|(path, id)| (id.clone(), path.clone())).collect(),
            ids: ids.into_iter().collect(),
        })
    }

    /// The place of an article: where it was noted, else its slug; with its number if another has that.
    pub(super) fn place(&self, article: &TheirArticle) -> ArticlePlace {
        let (noted, called) = (self.places.get(&article.id), format!("{}.md", article.slug));
        let path = match noted {
            Some(path) => path.clone(),
            None if self.ids.contains_key(&called) => format!("{}-{}.md", article.slug, article.id),
            None => called,
        };
        let record = self.records.get(&path).cloned();
        ArticlePlace { source: self.source, path, id: article.id.clone(), is_marked: noted.is_some(), record }
    }
}

impl ArticlePlace {
    /// The same, with what is known of it by now.
    pub(super) async fn anew(self, articles: &Articles) -> Result<Self, StoreError> {
        let records = source::files(articles.database.reader(), self.source, &self.path).await?;
        Ok(Self { record: records.into_iter().find(|record| record.path == self.path), ..self })
    }

    pub(super) fn is_known_as(&self, other: &Self) -> bool {
        let noted = |place: &Self| place.record.as_ref().map(|record| (record.article_id, record.revision));
        noted(self) == noted(other)
    }

    /// Notes which article is at the place.
    pub(super) async fn mark(&self, connection: &impl Sql) -> Result<(), StoreError> {
        source::mark(connection, self.source, &self.path, &self.id).await
    }
}
