//! Reading several articles at once, and what is around one.

use std::{collections::HashSet, sync::Arc};

use rmcp::{
    RoleServer,
    handler::server::wrapper::Parameters,
    schemars::{self, JsonSchema},
    service::RequestContext,
    tool, tool_router,
};
use serde::Deserialize;

use super::{
    filter, folder,
    surroundings::{LOOKED_AT, Surroundings, linked_from, links_to, nearest},
};
use crate::{
    api::Article,
    articles::ArticleError,
    mcp::{
        access::who,
        budget,
        excerpt::{self, Part},
        problem::Problem,
        schema,
        server::McpServer,
    },
    offload,
};

/// Most articles of one call.
const MAX_ARTICLES: usize = 20;
/// Most names that are looked at, each of which may match several articles.
const MAX_NAMED: usize = 50;
/// Longest list of articles that were not read. *Units:* characters.
const LONGEST_LEFT_OUT: usize = 1_000;
/// Most articles that are named as the nearest.
const MAX_NEAREST: usize = 5;
/// What stands between two articles. *Units:* bytes within JSON.
const SEPARATOR_BYTES: usize = 4;
/// What stands around the line that says why an article is not shown. *Units:* bytes within JSON.
const FENCE_BYTES: usize = 10;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadArticles {
    /// up to 20; * stands for anything, as in trains-*
    slugs: Option<Vec<String>>,
    /// instead of slugs: as in list_articles
    filter: Option<String>,
    /// with filter: only this folder and below
    folder: Option<String>,
    /// most characters of each; default: 8 KB shared by all
    #[schemars(range(min = 1))]
    limit: Option<u32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ArticleContext {
    slug: String,
    /// most characters; default and most 8 KB
    #[schemars(range(min = 1))]
    budget: Option<u32>,
}

#[tool_router(router = around_reading, vis = "pub(in crate::mcp)")]
impl McpServer {
    #[tool(
        description = "Read the beginnings of several articles at once.",
        input_schema = schema::input::<ReadArticles>(),
        annotations(title = "Read articles", read_only_hint = true, open_world_hint = false)
    )]
    async fn read_articles(
        &self,
        Parameters(arguments): Parameters<ReadArticles>,
        context: RequestContext<RoleServer>,
    ) -> Result<String, Problem> {
        let ArticleSelection { slugs, next, beyond } = self.meant(&arguments).await?;
        if slugs.is_empty() {
            return Ok("no article matches; list_articles shows what there is".to_owned());
        }
        let left_out = left_out(&next, beyond.as_deref());
        let mut room = budget::MAX_TEXT_BYTES
            - left_out.as_deref().map_or(0, |left_out| budget::length(left_out) + SEPARATOR_BYTES);
        let mut texts = Vec::with_capacity(slugs.len() + 1);
        for (at, slug) in slugs.iter().enumerate() {
            let _held = self.room(&context, slug).await?;
            // What one does not need, those after it share.
            let each = (room / (slugs.len() - at)).saturating_sub(SEPARATOR_BYTES);
            let text = match self.host.articles.read(slug).await {
                Ok(article) => beginning(Arc::new(article), arguments.limit, each).await?,
                Err(error @ ArticleError::NotFound { .. }) => {
                    let why = self.missing(&context, error).into_text();
                    format!(
                        "---\n{}\n---",
                        budget::line_within(&why, each.saturating_sub(FENCE_BYTES)).unwrap_or_default()
                    )
                }
                Err(error) => return Err(error.into()),
            };
            room = room.saturating_sub(budget::length(&text) + SEPARATOR_BYTES);
            texts.push(text);
        }
        texts.extend(left_out);
        Ok(texts.join("\n\n"))
    }

    #[tool(
        description = "An article's beginning, its links in both directions and the articles nearest to it.",
        input_schema = schema::input::<ArticleContext>(),
        annotations(title = "Article context", read_only_hint = true, open_world_hint = false)
    )]
    async fn article_context(
        &self,
        Parameters(arguments): Parameters<ArticleContext>,
        context: RequestContext<RoleServer>,
    ) -> Result<String, Problem> {
        let _held = self.room(&context, &arguments.slug).await?;
        let articles = &self.host.articles;
        let article = self.found(&context, articles.read(&arguments.slug).await)?;
        let linked = (&article).into();
        let most = MAX_NEAREST.min(self.host.settings().search.max_limit);
        let near = self.host.related(&who(&context), &article.slug, most).await?;
        let around = Surroundings {
            nearest: nearest(&near),
            links_to: links_to(&articles.links_of(&linked, LOOKED_AT).await?),
            linked_from: linked_from(&articles.backlinks(&linked, LOOKED_AT).await?),
        };
        let most = arguments.budget.map_or(usize::MAX, |budget| budget as usize).max(1);
        let article = Arc::new(article);
        let alone = beginning(Arc::clone(&article), None, most.min(budget::MAX_TEXT_BYTES)).await?;
        let around = around.within(most.min(budget::MAX_TEXT_BYTES), budget::length(&alone));
        let left = most.min(budget::MAX_TEXT_BYTES).saturating_sub(budget::length(&around) + 2);
        let text = beginning(article, None, left).await?;
        Ok(cut(&format!("{around}\n{text}"), most))
    }

    /// Returns the meant slugs.
    async fn meant(&self, arguments: &ReadArticles) -> Result<ArticleSelection, Problem> {
        let articles = &self.host.articles;
        let mut slugs = Vec::new();
        match &arguments.slugs {
            Some(_) if arguments.filter.is_some() || arguments.folder.is_some() => {
                return Err(Problem::new(
                    "slugs: are read instead of what filter and folder say; send one or the other",
                ));
            }
            Some(given) => {
                for name in given.iter().take(MAX_NAMED) {
                    match name.split_once('*') {
                        Some((start, _)) => {
                            let known = articles.slugs(start, MAX_ARTICLES * 50).await?;
                            slugs.extend(known.into_iter().filter(|slug| is_like(slug, name)));
                        }
                        None => slugs.push(name.clone()),
                    }
                }
            }
            None if arguments.filter.is_none() && arguments.folder.is_none() => {
                return Err(Problem::new("slugs: is missing; name slugs, or a filter or a folder"));
            }
            None => {
                let (folder, filter) = (folder(arguments.folder.as_deref())?, filter(arguments.filter.as_deref())?);
                let page = articles.list_where(&folder, &filter, None, 2 * MAX_ARTICLES as u32).await?;
                if page.articles.is_empty() {
                    articles.must_be_known(&folder, &filter).await?;
                }
                let seen = page.articles.len() as i64;
                let more = page.total.map_or_else(|| "many".to_owned(), |all| (all - seen).to_string());
                let slugs = page.articles.into_iter().map(|article| article.slug).collect();
                return Ok(ArticleSelection::of(slugs, page.next_cursor.is_some().then_some(more)));
            }
        }
        let mut seen = HashSet::new();
        slugs.retain(|slug| seen.insert(slug.clone()));
        let beyond = slugs.len().saturating_sub(2 * MAX_ARTICLES) + given_more(arguments);
        slugs.truncate(2 * MAX_ARTICLES);
        Ok(ArticleSelection::of(slugs, (beyond > 0).then(|| beyond.to_string())))
    }
}

/// Which articles a call means.
struct ArticleSelection {
    /// Those that it reads.
    slugs: Vec<String>,
    /// Those that the next one may read.
    next: Vec<String>,
    /// How many there are beyond these, if there are.
    beyond: Option<String>,
}

impl ArticleSelection {
    fn of(mut slugs: Vec<String>, beyond: Option<String>) -> Self {
        let next = slugs.split_off(slugs.len().min(MAX_ARTICLES));
        Self { slugs, next, beyond }
    }
}

/// Says which articles were not read.
fn left_out(next: &[String], beyond: Option<&str>) -> Option<String> {
    // Whole names, as many as there is room for.
    let mut length = 0;
    let fit = next.iter().take_while(|slug| {
        length += slug.len() + 2;
        length <= LONGEST_LEFT_OUT
    });
    let named: Vec<_> = fit.map(String::as_str).collect();
    let unnamed = next.len() - named.len();
    let named = (!named.is_empty()).then(|| format!("not read, ask for them as slugs: {}", named.join(", ")));
    let unnamed = (unnamed > 0).then(|| format!("{unnamed} of those that were asked for"));
    let more = beyond.map(|beyond| format!("{beyond} more match, list_articles shows them"));
    let said = [named, unnamed, more].into_iter().flatten().collect::<Vec<_>>().join("; ");
    (!said.is_empty()).then(|| format!("---\n{said}\n---"))
}

/// Counts the names that are not looked at.
fn given_more(arguments: &ReadArticles) -> usize {
    arguments.slugs.as_ref().map_or(0, Vec::len).saturating_sub(MAX_NAMED)
}

async fn beginning(article: Arc<Article>, limit: Option<u32>, room: usize) -> Result<String, Problem> {
    let limit = limit.map(|limit| limit as usize);
    let part = Part { section: None, offset: 0, limit, room, linked_from: String::new(), past: None };
    match article.body.len() {
        0..=offload::SMALL_TEXT_BYTES => excerpt::of(&article, &part),
        _ => offload::run(move || excerpt::of(&article, &part)).await,
    }
}

/// At most `most` characters, the last of which says that there was more.
fn cut(text: &str, most: usize) -> String {
    match text.chars().count() {
        0..=1 => text.to_owned(),
        count if count <= most => text.to_owned(),
        _ => format!("{}…", excerpt::first(text, most.saturating_sub(1))),
    }
}

/// Whether `slug` matches `pattern`, in which `*` stands for anything.
fn is_like(slug: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = slug.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn a_star_stands_for_anything() {
        for (slug, pattern, expected) in [
            ("night-trains", "night-*", true),
            ("night-trains", "*trains", true),
            ("night-trains", "n*t*s", true),
            ("night-trains", "*", true),
            ("night-trains", "day-*", false),
            ("night-trains", "*train", false),
            ("ab", "ab*ab", false),
        ] {
            assert_eq!(is_like(slug, pattern), expected, "{slug} {pattern}");
        }
    }
}
