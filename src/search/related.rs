//! More like this: articles near to one in meaning, that share its rarest words.

use std::collections::HashMap;

use afterword_actors::{
    embedder::Vector,
    store::{
        StoreError, models,
        sql::{FromRow, Sql},
    },
};

use super::{
    Mode, Query, Search, SearchAnswer, SearchError,
    question::Question,
    service::Rankings,
    vectors::{NoIndex, VectorQuery},
};
use crate::{
    articles::slug::as_stored,
    fulltext::{self, Freshness, Languages, Phrase, Term, WordQuery, tokens},
};

/// Words of an article that are looked for in others: the rarest, and the most frequent in it.
const MAX_WORDS: usize = 25;
/// Words of an article of which those are chosen.
const LOOKED_AT: usize = 300;
/// How much of a body is looked through. *Units:* characters.
const LOOKED_THROUGH: i64 = 20_000;

#[derive(FromRow)]
struct Subject {
    id: i64,
    title: String,
    body: String,
}

impl Search {
    /// Articles like the one of this slug, or of this former slug: the best first, without itself.
    ///
    /// # Errors
    /// [`SearchError::NoArticle`] if there is none; [`SearchError::Limit`] and [`SearchError::Store`].
    pub async fn related(&self, slug: &str, limit: usize) -> Result<SearchAnswer, SearchError> {
        if limit == 0 || limit > self.settings.max_limit {
            return Err(SearchError::Limit(self.settings.max_limit));
        }
        let subject = self.subject(slug).await?.ok_or_else(|| SearchError::NoArticle(slug.to_owned()))?;
        let freshness = Freshness::read(self.database.reader()).await?;
        let mut question = self.question_of(&subject, &freshness).await?;
        question.lists = self.lookups.look_up(&self.database, &freshness, &question.terms).await?;
        let depth = self.depth();
        let wanted = WordQuery {
            terms: &question.terms,
            text: &subject.title,
            with_earlier: question.with_earlier,
            lists: question.lists.as_ref(),
        };
        let words = fulltext::ranking(self.database.reader(), wanted, &question.among, depth).await?;
        let mut rankings = Rankings { words, depth, ..Rankings::default() };
        self.look(&subject, &question, &mut rankings).await?;
        let mode = if rankings.near.is_some() { Mode::Hybrid } else { Mode::Keyword };
        let query = Query::new(subject.title, mode, limit);
        let best = self.best(&query, question, rankings).await?;
        self.answer(&query, best).await
    }

    async fn subject(&self, slug: &str) -> Result<Option<Subject>, StoreError> {
        let sql = "SELECT id, title, substr(body, 1, CAST($2 AS INTEGER)) AS body FROM articles
                   WHERE id = coalesce((SELECT id FROM articles WHERE slug = $1),
                                       (SELECT article_id FROM slug_aliases WHERE slug = $1))";
        self.database.reader().row(sql, [as_stored(slug).as_ref().into(), LOOKED_THROUGH.into()]).await
    }

    /// The article as a question: what it says more often than others.
    async fn question_of(&self, subject: &Subject, freshness: &Freshness) -> Result<Question, StoreError> {
        let mut question = Question::about_others(freshness, subject.id);
        let counted = counted(&format!("{0} {0} {1}", subject.title, subject.body), &question.languages);
        let terms: Vec<_> = counted.iter().map(|(term, _)| term).collect();
        let (frequencies, all) = fulltext::frequencies(self.database.reader(), &terms).await?;
        let weighed = counted.into_iter().zip(frequencies).filter(|(_, articles)| *articles > 1);
        let mut weighed: Vec<_> = weighed
            .map(|((term, times), articles)| {
                let rarity = super::question::rarity(articles, all);
                (term, articles, rarity * times / (times + 1.2))
            })
            .collect();
        weighed.sort_by(|a, b| b.2.total_cmp(&a.2).then_with(|| a.0.word.cmp(&b.0.word)));
        weighed.truncate(MAX_WORDS);
        let frequencies: Vec<_> = weighed.iter().map(|(_, articles, _)| *articles).collect();
        question.rarity = frequencies.iter().map(|articles| super::question::rarity(*articles, all)).collect();
        question.worth = super::question::worth(&frequencies, all);
        question.idf = super::question::idf(&self.database, &frequencies, all);
        question.terms = weighed.into_iter().map(|(term, ..)| term).collect();
        Ok(question)
    }

    /// Looks for what is near to the middle of the article's chunks. Of one that is not embedded, words alone tell.
    async fn look(&self, subject: &Subject, question: &Question, rankings: &mut Rankings) -> Result<(), SearchError> {
        let Some(active) = models::active(self.database.reader()).await? else { return Ok(()) };
        let Some(middle) = self.middle(subject.id, active.id).await? else { return Ok(()) };
        let look = VectorQuery {
            model_id: active.id,
            near: &middle,
            among: &question.among,
            depth: rankings.depth,
            patience: self.settings.query_deadline,
        };
        match self.index.nearest(&self.database, look).await {
            Ok(nearest) => {
                rankings.meaning = nearest;
                rankings.near = Some((active.id, middle));
            }
            Err(error @ (NoIndex::Reading { .. } | NoIndex::Failed(_))) => rankings.degraded = Some(error.to_string()),
            Err(NoIndex::Store(error)) => return Err(error.into()),
        }
        Ok(())
    }

    async fn middle(&self, id: i64, model_id: i64) -> Result<Option<Vector>, StoreError> {
        let sql =
            "SELECT vector FROM article_chunks WHERE article_id = $1 AND model_id = $2 ORDER BY position LIMIT 200";
        let rows = self.database.reader().rows::<Vec<u8>>(sql, [id.into(), model_id.into()]).await?;
        let mut sum: Vec<f32> = Vec::new();
        for vector in rows.iter().filter_map(|bytes| Vector::from_bytes(bytes).ok()) {
            sum.resize(vector.as_slice().len(), 0.0);
            sum.iter_mut().zip(vector.as_slice()).for_each(|(sum, number)| *sum += number);
        }
        Ok(Vector::normalised(sum).ok())
    }
}

/// The terms of a text with how often each occurs, the most frequent first.
fn counted(text: &str, languages: &Languages) -> Vec<(Term, f64)> {
    let mut counts: HashMap<Vec<Phrase>, (String, f64)> = HashMap::new();
    for token in tokens(text).into_iter().filter(|token| !token.is_common()) {
        counts.entry(languages.alternatives(&token)).or_insert((token.word, 0.0)).1 += 1.0;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.1.total_cmp(&a.1.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(LOOKED_AT);
    let term = |(alternatives, (word, times)): (Vec<Phrase>, (String, f64))| {
        (Term { alternatives, word, times: 1, is_word: true }, times)
    };
    counts.into_iter().map(term).collect()
}
