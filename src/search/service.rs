//! The search service: what every door calls.

use std::{collections::HashMap, sync::Arc, time::Duration};

use afterword_actors::store::{Database, StoreError, sql::Sql};
use sea_orm::FromQueryResult;

use super::{
    Hit, Mode, Query, SearchAnswer, SearchError, answer,
    fusion::{Ranking, fuse},
    keyword,
    semantic::{self, NoMeaning, QueryModels},
    snippet::{self, Snippet},
    vectors::{Depth, Nearest, VectorIndex},
    words,
};
use crate::{articles::summaries, offload};

/// How searches are made.
#[derive(Debug, Clone)]
pub struct SearchSettings {
    /// Most hits of one answer.
    pub max_limit: usize,
    /// How much the words' ranking counts.
    pub keyword_weight: f64,
    /// How much the meaning's ranking counts.
    pub semantic_weight: f64,
    /// Damps the first ranks.
    pub rrf_k: f64,
    /// Articles taken from each ranking.
    pub candidates: usize,
    /// How long embedding the query may take; past it the answer is from words alone.
    pub query_deadline: Duration,
    /// A cosine below this is no good match.
    pub good_similarity: f32,
}

impl Default for SearchSettings {
    fn default() -> Self {
        Self {
            max_limit: 100,
            keyword_weight: 1.0,
            semantic_weight: 1.0,
            rrf_k: 60.0,
            candidates: 100,
            query_deadline: Duration::from_secs(2),
            good_similarity: 0.25,
        }
    }
}

/// Longest snippet. *Units:* characters.
const SNIPPET: usize = 240;
/// Of all bodies together, as much as snippets are looked for in. *Units:* characters.
const SNIPPET_SOURCES: usize = 4 << 20;
/// Of one body, at least and at most. *Units:* characters.
const SNIPPET_SOURCE: (usize, usize) = (32 << 10, 1 << 20);

/// Searches. Cheap to clone; clones share the index.
#[derive(Clone)]
pub struct Search {
    database: Database,
    models: Arc<dyn QueryModels>,
    index: Arc<VectorIndex>,
    settings: Arc<SearchSettings>,
}

/// Both rankings of one search.
#[derive(Default)]
struct Found {
    words: Vec<i64>,
    meaning: Vec<Nearest>,
    degraded: Option<String>,
}

impl Search {
    /// A service on `database`; the index is read at the first search.
    pub fn new(database: Database, models: Arc<dyn QueryModels>, settings: SearchSettings) -> Self {
        Self { database, models, index: Arc::default(), settings: Arc::new(settings) }
    }

    /// Searches what is committed now.
    ///
    /// # Errors
    /// [`SearchError`] if the query cannot be answered at all; a part that fails is said in
    /// [`SearchAnswer::degraded`].
    pub async fn search(&self, query: &Query) -> Result<SearchAnswer, SearchError> {
        self.check(query)?;
        let found = self.find(query).await?;
        let degraded = found.degraded.clone();
        let mode = if degraded.is_some() { Mode::Keyword } else { query.mode };
        let near = found.meaning.first().is_some_and(|best| best.similarity >= self.settings.good_similarity);
        let no_good_match = found.words.is_empty() && !near;
        let hits = self.hits(query, found).await?;
        Ok(SearchAnswer { hits, mode, degraded, no_good_match })
    }

    /// Reads the index now, so that the first search need not.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn warm_up(&self) -> Result<(), StoreError> {
        if let Some(active) = afterword_actors::store::models::active(self.database.reader()).await? {
            self.index.prepare(&self.database, active.id).await?;
        }
        Ok(())
    }

    fn check(&self, query: &Query) -> Result<(), SearchError> {
        let length = query.text.chars().count();
        if query.text.trim().is_empty() {
            return Err(SearchError::EmptyQuery);
        }
        if length > answer::MAX_QUERY {
            return Err(SearchError::QueryTooLong(length));
        }
        if query.limit == 0 || query.limit > self.settings.max_limit {
            return Err(SearchError::Limit(self.settings.max_limit));
        }
        Ok(())
    }

    async fn find(&self, query: &Query) -> Result<Found, SearchError> {
        // Two rankings that are merged go deeper than the answer.
        let depth = match query.mode {
            Mode::Hybrid => self.settings.candidates.max(query.limit),
            Mode::Keyword | Mode::Semantic => query.limit,
        };
        let words = async {
            match query.mode {
                Mode::Semantic => Ok(Vec::new()),
                Mode::Hybrid | Mode::Keyword => {
                    keyword::ranking(self.database.reader(), &query.text, query.folder.as_ref(), depth).await
                }
            }
        };
        let meaning = async {
            let request = semantic::Request {
                text: &query.text,
                folder: query.folder.as_ref(),
                depth: Depth { least: query.limit, most: depth },
                deadline: self.settings.query_deadline,
            };
            match query.mode {
                Mode::Keyword => Ok(Vec::new()),
                Mode::Hybrid | Mode::Semantic => {
                    semantic::ranking(&self.database, &self.index, &self.models, &request).await
                }
            }
        };
        let (words, meaning) = tokio::join!(words, meaning);
        let words = words?;
        match (meaning, query.mode) {
            (Ok(meaning), _) => Ok(Found { words, meaning, degraded: None }),
            (Err(NoMeaning::Store(error)), _) => Err(error.into()),
            (Err(NoMeaning::Degraded(reason)), Mode::Semantic) => Err(SearchError::NoMeaning(reason)),
            (Err(NoMeaning::Degraded(reason)), _) => {
                tracing::debug!(reason, "a search is answered from words alone");
                Ok(Found { words, degraded: Some(reason), ..Found::default() })
            }
        }
    }

    async fn hits(&self, query: &Query, found: Found) -> Result<Vec<Hit>, SearchError> {
        let near: Vec<_> = found.meaning.iter().map(|nearest| nearest.article_id).collect();
        let rankings = [
            Ranking { ids: &found.words, weight: self.settings.keyword_weight },
            Ranking { ids: &near, weight: self.settings.semantic_weight },
        ];
        let mut ranked = fuse(&rankings, self.settings.rrf_k);
        ranked.truncate(query.limit);
        let ids: Vec<_> = ranked.iter().map(|(id, _)| *id).collect();
        let mut articles: HashMap<_, _> = summaries(self.database.reader(), &ids).await?.into_iter().collect();
        let nearest: HashMap<_, _> = found.meaning.iter().map(|n| (n.article_id, *n)).collect();
        let chunks: Vec<_> = ids.iter().filter_map(|id| Some(nearest.get(id)?.chunk_id)).collect();
        let terms = words::terms(&query.text);
        let mut shown = self.places(&chunks, &terms).await?;
        let without: Vec<_> = ids.iter().copied().filter(|id| !shown.contains_key(id)).collect();
        shown.extend(self.places_in_bodies(&without, &terms).await?);
        // An article deleted since it was found is left out.
        Ok(ranked
            .into_iter()
            .filter_map(|(id, score)| {
                let article = articles.remove(&id)?;
                let similarity = nearest.get(&id).map(|nearest| nearest.similarity);
                let Snippet { heading_path, text: snippet } = shown.remove(&id).unwrap_or_default();
                Some(Hit {
                    slug: article.slug,
                    title: article.title,
                    folder: article.folder,
                    score,
                    similarity,
                    heading_path,
                    snippet,
                    embedding: article.embedding,
                })
            })
            .collect())
    }

    /// What is shown of these chunks, by article. One that has been removed meanwhile is missing, and so is one that
    /// holds nothing but markup.
    async fn places(&self, ids: &[i64], terms: &[String]) -> Result<HashMap<i64, Snippet>, StoreError> {
        #[derive(FromQueryResult)]
        struct Row {
            article_id: i64,
            heading_path: String,
            text: String,
        }
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = "SELECT article_id, heading_path, text FROM article_chunks
                   WHERE id IN (SELECT id FROM {ids $1} j)";
        let ids = serde_json::to_string(ids).unwrap_or_default();
        let rows = self.database.reader().rows::<Row>(sql, [ids.into()]).await?;
        let terms = terms.to_vec();
        let shown = move || {
            let shown = rows.into_iter().map(|Row { article_id, heading_path, text }| {
                (article_id, Snippet { heading_path, ..snippet::snippet(&text, &terms, SNIPPET) })
            });
            shown.filter(|(_, shown)| !shown.text.is_empty()).collect()
        };
        Ok(offload::run(shown).await)
    }

    /// What is shown of articles by their words alone.
    async fn places_in_bodies(&self, ids: &[i64], terms: &[String]) -> Result<HashMap<i64, Snippet>, StoreError> {
        #[derive(FromQueryResult)]
        struct Row {
            id: i64,
            body: String,
        }
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = "SELECT id, substr(body, 1, CAST($2 AS INTEGER)) AS body FROM articles
                   WHERE id IN (SELECT id FROM {ids $1} j)";
        let source = (SNIPPET_SOURCES / ids.len()).clamp(SNIPPET_SOURCE.0, SNIPPET_SOURCE.1);
        let source = i64::try_from(source).unwrap_or(i64::MAX);
        let ids = serde_json::to_string(ids).unwrap_or_default();
        let rows = self.database.reader().rows::<Row>(sql, [ids.into(), source.into()]).await?;
        let terms = terms.to_vec();
        let shown =
            move || rows.into_iter().map(|row| (row.id, snippet::snippet(&row.body, &terms, SNIPPET))).collect();
        Ok(offload::run(shown).await)
    }
}
