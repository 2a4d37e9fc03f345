//! The best hits in the order that a reranker gives them, blended with their own (`docs/decisions/0208-…`). Whatever
//! fails, the order stays as it was, and the answer says why.

mod blend;
mod document;

use std::sync::Arc;

use afterword_actors::store::StoreError;

use self::{
    blend::{BlendedHit, blend},
    document::document,
};
use super::{Mode, Query, Search, Weights, chosen::Chosen, passages::Shape, question::Question, service::Rankings};
use crate::{api::Reranked, fulltext::Matcher, reranking::Reranker};

/// Longest passage that is sent. *Units:* characters.
const MAX_PASSAGE_CHARS: usize = 1_000;

impl Search {
    /// The same search with the order of a reranker, if there is one.
    #[must_use]
    pub fn reranking(self, reranker: Option<Arc<Reranker>>) -> Self {
        Self { reranker, ..self }
    }

    /// Returns the reranker, if there is one.
    pub fn reranker(&self) -> Option<&Reranker> {
        self.reranker.as_deref()
    }

    /// The reranker for a question in this mode: who asks by words alone wants no model.
    pub(super) fn reranker_for(&self, mode: Mode) -> Option<&Reranker> {
        self.reranker().filter(|_| mode != Mode::Keyword)
    }

    /// How many articles are needed: those that are shown, and those that the reranker orders. It orders as many
    /// whatever is shown, so that a longer answer begins with the shorter one.
    pub(super) fn reach(&self, query: &Query) -> usize {
        self.reranker_for(query.mode).map_or(query.limit, |reranker| reranker.top().max(query.limit))
    }

    /// What was chosen in its last order, as many as are shown; and why the reranker has no part in it, if it was to
    /// have one.
    pub(super) async fn ordered(
        &self,
        query: &Query,
        question: &Question,
        rankings: &Rankings,
        weights: Weights,
        mut chosen: Vec<Chosen>,
    ) -> Result<(Vec<Chosen>, Option<String>), StoreError> {
        let asks = !question.is_listing && !question.text.trim().is_empty();
        let Some(reranker) = self.reranker_for(query.mode).filter(|_| asks && chosen.len() > 1) else {
            chosen.truncate(query.limit);
            return Ok((chosen, None));
        };
        let rest = chosen.split_off(reranker.top().min(chosen.len()));
        let documents = self.documents(question, rankings, weights, &chosen).await?;
        let (mut chosen, told) = match reranker.scores(&question.text, &documents).await {
            Ok(scores) => (placed(chosen, &scores, reranker.weight()), None),
            Err(why) => {
                tracing::debug!(%why, "a search is not reranked");
                (chosen, Some(format!("not reranked: {why}")))
            }
        };
        chosen.extend(rest);
        chosen.truncate(query.limit);
        Ok((chosen, told))
    }

    /// What the reranker is to judge: the best passage of each.
    async fn documents(
        &self,
        question: &Question,
        rankings: &Rankings,
        weights: Weights,
        chosen: &[Chosen],
    ) -> Result<Vec<String>, StoreError> {
        let matcher = matcher(question);
        let shape = Shape { passages: 1, width: MAX_PASSAGE_CHARS };
        let mut passages = self.passages(shape, matcher, rankings, weights, chosen).await?;
        let document = |chosen: &Chosen| {
            let passage = passages.remove(&chosen.id).and_then(|passages| passages.into_iter().next());
            document(&chosen.article.title, passage.unwrap_or_default())
        };
        Ok(chosen.iter().map(document).collect())
    }
}

/// The question's own one serves for what is shown.
fn matcher(question: &Question) -> Matcher {
    Matcher::new(question.languages.clone(), question.terms.clone(), question.rarity.clone())
}

fn placed(chosen: Vec<Chosen>, scores: &[f64], weight: f64) -> Vec<Chosen> {
    let fused: Vec<_> = chosen.iter().map(|chosen| chosen.score).collect();
    let mut chosen: Vec<_> = chosen.into_iter().map(Some).collect();
    let placed = blend(&fused, scores, weight).into_iter().enumerate();
    let placed = placed.filter_map(|(to, BlendedHit { from, score, share })| {
        let mut one = chosen.get_mut(from)?.take()?;
        let (said, fused) = (scores.get(from).copied()?, one.score);
        let reranked = Reranked { score: said, share, fused, from: from + 1, to: to + 1 };
        (one.score, one.reranked) = (score, Some(reranked));
        Some(one)
    });
    placed.collect()
}
