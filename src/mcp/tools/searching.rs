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
    answers::{Embedding, MAX_TITLE_CHARS},
    filter, folder,
};
use crate::{
    api::{self, Mode},
    mcp::{access::who, budget, cursor, problem::Problem, schema, server::McpServer},
    search::{Query, SearchError},
};

/// Longest chain of headings in a hit. *Units:* characters.
const MAX_HEADINGS_CHARS: usize = 160;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchArticles {
    /// what you look for, in your words; "a phrase", -without, begin*, folder:, title:, slug:, tag:, created:>2026-01, updated:<7d
    query: Option<String>,
    /// more questions or, without query, all: up to five; one answer, each hit says which found it
    #[serde(default)]
    queries: Vec<String>,
    /// default hybrid: by words and by meaning
    mode: Option<Mode>,
    /// only this folder and below
    folder: Option<String>,
    /// as in list_articles
    filter: Option<String>,
    /// most hits; fewer come if they would not fit into 8 KB
    #[schemars(range(min = 1))]
    limit: Option<u32>,
    /// next_cursor of the last page
    cursor: Option<String>,
    /// most passages of one article, up to 10; default 1
    #[schemars(range(min = 1))]
    passages: Option<u32>,
    /// explain each hit's rank
    explain: Option<bool>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RelatedArticles {
    slug: String,
    #[schemars(range(min = 1))]
    limit: Option<u32>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Passage {
    /// section for read_article
    heading_path: String,
    snippet: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RelatedHit {
    slug: String,
    title: String,
    score: f64,
    snippet: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Related {
    hits: Vec<RelatedHit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    degraded: Option<String>,
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    questions: Vec<usize>,
    /// headings above the snippet
    heading_path: String,
    snippet: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    passages: Vec<Passage>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    terms: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reranked: Option<String>,
    embedding: Embedding,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Hits {
    hits: Vec<Hit>,
    mode: &'static str,
    /// why a part is missing: words alone if mode is keyword, else not reranked
    #[serde(skip_serializing_if = "Option::is_none")]
    degraded: Option<String>,
    /// the hits are the best there are, and may be about something else
    low_confidence: bool,
    no_good_match: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    corrections: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    without: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut_to: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weights: Option<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[tool_router(router = search_reading, vis = "pub(in crate::mcp)")]
impl McpServer {
    #[tool(
        description = "Find articles by words and by meaning: snippets, the best first.",
        input_schema = schema::input::<SearchArticles>(),
        output_schema = schema::output::<Hits>(),
        annotations(title = "Search articles", read_only_hint = true, open_world_hint = false)
    )]
    async fn search_articles(
        &self,
        Parameters(arguments): Parameters<SearchArticles>,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<Hits>, Problem> {
        let settings = &self.host.settings().search;
        let limit = arguments.limit.map_or(settings.default_limit, |limit| limit as usize);
        let (list, cursor) = (list_of(&arguments), arguments.cursor);
        let begin = cursor.map(|given| place(&list, &given, settings.max_limit)).transpose()?.unwrap_or(0);
        // One more than is shown tells whether there is a next page.
        let reach = begin.saturating_add(limit).saturating_add(1).min(settings.max_limit);
        let (text, others) = questions(arguments.query, arguments.queries)?;
        let query = Query {
            text,
            mode: arguments.mode.unwrap_or_default(),
            // What is no number of hits is refused as at every other door.
            limit: if (1..=settings.max_limit).contains(&limit) { reach } else { limit },
            folder: folder(arguments.folder.as_deref())?,
            filter: filter(arguments.filter.as_deref())?,
            passages: arguments.passages.map_or(1, |most| most as usize),
            explain: arguments.explain.unwrap_or_default(),
        };
        let (folder, filter) = (query.folder.clone(), query.filter.clone());
        let found = self.host.find(&who(&context), query, others).await?;
        if found.hits.is_empty() {
            self.host.articles.must_be_known(&folder, &filter).await?;
        }
        Ok(Json(page(found, &list, begin, limit)))
    }

    #[tool(
        description = "Find articles similar to one: near in meaning, with the same rare words.",
        input_schema = schema::input::<RelatedArticles>(),
        output_schema = schema::output::<Related>(),
        annotations(title = "Related articles", read_only_hint = true, open_world_hint = false)
    )]
    async fn related_articles(
        &self,
        Parameters(arguments): Parameters<RelatedArticles>,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<Related>, Problem> {
        let limit = arguments.limit.map_or(self.host.settings().search.default_limit, |limit| limit as usize);
        let found = match self.host.related(&who(&context), &arguments.slug, limit).await {
            Err(SearchError::NoArticle(slug)) => {
                self.found(&context, self.host.articles.linked(&slug).await)?;
                return Err(SearchError::NoArticle(slug).into());
            }
            found => found?,
        };
        let hits = budget::fitting(found.hits.into_iter().map(RelatedHit::from).collect());
        Ok(Json(Related { hits, degraded: found.degraded }))
    }
}

/// The question, and the others that are asked with it.
fn questions(query: Option<String>, queries: Vec<String>) -> Result<(String, Vec<String>), Problem> {
    let mut all = query.into_iter().chain(queries);
    let first = all.next().ok_or_else(|| Problem::new("query: is missing; send query, or several as queries"))?;
    Ok((first, all.collect()))
}

/// The name of the list of hits for a question and its conditions: a place in it is none in that of another question.
fn list_of(arguments: &SearchArticles) -> String {
    let SearchArticles { query, queries, mode, folder, filter, .. } = arguments;
    cursor::name(&(query, queries, mode.map(Mode::as_str), folder, filter))
}

/// Takes as many hits from `begin` on as fit into one answer.
fn page(found: api::SearchAnswer, list: &str, begin: usize, limit: usize) -> Hits {
    let total = found.hits.len();
    let hits = budget::fitting(found.hits.into_iter().skip(begin).take(limit).map(Hit::from).collect());
    let end = begin + hits.len();
    Hits {
        next_cursor: (end < total && !hits.is_empty()).then(|| cursor::encode(list, &end.to_string())),
        hits,
        mode: found.mode.as_str(),
        degraded: found.degraded,
        low_confidence: found.low_confidence,
        no_good_match: found.no_good_match,
        corrections: found.corrections.into_iter().map(correction).collect(),
        without: found.without,
        cut_to: found.cut_to,
        weights: found.weights.map(|weights| [rounded(weights.words), rounded(weights.meaning)]),
    }
}

fn correction(api::Correction { from, to }: api::Correction) -> String {
    format!("{from} → {to}")
}

fn term(api::TermShare { term, idf, times, share }: api::TermShare) -> String {
    format!("{term}: {:.0} % of the words (idf {idf:.2}, {times} times)", 100.0 * share)
}

fn reranked(api::Reranked { score, from, to, .. }: api::Reranked) -> String {
    format!("place {from} → {to} (score {score:.3})")
}

impl From<api::Hit> for RelatedHit {
    fn from(hit: api::Hit) -> Self {
        let title = budget::clip(&hit.title, MAX_TITLE_CHARS);
        Self { slug: hit.slug, title, score: rounded(hit.score), snippet: hit.snippet }
    }
}

impl From<api::Passage> for Passage {
    fn from(passage: api::Passage) -> Self {
        Self { heading_path: budget::clip(&passage.heading_path, MAX_HEADINGS_CHARS), snippet: passage.snippet }
    }
}

/// The place where a page begins: no answer goes on behind `most` hits.
fn place(list: &str, given: &str, most: usize) -> Result<usize, Problem> {
    let place = cursor::decode_number(list, given)?;
    if place < most { Ok(place) } else { Err(cursor::invalid()) }
}

impl From<api::Hit> for Hit {
    fn from(hit: api::Hit) -> Self {
        let why = hit.explanation;
        Self {
            reranked: why.as_ref().and_then(|why| why.reranked).map(reranked),
            slug: hit.slug,
            title: budget::clip(&hit.title, MAX_TITLE_CHARS),
            folder: hit.folder,
            score: rounded(hit.score),
            questions: hit.questions,
            similarity: hit.similarity.map(|similarity| rounded(f64::from(similarity))),
            heading_path: budget::clip(&hit.heading_path, MAX_HEADINGS_CHARS),
            snippet: hit.snippet,
            passages: hit.passages.into_iter().map(Passage::from).collect(),
            terms: why.map(|why| why.terms.into_iter().map(term).collect()).unwrap_or_default(),
            embedding: hit.embedding.into(),
        }
    }
}

/// Rounds: more digits tell an agent nothing.
fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}
