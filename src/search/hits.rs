//! The hits of an answer: which articles are shown, and with which passages.

use std::collections::HashMap;

use afterword_actors::store::StoreError;

use super::{
    Explanation, Hit, Passage, Query, Search, Weights,
    chosen::Chosen,
    explain,
    fusion::FusedHit,
    passages::{Chooser, MAX_SNIPPET_CHARS, Shape},
    question::Question,
    service::Rankings,
};
use crate::{
    articles::{EmbeddingState, NotedSummary, summaries},
    fulltext::Matcher,
};

/// Equals behind the last hit that may come before it by their slugs.
const MAX_EQUALS: usize = 100;

impl Search {
    /// The first `limit`; equals in the order of their slugs, so that it does not matter which was saved first. An
    /// article deleted since it was found is left out.
    pub(super) async fn choose(&self, fused: Vec<FusedHit>, limit: usize) -> Result<Vec<Chosen>, StoreError> {
        let last = fused.get(limit.saturating_sub(1)).map_or(f64::MIN, |last| last.score);
        let equals = fused.iter().skip(limit).take(MAX_EQUALS).take_while(|fused| fused.score >= last).count();
        let ids: Vec<_> = fused.iter().take(limit + equals).map(|fused| fused.id).collect();
        let articles = summaries(self.database.reader(), &ids).await?;
        let mut articles: HashMap<_, _> = articles.into_iter().map(|found| (found.id, found)).collect();
        let chosen = |FusedHit { id, score, words }: FusedHit| {
            let NotedSummary { article, vectors, .. } = articles.remove(&id)?;
            Some(Chosen { id, score, words, article, vectors, reranked: None })
        };
        let mut chosen: Vec<_> = fused.into_iter().take(limit + equals).filter_map(chosen).collect();
        chosen.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.article.slug.cmp(&b.article.slug)));
        chosen.truncate(limit);
        Ok(chosen)
    }

    pub(super) async fn hits(
        &self,
        query: &Query,
        question: Question,
        rankings: Rankings,
        weights: Weights,
        chosen: Vec<Chosen>,
    ) -> Result<Vec<Hit>, StoreError> {
        let is_listing = question.is_listing;
        let matcher = Matcher::new(question.languages, question.terms, question.rarity);
        let found: Vec<_> = chosen.iter().map(|chosen| (chosen.id, chosen.words)).collect();
        // A list has an order, and no ranking that could be explained.
        let mut explained = match query.explain && !is_listing {
            true => {
                explain::explain(&self.database, &matcher, (&question.idf, question.lists.as_deref()), &found).await?
            }
            false => HashMap::new(),
        };
        let shape = Shape { passages: query.passages, width: MAX_SNIPPET_CHARS };
        let mut passages = self.passages(shape, matcher, &rankings, weights, &chosen).await?;
        let near: HashMap<_, _> = rankings.meaning.iter().map(|near| (near.article_id, near.similarity)).collect();
        let hit = |Chosen { id, score, article, reranked, .. }: Chosen| {
            let mut passages = passages.remove(&id).unwrap_or_default().into_iter();
            let Passage { heading_path, snippet, matches, .. } = passages.next().unwrap_or_default();
            Hit {
                slug: article.slug,
                title: article.title,
                folder: article.folder,
                score,
                similarity: near.get(&id).copied(),
                questions: Vec::new(),
                heading_path,
                snippet,
                matches,
                passages: passages.collect(),
                explanation: explained.remove(&id).map(|why| Explanation { reranked, ..why }),
                embedding: article.embedding,
            }
        };
        Ok(chosen.into_iter().map(hit).collect())
    }

    /// The best passages of each article, the best first.
    pub(super) async fn passages(
        &self,
        shape: Shape,
        matcher: Matcher,
        rankings: &Rankings,
        weights: Weights,
        chosen: &[Chosen],
    ) -> Result<HashMap<i64, Vec<Passage>>, StoreError> {
        // Chunks of an older content may lack what was found.
        let is_embedded = |chosen: &Chosen| {
            let embedding = &chosen.article.embedding;
            embedding.status == EmbeddingState::Completed && !embedding.stale
        };
        let (embedded, others): (Vec<_>, Vec<_>) =
            chosen.iter().partition(|chosen| is_embedded(chosen) || chosen.words.is_none());
        let (embedded, without): (Vec<_>, Vec<_>) =
            embedded.into_iter().partition(|chosen: &&Chosen| chosen.vectors.is_some());
        let embedded: Vec<_> = embedded.into_iter().filter_map(|chosen| chosen.vectors.clone()).collect();
        let others: Vec<_> = without.into_iter().chain(others).map(|chosen| chosen.id).collect();
        let chooser = Chooser {
            database: &self.database,
            texts: &self.texts,
            matcher,
            weights,
            near: rankings.near.clone(),
            by_words: chosen.iter().filter(|chosen| chosen.words.is_some()).map(|chosen| chosen.id).collect(),
            shape,
        };
        chooser.choose(embedded, others, &rankings.meaning).await
    }
}
