//! The passages of an article that answer: chosen among its chunks by words and meaning together.

use std::collections::HashMap;

use afterword_actors::{
    embedder::Vector,
    store::{
        Database, StoreError,
        sql::{FromRow, Sql},
    },
};

use super::{
    Weights,
    snippet::{self, Snippet},
    vectors::Nearest,
};
use crate::{api::Passage, fulltext::Matcher, offload};

/// Longest snippet. *Units:* characters.
const SNIPPET: usize = 240;
/// Chunks of one article that are weighed against each other, from its beginning; the nearest one is always among them.
const CHUNKS: i64 = 60;
/// Of all bodies together, as much as snippets are looked for in. *Units:* characters.
const SNIPPET_SOURCES: usize = 4 << 20;
/// Of one body, at least and at most. *Units:* characters.
const SNIPPET_SOURCE: (usize, usize) = (32 << 10, 1 << 20);

/// What passages are chosen by.
pub(super) struct Chooser<'a> {
    pub(super) database: &'a Database,
    pub(super) matcher: Matcher,
    pub(super) weights: Weights,
    /// The question as a vector, and whose vectors are compared with it.
    pub(super) near: Option<(i64, Vector)>,
    /// Most passages of one article, the first included.
    pub(super) most: usize,
}

#[derive(FromRow)]
struct ChunkRow {
    article_id: i64,
    heading_path: String,
    text: String,
    vector: Option<Vec<u8>>,
}

impl Chooser<'_> {
    /// The best passages of each article, the best first. Chunks serve for those in `embedded`; of others the body is read.
    pub(super) async fn choose(
        self,
        embedded: &[i64],
        others: &[i64],
        nearest: &[Nearest],
    ) -> Result<HashMap<i64, Vec<Passage>>, StoreError> {
        let rows = self.chunks(embedded, nearest).await?;
        let Self { database, matcher, weights, near, most } = self;
        let query = near.map(|(_, vector)| vector);
        let size: usize = rows.iter().map(|row| row.text.len()).sum();
        let work = move || (by_article(rows, &matcher, weights, query.as_ref(), most), matcher);
        let (mut passages, matcher) = if size <= offload::SMALL { work() } else { offload::run(work).await };
        // Chunks that have been removed meanwhile, or that hold nothing but markup, say nothing.
        passages.retain(|_, passages| passages.iter().any(|passage| !passage.snippet.is_empty()));
        let left = embedded.iter().filter(|id| !passages.contains_key(id));
        let left: Vec<_> = left.chain(others).copied().collect();
        passages.extend(in_bodies(database, &left, matcher).await?);
        Ok(passages)
    }

    async fn chunks(&self, ids: &[i64], nearest: &[Nearest]) -> Result<Vec<ChunkRow>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let chunks: Vec<_> =
            nearest.iter().filter(|near| ids.contains(&near.article_id)).map(|near| near.chunk_id).collect();
        let (vector, model) = match &self.near {
            Some((model, _)) => ("c.vector", model.to_string()),
            None => ("NULL", "(SELECT id FROM embedding_models WHERE state = 'active')".to_owned()),
        };
        let sql = format!(
            "SELECT c.article_id, c.heading_path, c.text, {vector} AS vector
             FROM {{ids $1}} j CROSS JOIN article_chunks c
             WHERE c.article_id = j.id AND c.model_id = {model}
               AND (c.position < {CHUNKS} OR c.id IN (SELECT id FROM {{ids $2}} k))
             ORDER BY c.article_id, c.position"
        );
        let json = |ids: &[i64]| serde_json::to_string(ids).unwrap_or_default();
        self.database.reader().rows(&sql, [json(ids).into(), json(&chunks).into()]).await
    }
}

fn by_article(
    rows: Vec<ChunkRow>,
    matcher: &Matcher,
    weights: Weights,
    query: Option<&Vector>,
    most: usize,
) -> HashMap<i64, Vec<Passage>> {
    let mut chunks: HashMap<i64, Vec<ChunkRow>> = HashMap::new();
    for row in rows {
        chunks.entry(row.article_id).or_default().push(row);
    }
    let best = |rows: Vec<ChunkRow>| {
        let weighed = weigh(&rows, matcher, weights, query);
        let chosen = weighed.into_iter().take(most).map(|(place, similarity)| {
            let row = &rows[place];
            let Snippet { text, matches, .. } = snippet::snippet(&row.text, matcher, SNIPPET);
            Passage { heading_path: row.heading_path.clone(), snippet: text, matches, similarity }
        });
        chosen.collect()
    };
    chunks.into_iter().map(|(id, rows)| (id, best(rows))).collect()
}

/// Places of the chunks with their cosines, the best first.
fn weigh(rows: &[ChunkRow], matcher: &Matcher, weights: Weights, query: Option<&Vector>) -> Vec<(usize, Option<f32>)> {
    let words: Vec<_> =
        rows.iter().map(|row| worth(&row.text, matcher) + 0.5 * worth(&row.heading_path, matcher)).collect();
    let near: Vec<_> = rows.iter().map(|row| similarity(row.vector.as_deref()?, query?)).collect();
    let most = words.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let nearest = near.iter().flatten().copied().fold(f32::MIN_POSITIVE, f32::max);
    let score = |place: usize| {
        let near = near[place].map_or(0.0, |near| f64::from((near / nearest).max(0.0)));
        weights.words * words[place] / most + weights.meaning * near
    };
    let mut order: Vec<_> = (0..rows.len()).map(|place| (place, score(place))).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    order.into_iter().map(|(place, _)| (place, near[place])).collect()
}

/// What the terms in a text are worth together; one that comes again is worth little more.
fn worth(text: &str, matcher: &Matcher) -> f64 {
    let mut counts = vec![0_u32; matcher.terms().len()];
    for found in matcher.find(text).0 {
        counts[found.term] += 1;
    }
    let worth = |(term, count): (usize, &u32)| matcher.weight(term) * f64::from(*count) / (f64::from(*count) + 0.5);
    counts.iter().enumerate().map(worth).sum()
}

fn similarity(bytes: &[u8], query: &Vector) -> Option<f32> {
    let vector = Vector::from_bytes(bytes).ok()?;
    Some(vector.as_slice().iter().zip(query.as_slice()).map(|(a, b)| a * b).sum())
}

/// The best passage of articles by their words alone.
async fn in_bodies(
    database: &Database,
    ids: &[i64],
    matcher: Matcher,
) -> Result<HashMap<i64, Vec<Passage>>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT id, substr(body, 1, CAST($2 AS INTEGER)) AS body FROM articles
               WHERE id IN (SELECT id FROM {ids $1} j)";
    let source = (SNIPPET_SOURCES / ids.len()).clamp(SNIPPET_SOURCE.0, SNIPPET_SOURCE.1);
    let source = i64::try_from(source).unwrap_or(i64::MAX);
    let ids = serde_json::to_string(ids).unwrap_or_default();
    let rows = database.reader().rows::<(i64, String)>(sql, [ids.into(), source.into()]).await?;
    let size: usize = rows.iter().map(|(_, body)| body.len()).sum();
    let shown = move || {
        let shown = rows.into_iter().map(|(id, body)| {
            let Snippet { text, heading_path, matches } = snippet::snippet(&body, &matcher, SNIPPET);
            (id, vec![Passage { heading_path, snippet: text, matches, similarity: None }])
        });
        shown.collect()
    };
    Ok(if size <= offload::SMALL { shown() } else { offload::run(shown).await })
}
