//! The terms of a question as FTS5 keeps them, read by this program, and ranked: by the formula of its `bm25`, which
//! looks each article's length up by itself, counts each term's articles anew, and takes articles that were replaced or
//! deleted for present ones (`docs/decisions/0203-…`).
//!
//! How often an article has a phrase or a beginning, FTS5 is asked. What is not understood is left to it: a layout of
//! another version. So is a question whose lists are too long to be kept in memory.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use afterword_actors::store::{Database, Engine, StoreError, sql::Sql};

use super::{
    super::{bm25, fts5, state::Freshness, wanted::Term, word_hit::WordHit},
    doclist::Posting,
    lengths::{ARTICLES_PER_BLOCK, CachedIndex, Lengths, State},
    pages::postings,
    phrases, structure,
};

/// The lists of one question's words, as FTS5 keeps them. *Units:* bytes.
const MOST_OF_WORDS: usize = 64 << 20;
/// Articles of all its phrases and beginnings: 32 MiB.
const MOST_OF_PHRASES: usize = 1 << 21;

/// What is known of the index from one search to the next.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    known: Mutex<Option<CachedIndex>>,
}

/// Where the terms of a question occur.
#[derive(Debug, Clone)]
pub(crate) struct Lists {
    /// Articles and how often they have it, in order, for each term.
    postings: HashMap<String, Arc<[Posting]>>,
    lengths: Arc<Lengths>,
    /// Articles that there are.
    pub(crate) all: i64,
    /// Terms that articles have on average.
    pub(crate) average: f64,
}

impl Lookups {
    /// Looks up `terms`, in an index that is as `freshness` or newer; `None` if it is not to be read so, or if that
    /// would be too much.
    ///
    /// # Errors
    /// [`StoreError`]
    pub(crate) async fn look_up(
        &self,
        database: &Database,
        freshness: &Freshness,
        terms: &[Term],
    ) -> Result<Option<Arc<Lists>>, StoreError> {
        if database.engine() != Engine::Sqlite {
            return Ok(None);
        }
        let alternatives = terms.iter().flat_map(|term| &term.alternatives);
        let names: HashSet<_> = alternatives.map(phrases::name).collect();
        let (of_phrases, words): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| name.starts_with('"'));
        if words.is_empty() && of_phrases.is_empty() {
            return Ok(None);
        }
        if let Some(lists) = self.kept(freshness, words.iter().chain(&of_phrases)) {
            return Ok(Some(Arc::new(lists)));
        }
        // Everything of one state.
        let transaction = database.reader().begin().await?;
        let lists = self.read(&transaction, &words, &of_phrases).await?;
        transaction.commit().await?;
        Ok(lists.map(Arc::new))
    }

    /// The lists as they were read before, if the index is as it was then.
    fn kept<'n>(&self, freshness: &Freshness, names: impl Iterator<Item = &'n String>) -> Option<Lists> {
        let (averages, structure) = (freshness.averages.as_ref()?, freshness.structure.as_ref()?);
        let is_same = |known: &CachedIndex| known.state.averages == *averages && known.state.structure == *structure;
        let known = self.known().filter(is_same)?;
        let postings = known.kept.of(names)?;
        Some(Lists::of_state(&known, postings))
    }

    async fn read(
        &self,
        connection: &impl Sql,
        words: &[String],
        of_phrases: &[String],
    ) -> Result<Option<Lists>, StoreError> {
        let Some(state) = state(connection).await? else { return Ok(None) };
        let known = CachedIndex::of(connection, state, self.known()).await?;
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known.clone());
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let of_words = postings(connection, &known.state.segments, &words, MOST_OF_WORDS).await?;
        let Some(mut postings) = of_words else { return Ok(None) };
        let of_phrases = phrases::postings(connection, &known, of_phrases, MOST_OF_PHRASES).await?;
        let Some(of_phrases) = of_phrases else { return Ok(None) };
        postings.extend(of_phrases);
        known.kept.keep(&postings);
        Ok(Some(Lists::of_state(&known, postings)))
    }

    fn known(&self) -> Option<CachedIndex> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub(super) async fn state(connection: &impl Sql) -> Result<Option<State>, StoreError> {
    let sql = "SELECT block FROM article_terms_data WHERE id IN ($1, $2) ORDER BY id";
    let blocks = connection.rows::<Vec<u8>>(sql, [fts5::AVERAGES.into(), fts5::STRUCTURE.into()]).await?;
    let Ok([averages, structure]) = <[Vec<u8>; 2]>::try_from(blocks) else {
        return Ok(None);
    };
    let numbers = structure::averages(&averages).zip(structure::segments(&structure).zip(structure::live(&structure)));
    Ok(numbers.map(|((written, terms_written), (segments, live))| State {
        structure,
        averages,
        segments,
        written,
        terms_written,
        live,
    }))
}

impl Lists {
    fn of_state(known: &CachedIndex, postings: HashMap<String, Arc<[Posting]>>) -> Self {
        let CachedIndex { state, lengths, .. } = known;
        Self { postings, lengths: Arc::clone(lengths), all: state.live, average: lengths.average() }
    }

    /// The sums alone, which say what a ranking was made of: where the terms occur may be much.
    pub(crate) fn sums(&self) -> Self {
        Self { postings: HashMap::new(), lengths: Arc::default(), all: self.all, average: self.average }
    }

    /// Occurrences in all of them.
    pub(super) fn len(&self) -> usize {
        self.postings.values().map(|postings| postings.len()).sum()
    }

    /// Which of `terms` an article has, by their places; `None` if not all were looked up.
    pub(in crate::fulltext) fn present(&self, id: i64, terms: &[Term]) -> Option<Vec<usize>> {
        let has = |term: &Term| Some(self.of(term)?.binary_search_by_key(&id, |posting| posting.0).is_ok());
        let has: Option<Vec<_>> = terms.iter().map(has).collect();
        Some(has?.into_iter().enumerate().filter_map(|(place, has)| has.then_some(place)).collect())
    }

    /// In how many articles a term occurs, if that was looked up.
    pub(crate) fn frequency(&self, term: &Term) -> Option<i64> {
        i64::try_from(self.of(term)?.len()).ok()
    }

    /// Articles that have any of a term's alternatives, and how often they have them together; `None` if not all were
    /// looked up.
    fn of(&self, term: &Term) -> Option<Cow<'_, [Posting]>> {
        let lists: Option<Vec<_>> =
            term.alternatives.iter().map(|phrase| Some(&**self.postings.get(&phrases::name(phrase))?)).collect();
        let mut lists: Vec<_> = lists?.into_iter().filter(|list| !list.is_empty()).collect();
        match lists.as_slice() {
            [] => Some(Cow::Borrowed(&[])),
            [only] => Some(Cow::Borrowed(only)),
            _ => {
                lists.sort_by_key(|list| std::cmp::Reverse(list.len()));
                Some(Cow::Owned(lists[1..].iter().fold(lists[0].to_vec(), |all, list| together(&all, list))))
            }
        }
    }

    /// Articles that have any of the terms, or the first of them; the best first, equals in the order of their numbers.
    /// `None` if not all of the terms were looked up.
    pub(super) fn ranking(&self, terms: &[Term], limit: Option<usize>) -> Option<Vec<WordHit>> {
        let lists: Option<Vec<_>> = terms.iter().map(|term| self.of(term)).collect();
        let lists = lists?;
        let mut weighted = Vec::new();
        for (term, postings) in terms.iter().zip(&lists) {
            let idf = bm25::idf(Engine::Sqlite, postings.len() as f64, self.all as f64);
            // One that was asked for twice counts twice.
            weighted.extend((0..term.times).map(|_| (idf, &**postings)));
        }
        let mut found = self.scored(weighted)?;
        let order = |a: &WordHit, b: &WordHit| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id));
        if let Some(limit) = limit.filter(|limit| *limit > 0 && *limit < found.len()) {
            found.select_nth_unstable_by(limit - 1, order);
            found.truncate(limit);
        }
        found.sort_unstable_by(order);
        Some(found)
    }

    /// Every article that has a term. The lists go side by side, over some thousand articles at a time.
    fn scored(&self, mut weighted: Vec<(f64, &[Posting])>) -> Option<Vec<WordHit>> {
        let mut found = Vec::new();
        let (mut scores, mut places) = (vec![0.0; ARTICLES_PER_BLOCK], Vec::new());
        while let Some(next) =
            weighted.iter().filter_map(|(_, postings)| postings.first()).map(|posting| posting.0).min()
        {
            let first = next - next.rem_euclid(ARTICLES_PER_BLOCK as i64);
            let lengths = self.lengths.page(next)?;
            for (idf, postings) in &mut weighted {
                let here = postings.partition_point(|posting| posting.0 < first + ARTICLES_PER_BLOCK as i64);
                let (taken, behind) = postings.split_at(here);
                *postings = behind;
                for &(id, times) in taken {
                    let place = (id - first) as usize;
                    if scores[place] == 0.0 {
                        places.push(place);
                    }
                    let (times, length) = (f64::from(times), f64::from(lengths[place].checked_sub(1)?));
                    scores[place] += bm25::worth(*idf, times, length, self.average);
                }
            }
            found.extend(
                places
                    .drain(..)
                    .map(|place| WordHit { id: first + place as i64, score: std::mem::take(&mut scores[place]) }),
            );
        }
        Some(found)
    }
}

/// Two lists as one: what both have, they have together.
fn together(one: &[Posting], other: &[Posting]) -> Vec<Posting> {
    let mut all = Vec::with_capacity(one.len() + other.len());
    let mut rest = one;
    for &(id, times) in other {
        let (before, behind) = rest.split_at(rest.partition_point(|posting| posting.0 < id));
        all.extend_from_slice(before);
        rest = behind;
        match rest.split_first() {
            Some((&(same, more), behind)) if same == id => {
                all.push((id, times + more));
                rest = behind;
            }
            _ => all.push((id, times)),
        }
    }
    all.extend_from_slice(rest);
    all
}
