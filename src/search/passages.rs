//! The passages of an article that answer: chosen among its chunks by words and meaning together.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use afterword_actors::{
    embedder::Vector,
    store::{
        Database, StoreError,
        sql::{self, FromRow, Sql},
    },
};

use super::{
    Weights,
    snippet::{self, Snippet},
    texts::{Chunk, Chunks, Edition, FoundIn, Texts},
    vectors::Nearest,
};
use crate::{
    api::Passage,
    articles::{VectorsNote, front_matter},
    fulltext::{Match, Matcher},
    offload,
};

/// Longest snippet. *Units:* characters.
pub(super) const MAX_SNIPPET_CHARS: usize = 240;
/// Chunks of one article that are weighed against each other, from its beginning; the nearest one is always among them.
/// What was found by words that none of them has is looked for in the body.
const MAX_CHUNKS: i32 = 60;
/// Of all bodies together, as much as snippets are looked for in. *Units:* bytes.
const SNIPPET_SOURCES: usize = 4 << 20;
/// Of one body, at most. *Units:* bytes.
const SNIPPET_SOURCE: usize = 1 << 20;

/// Which passages of an article are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// At most this many.
    pub(super) passages: usize,
    /// The longest. *Units:* characters.
    pub(super) width: usize,
}

/// What passages are chosen by.
pub(super) struct Chooser<'a> {
    pub(super) database: &'a Database,
    pub(super) texts: &'a Texts,
    pub(super) matcher: Matcher,
    pub(super) weights: Weights,
    /// The question as a vector, and whose vectors are compared with it.
    pub(super) near: Option<(i64, Vector)>,
    /// Articles that were found by their words.
    pub(super) by_words: HashSet<i64>,
    /// Which of each article.
    pub(super) shape: Shape,
}

/// The chunks of an article that are weighed against each other.
struct Candidates {
    /// From its beginning.
    first: Arc<Chunks>,
    /// Whether they were read by an earlier search.
    are_kept: bool,
    /// The nearest, if it is not among the first.
    beyond: Chunks,
    /// Whose vectors they have.
    model_id: i64,
    /// Whether the article has more of them.
    has_more: bool,
}

/// What was chosen among the chunks of an article.
struct ChosenPassages {
    passages: Vec<Passage>,
    /// Whether the question's words may stand further down only.
    may_be_below: bool,
}

#[derive(FromRow)]
struct ChunkRow {
    id: i64,
    article_id: i64,
    heading_path: String,
    text: String,
    vector: Vec<u8>,
}

impl Chooser<'_> {
    /// The best passages of each article, the best first. Chunks serve for those in `embedded`; of others the body is
    /// read.
    pub(super) async fn choose(
        self,
        embedded: Vec<VectorsNote>,
        others: Vec<i64>,
        nearest: &[Nearest],
    ) -> Result<HashMap<i64, Vec<Passage>>, StoreError> {
        let ids: Vec<_> = embedded.iter().map(|vectors| vectors.article_id).collect();
        let candidates = self.candidates(embedded, nearest).await?;
        let Self { database, matcher, weights, near, by_words, shape, .. } = self;
        let unread: usize = candidates.values().map(Candidates::unread).sum();
        let work = move || {
            let best =
                |(id, candidates): (i64, Candidates)| (id, candidates.best(&matcher, weights, near.as_ref(), shape));
            (candidates.into_iter().map(best).collect::<HashMap<_, _>>(), matcher)
        };
        let (mut best, matcher) = if unread <= offload::SMALL_TEXT_BYTES { work() } else { offload::run(work).await };
        // Chunks that have been removed meanwhile, or that hold nothing but markup, say nothing.
        best.retain(|_, best| best.passages.iter().any(|passage| !passage.snippet.is_empty()));
        let is_answered = |id: &i64| best.get(id).is_some_and(|best| !(best.may_be_below && by_words.contains(id)));
        let left: Vec<_> = ids.into_iter().filter(|id| !is_answered(id)).chain(others).collect();
        let mut passages: HashMap<_, _> = best.into_iter().map(|(id, best)| (id, best.passages)).collect();
        for (id, mut found) in in_bodies(database, &left, matcher, shape.width).await? {
            let has_words = found.iter().any(|passage| !passage.matches.is_empty());
            let of_chunks = passages.remove(&id).unwrap_or_default();
            // Without a word of the question, the beginning of the body says less than the chunks.
            if has_words || of_chunks.is_empty() {
                found.extend(of_chunks);
                found.truncate(shape.passages);
                passages.insert(id, found);
            } else {
                passages.insert(id, of_chunks);
            }
        }
        Ok(passages)
    }

    /// The chunks of these articles.
    async fn candidates(
        &self,
        embedded: Vec<VectorsNote>,
        nearest: &[Nearest],
    ) -> Result<HashMap<i64, Candidates>, StoreError> {
        let mut candidates = HashMap::new();
        let mut unread = Vec::new();
        for vectors in embedded {
            let edition = Edition::of(vectors, self.matcher.languages());
            match self.texts.of(&edition) {
                Some(first) => {
                    candidates.insert(edition.vectors.article_id, Candidates::of(&edition, first, true));
                }
                None => unread.push(edition),
            }
        }
        for (edition, first) in self.read(unread).await? {
            candidates.insert(edition.vectors.article_id, Candidates::of(&edition, Arc::clone(&first), false));
            self.texts.keep(edition, first);
        }
        self.add_nearest(&mut candidates, nearest).await?;
        Ok(candidates)
    }

    /// Reads the first chunks of articles.
    async fn read(&self, editions: Vec<Edition>) -> Result<Vec<(Edition, Arc<Chunks>)>, StoreError> {
        if editions.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT c.id, c.article_id, c.heading_path, c.text, c.vector
             FROM {{rows $1: article_id BIGINT, model_id BIGINT}} j CROSS JOIN article_chunks c
             WHERE c.article_id = j.article_id AND c.model_id = j.model_id AND c.position < {MAX_CHUNKS}
             ORDER BY c.article_id, c.position"
        );
        let wanted: Vec<_> =
            editions.iter().map(|edition| (edition.vectors.article_id, edition.vectors.model_id)).collect();
        let mut chunks: HashMap<i64, Vec<Chunk>> = HashMap::new();
        let wanted = sql::json(&wanted)?;
        for row in self.database.reader().rows::<ChunkRow>(&sql, [wanted]).await? {
            chunks.entry(row.article_id).or_default().push(row.into());
        }
        let with_chunks = |edition: Edition| {
            let chunks = chunks.remove(&edition.vectors.article_id).unwrap_or_default();
            (edition, Arc::new(Chunks::new(chunks)))
        };
        Ok(editions.into_iter().map(with_chunks).collect())
    }

    /// Adds the nearest chunk of each article that is not among its first.
    async fn add_nearest(
        &self,
        candidates: &mut HashMap<i64, Candidates>,
        nearest: &[Nearest],
    ) -> Result<(), StoreError> {
        let is_beyond = |near: &&Nearest| {
            let first = candidates.get(&near.article_id).map(|candidates| &candidates.first.all);
            first.is_some_and(|first| first.iter().all(|chunk| chunk.id != near.chunk_id))
        };
        let beyond: HashSet<_> = nearest.iter().filter(is_beyond).map(|near| near.chunk_id).collect();
        if beyond.is_empty() {
            return Ok(());
        }
        let sql = "SELECT c.id, c.article_id, c.heading_path, c.text, c.vector
                   FROM {ids $1} j CROSS JOIN article_chunks c WHERE c.id = j.id ORDER BY c.id";
        let ids = sql::json(&beyond)?;
        for row in self.database.reader().rows::<ChunkRow>(sql, [ids]).await? {
            if let Some(candidates) = candidates.get_mut(&row.article_id) {
                candidates.beyond = Chunks::new(vec![row.into()]);
            }
        }
        Ok(())
    }
}

impl From<ChunkRow> for Chunk {
    fn from(ChunkRow { id, heading_path, text, vector, .. }: ChunkRow) -> Self {
        Self::new(id, heading_path, text, &vector)
    }
}

impl Candidates {
    fn of(edition: &Edition, first: Arc<Chunks>, are_kept: bool) -> Self {
        let vectors = &edition.vectors;
        let (model_id, has_more) = (vectors.model_id, vectors.chunk_count > MAX_CHUNKS);
        Self { first, are_kept, beyond: Chunks::default(), model_id, has_more }
    }

    /// What has to be read now. *Units:* bytes.
    fn unread(&self) -> usize {
        let first: &[Chunk] = if self.are_kept { &[] } else { &self.first.all };
        first.iter().chain(&self.beyond.all).map(|chunk| chunk.text.len()).sum()
    }

    fn best(&self, matcher: &Matcher, weights: Weights, near: Option<&(i64, Vector)>, shape: Shape) -> ChosenPassages {
        let mut found = if self.are_kept { self.first.find_again(matcher) } else { self.first.find(matcher) };
        found.extend(self.beyond.find(matcher));
        let chunks: Vec<_> = self.first.all.iter().chain(&self.beyond.all).zip(found).collect();
        let query = near.filter(|(model_id, _)| *model_id == self.model_id).map(|(_, query)| query);
        let passage = |(place, similarity): (usize, Option<f32>)| {
            let (chunk, found) = &chunks[place];
            let (snippet, matches) = chunk.shown(found, matcher, shape.width);
            Passage { heading_path: chunk.heading_path.clone(), snippet, matches, similarity }
        };
        let passages = weigh(&chunks, matcher, weights, query).into_iter().take(shape.passages).map(passage).collect();
        let has_words = chunks.iter().any(|(_, found)| found.has_words());
        ChosenPassages { passages, may_be_below: self.has_more && !has_words && !matcher.terms().is_empty() }
    }
}

/// Places of the chunks with their cosines, the best first.
fn weigh(
    chunks: &[(&Chunk, FoundIn)],
    matcher: &Matcher,
    weights: Weights,
    query: Option<&Vector>,
) -> Vec<(usize, Option<f32>)> {
    let words =
        |(_, found): &(&Chunk, FoundIn)| worth(&found.text, matcher) + 0.5 * worth(&found.heading_path, matcher);
    let words: Vec<_> = chunks.iter().map(words).collect();
    let near: Vec<_> = chunks.iter().map(|(chunk, _)| similarity(chunk.vector.as_ref()?, query?)).collect();
    let most = words.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let nearest = near.iter().flatten().copied().fold(f32::MIN_POSITIVE, f32::max);
    let score = |place: usize| {
        let near = near[place].map_or(0.0, |near| f64::from((near / nearest).max(0.0)));
        weights.words * words[place] / most + weights.meaning * near
    };
    let mut order: Vec<_> = (0..chunks.len()).map(|place| (place, score(place))).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    order.into_iter().map(|(place, _)| (place, near[place])).collect()
}

/// What the terms that were found in a text are worth together; one that comes again is worth little more.
fn worth(found: &[Match], matcher: &Matcher) -> f64 {
    let mut counts = vec![0_u32; matcher.terms().len()];
    for found in found {
        counts[found.term] += 1;
    }
    let worth = |(term, count): (usize, &u32)| matcher.weight(term) * f64::from(*count) / (f64::from(*count) + 0.5);
    counts.iter().enumerate().map(worth).sum()
}

fn similarity(vector: &Vector, query: &Vector) -> Option<f32> {
    let (vector, query) = (vector.as_slice(), query.as_slice());
    (vector.len() == query.len()).then(|| vector.iter().zip(query).map(|(a, b)| a * b).sum())
}

/// The best passage of articles by their words alone.
async fn in_bodies(
    database: &Database,
    ids: &[i64],
    matcher: Matcher,
    width: usize,
) -> Result<HashMap<i64, Vec<Passage>>, StoreError> {
    let rows = beginnings(database, ids).await?;
    let size: usize = rows.iter().map(|(_, body)| body.len()).sum();
    let shown = move || {
        let shown = rows.into_iter().map(|(id, body)| {
            let Snippet { text, heading_path, matches } = snippet::snippet(front_matter::said(&body), &matcher, width);
            (id, vec![Passage { heading_path, snippet: text, matches, similarity: None }])
        });
        shown.collect()
    };
    Ok(if size <= offload::SMALL_TEXT_BYTES { shown() } else { offload::run(shown).await })
}

/// The beginnings of bodies, of each so much that all together are bounded, however many they are.
async fn beginnings(database: &Database, ids: &[i64]) -> Result<Vec<(i64, String)>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let share = (SNIPPET_SOURCES / ids.len()).min(SNIPPET_SOURCE);
    let sql = "SELECT id, substr(body, 1, CAST($2 AS INTEGER)) AS body FROM articles
               WHERE id IN (SELECT id FROM {ids $1} j)";
    let characters = i64::try_from(share).unwrap_or(i64::MAX);
    let mut rows = database.reader().rows::<(i64, String)>(sql, [sql::json(ids)?, characters.into()]).await?;
    // The database counts characters, and one may be four bytes.
    rows.iter_mut().for_each(|(_, body)| body.truncate(body.floor_char_boundary(share)));
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use afterword_actors::store::OpenOptions;

    use super::*;

    #[tokio::test]
    async fn snippets_are_looked_for_in_a_bounded_text_however_many_and_long_the_articles_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("a.db").display());
        let database = Database::open(&OpenOptions::new(url)).await.expect("a database");
        crate::database::migrate(&database).await.expect("a schema");
        let sql = "INSERT INTO articles (id, slug, title, body, content_hash, created_at, updated_at)
                   WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 300)
                   SELECT n, 'a-' || n, '', replace(hex(zeroblob(CASE WHEN n <= 8 THEN 400000 ELSE 10000 END)), '0', 'ж'),
                          'h', 0, 0 FROM s";
        database.write_connection().run(sql, []).await.expect("articles");
        for articles in [1, 2, 8, 40, 100, 300] {
            let ids: Vec<_> = (1..=articles).collect();
            let read = beginnings(&database, &ids).await.expect("texts");
            let size: usize = read.iter().map(|(_, body)| body.len()).sum();
            assert_eq!(read.len(), ids.len());
            assert!(size <= 4 << 20, "{size} bytes of {articles} articles");
            assert!(read.iter().all(|(_, body)| body.len() >= 8 << 10), "and of each a part");
        }
    }
}
