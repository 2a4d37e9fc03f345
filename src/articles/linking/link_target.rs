//! The names by which links find an article, and where a name leads.

use std::collections::BTreeSet;

use afterword_actors::store::{
    StoreError,
    sql::{FromRow, Sql},
};

use crate::{
    articles::{Article, links::name, slug::Slug},
    markdown::Form,
};

/// SQL: the article that a link of this `key` and `name` leads to, unless it leads to a file; `l` is the link. What is
/// written exactly goes first: "C++" makes the slug of "C".
pub(super) const LEADS_TO: &str = "coalesce(
    (SELECT s.id FROM articles s WHERE s.slug = l.key AND l.key = l.name),
    (SELECT s.id FROM articles s WHERE s.slug = l.key AND s.title = l.name),
    (SELECT min(n.id) FROM articles n WHERE substr(n.title, 1, 200) = substr(l.name, 1, 200) AND n.title = l.name),
    (SELECT s.id FROM articles s WHERE s.slug = l.key),
    (SELECT f.article_id FROM slug_aliases f WHERE f.slug = l.key),
    (SELECT min(p.article_id) FROM article_properties p WHERE p.key = 'aliases' AND p.folded = l.key))";

/// An article as links know it.
#[derive(Debug, Clone, FromRow)]
pub struct LinkTarget {
    pub(super) id: i64,
    pub(super) slug: String,
    title: String,
}

impl From<&Article> for LinkTarget {
    fn from(article: &Article) -> Self {
        Self { id: article.id, slug: article.slug.clone(), title: article.title.clone() }
    }
}

impl LinkTarget {
    /// Returns the slug of each of its names: its slug, former slugs, aliases, title and files.
    pub(super) async fn keys(&self, connection: &impl Sql) -> Result<BTreeSet<String>, StoreError> {
        let sql = "SELECT slug AS name FROM slug_aliases WHERE article_id = $1
                   UNION ALL SELECT folded AS name FROM article_properties WHERE article_id = $1 AND key = 'aliases'
                   UNION ALL SELECT path AS name FROM article_sources WHERE article_id = $1";
        let names: Vec<String> = connection.rows(sql, [self.id.into()]).await?;
        let made = |text: &str| Slug::from_title(&name(text, Form::Wiki)).to_string();
        let known = names.iter().map(|known| made(known));
        Ok([self.slug.clone(), Slug::from_title(&self.title).to_string()].into_iter().chain(known).collect())
    }
}
