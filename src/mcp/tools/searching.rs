//! Searching.

use rmcp::{
    RoleServer,
    handler::server::wrapper::{Json, Parameters},
    schemars::{self, JsonSchema},
    service::RequestContext,
    tool, tool_router,
};
use serde::{Deserialize, Serialize};

use super::{
    answers::{Embedding, TITLE},
    folder,
};
use crate::{
    mcp::{access::who, budget, cursor, door::Door, problem::Problem, schema},
    search::{self, Query},
};

/// Longest chain of headings in a hit. *Units:* characters.
const HEADINGS: usize = 160;

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Hybrid,
    Semantic,
    Keyword,
}

impl From<Mode> for search::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Hybrid => Self::Hybrid,
            Mode::Semantic => Self::Semantic,
            Mode::Keyword => Self::Keyword,
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchArticles {
    /// what you look for, in your words
    query: String,
    /// default hybrid: by words and by meaning
    mode: Option<Mode>,
    /// only this folder and below
    folder: Option<String>,
    /// most hits; fewer come if they would not fit into 8 KB
    limit: Option<u32>,
    /// next_cursor of the page before
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Hit {
    slug: String,
    title: String,
    folder: String,
    /// comparable within one answer only
    score: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    similarity: Option<f64>,
    /// headings above the snippet
    heading_path: String,
    snippet: String,
    embedding: Embedding,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Hits {
    hits: Vec<Hit>,
    mode: &'static str,
    /// why it was searched by words alone
    #[serde(skip_serializing_if = "Option::is_none")]
    degraded: Option<String>,
    /// the hits are the nearest there is, and not near
    no_good_match: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[tool_router(router = searching, vis = "pub(in crate::mcp)")]
impl Door {
    #[tool(
        description = "Find articles by words and by meaning: snippets, the best first. read_article gives more.",
        input_schema = schema::input::<SearchArticles>(),
        output_schema = schema::output::<Hits>(),
        annotations(title = "Search articles", read_only_hint = true, open_world_hint = false)
    )]
    async fn search_articles(
        &self,
        Parameters(asked): Parameters<SearchArticles>,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<Hits>, Problem> {
        let settings = &self.host.settings().search;
        let limit = asked.limit.map_or(settings.default_limit, |limit| limit as usize);
        let begin = asked.cursor.as_deref().map(place).transpose()?.unwrap_or(0);
        // One more than is shown tells whether there is a next page.
        let reach = (begin + limit + 1).min(settings.max_limit);
        let query = Query {
            text: asked.query,
            mode: asked.mode.map(Into::into).unwrap_or_default(),
            limit: if limit == 0 { 0 } else { reach },
            folder: folder(asked.folder.as_deref())?,
        };
        let turn = self.host.searches.take(&who(&context), 1).await;
        let found = self.host.search.search(&query).await?;
        drop(turn);
        if found.hits.is_empty() && self.host.articles.list(&query.folder, None, 1).await?.total == 0 {
            let folder = query.folder.as_ref();
            if !folder.is_empty() {
                return Err(Problem::new(format!(
                    "folder: holds no article: \"{folder}\"; list_folders shows those that do"
                )));
            }
        }
        let total = found.hits.len();
        let page: Vec<_> = found.hits.into_iter().skip(begin).take(limit).map(Hit::from).collect();
        let hits = budget::fitting(page);
        let end = begin + hits.len();
        Ok(Json(Hits {
            next_cursor: (end < total && !hits.is_empty()).then(|| cursor::encode(&end.to_string())),
            hits,
            mode: found.mode.as_str(),
            degraded: found.degraded,
            no_good_match: found.no_good_match,
        }))
    }
}

fn place(given: &str) -> Result<usize, Problem> {
    cursor::decode(given)?.parse().map_err(|_| cursor::invalid())
}

impl From<search::Hit> for Hit {
    fn from(hit: search::Hit) -> Self {
        Self {
            slug: hit.slug,
            title: budget::clipped(&hit.title, TITLE),
            folder: hit.folder,
            score: rounded(hit.score),
            similarity: hit.similarity.map(|similarity| rounded(f64::from(similarity))),
            heading_path: budget::clipped(&hit.heading_path, HEADINGS),
            snippet: hit.snippet,
            embedding: hit.embedding.into(),
        }
    }
}

/// More digits tell an agent nothing.
fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}
