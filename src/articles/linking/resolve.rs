//! Resolves links.

use std::collections::HashSet;

use afterword_actors::store::sql::{self, FromRow, Sql};

use super::{
    files::Files,
    incoming,
    link_target::{LEADS_TO, LinkTarget},
};
use crate::{
    api::{Backlink, BrokenLink, CountedRows, OutgoingLink},
    articles::{
        ArticleError, Articles,
        links::{MAX_TARGET_BYTES, name},
        properties::{KNOWN_BY, alias_of},
        slug::{Slug, as_stored},
    },
    markdown::{Link, Mentions, is_attachment},
    offload,
};

#[derive(FromRow)]
struct LinkRow {
    target: String,
    anchor: String,
    form: String,
    slug: Option<String>,
    title: Option<String>,
}

/// Reads the links of `text`, which is shown, here, or, if that takes a while, on another thread.
async fn links_read(text: &str) -> Vec<Link> {
    if text.len() <= offload::SMALL_TEXT_BYTES {
        return Mentions::read(text).links;
    }
    let text = text.to_owned();
    offload::show(move |_| Mentions::read(&text).links).await
}

/// The first of each target and form; at most `limit`. Of longer targets none leads anywhere.
fn each_once(links: Vec<Link>, limit: usize) -> Vec<Link> {
    let mut seen = HashSet::new();
    let is_new =
        |link: &Link| link.target.len() <= MAX_TARGET_BYTES && seen.insert((link.form.as_str(), link.target.clone()));
    links.into_iter().filter(is_new).take(limit).collect()
}

#[derive(FromRow)]
struct LooseRow {
    article_id: i64,
    position: i64,
    slug: String,
    title: String,
    target: String,
    form: String,
    leads_to: Option<i64>,
}

/// Links looked at for each article that is returned, up to [`MAX_LOOKED_AT`].
const LOOKED_AT: u32 = 20;
/// Most links to one article that are looked at.
const MAX_LOOKED_AT: u32 = 5_000;
/// When all links that are returned have been found, others are counted up to this many links in all.
const MAX_COUNTED: usize = 50_000;
/// Links looked at together in a search for broken ones.
const LINKS_PER_LOOK: usize = 1_000;

impl Articles {
    /// Returns the article of this name, as links know it.
    ///
    /// # Errors
    /// [`ArticleError::NotFound`]
    pub async fn linked(&self, slug: &str) -> Result<LinkTarget, ArticleError> {
        let sql = format!("SELECT id, slug, title FROM articles WHERE id = {KNOWN_BY}");
        let found = self.database.reader().row(&sql, [as_stored(slug).as_ref().into(), alias_of(slug).into()]).await?;
        match found {
            Some(linked) => Ok(linked),
            None => self.add_similar_name(Err(ArticleError::not_found(slug))).await,
        }
    }

    /// Returns the links of an article, in the order of its text; at most `limit`.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn links_of(&self, article: &LinkTarget, limit: u32) -> Result<Vec<OutgoingLink>, ArticleError> {
        let reader = self.database.reader();
        let sql = format!(
            "SELECT l.target, l.anchor, l.form, a.slug, a.title
             FROM article_links l LEFT JOIN articles a ON a.id = {LEADS_TO}
             WHERE l.article_id = $1 ORDER BY l.position LIMIT $2 + 0"
        );
        let rows: Vec<LinkRow> = reader.rows(&sql, [article.id.into(), i64::from(limit).into()]).await?;
        self.with_files(article.id, rows).await
    }

    /// Returns where the links of a text lead, which need not be saved: each target once, in the order of the text; at
    /// most `limit`. Links to files lead from the file of `article`.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn links_in(
        &self,
        text: &str,
        article: Option<&LinkTarget>,
        limit: usize,
    ) -> Result<Vec<OutgoingLink>, ArticleError> {
        let links = each_once(links_read(text).await, limit);
        if links.is_empty() {
            return Ok(Vec::new());
        }
        let named: Vec<_> = links
            .iter()
            .enumerate()
            .map(|(position, link)| {
                let name = name(&link.target, link.form);
                let key = Slug::from_title(&name).to_string();
                (position, link.target.as_str(), link.form.as_str(), name, key)
            })
            .collect();
        let sql = format!(
            "SELECT l.target, '' AS anchor, l.form, a.slug, a.title
             FROM {{rows $1: position BIGINT, target TEXT, form TEXT, name TEXT, key TEXT}} l
             LEFT JOIN articles a ON a.id = {LEADS_TO} ORDER BY l.position"
        );
        let reader = self.database.reader();
        let rows: Vec<LinkRow> = reader.rows(&sql, [sql::json(&named)?]).await?;
        self.with_files(article.map_or(0, |article| article.id), rows).await
    }

    /// A link to a file leads to the article that came from the file, if there is one.
    async fn with_files(&self, article_id: i64, rows: Vec<LinkRow>) -> Result<Vec<OutgoingLink>, ArticleError> {
        let paths = rows.iter().map(|row| (article_id, row.form.as_str(), row.target.as_str()));
        let files = Files::of(self.database.reader(), paths).await?;
        let link = |row: LinkRow| {
            let file = files.at(article_id, &row.form, &row.target);
            let LinkRow { target, anchor, form, slug, title } = row;
            let (slug, title) = match file {
                Some(file) => (Some(file.slug.clone()), Some(file.title.clone())),
                None => (slug, title),
            };
            OutgoingLink { target, anchor, form, slug, title }
        };
        Ok(rows.into_iter().map(link).collect())
    }

    /// Returns the articles that link to an article, in the order of slugs; at most `limit`.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn backlinks(&self, article: &LinkTarget, limit: u32) -> Result<Vec<Backlink>, ArticleError> {
        let reader = self.database.reader();
        let looked_at = limit.saturating_mul(LOOKED_AT).min(MAX_LOOKED_AT);
        let mut backlinks: Vec<Backlink> = Vec::new();
        for link in incoming::to(reader, article, looked_at).await? {
            if let Some(last) = backlinks.last_mut()
                && last.slug == link.slug
            {
                last.links += 1;
                continue;
            }
            if backlinks.len() == limit as usize {
                break;
            }
            backlinks.push(Backlink { slug: link.slug, title: link.title, target: link.target, links: 1 });
        }
        Ok(backlinks)
    }

    /// Returns links that lead to no article, and to no attachment, in the order of creation of the articles that
    /// contain them; at most `limit`. The total is unknown when there are too many links to count.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn broken_links(&self, limit: u32) -> Result<CountedRows<BrokenLink>, ArticleError> {
        let (reader, mut broken, mut after) = (self.database.reader(), Vec::new(), (0_i64, 0_i64));
        let (mut total, mut looked_at) = (0_i64, 0_usize);
        let sql = format!(
            "SELECT l.article_id, l.position, a.slug, a.title, l.target, l.form, {LEADS_TO} AS leads_to
             FROM (SELECT * FROM article_links n WHERE (n.article_id, n.position) > ($1, $2)
                   ORDER BY n.article_id, n.position LIMIT {LINKS_PER_LOOK}) l
             JOIN articles a ON a.id = l.article_id ORDER BY l.article_id, l.position"
        );
        loop {
            let page: Vec<LooseRow> = reader.rows(&sql, [after.0.into(), after.1.into()]).await?;
            let Some(last) = page.last() else { return Ok(CountedRows { rows: broken, total: Some(total) }) };
            after = (last.article_id, last.position);
            looked_at += page.len();
            let loose: Vec<_> = page.into_iter().filter(|row| row.leads_to.is_none()).collect();
            let paths = loose.iter().map(|row| (row.article_id, row.form.as_str(), row.target.as_str()));
            let files = Files::of(reader, paths).await?;
            for LooseRow { article_id, slug, title, target, form, .. } in loose {
                if files.at(article_id, &form, &target).is_some() || is_attachment(&target) {
                    continue;
                }
                total += 1;
                if broken.len() < limit as usize {
                    broken.push(BrokenLink { slug, title, target, form });
                }
            }
            if broken.len() == limit as usize && looked_at >= MAX_COUNTED {
                return Ok(CountedRows { rows: broken, total: None });
            }
        }
    }
}
