//! The words of articles: written in the transaction that saves an article, matched by searches. The same on both
//! engines.
//!
//! A text becomes terms here (`tokens`), and the engines are given nothing else: FTS5 on SQLite, text-search vectors on
//! PostgreSQL, both ranked by BM25 over whole articles. It is given texts and knows no article service; what a search
//! is limited to comes as a condition (`SearchScope`).

mod bm25;
mod body;
mod earlier;
mod endings;
mod fold;
mod fts5;
mod joined;
mod languages;
mod matcher;
mod phrase;
mod postgres;
mod read_texts;
mod search_scope;
mod spoken;
mod sqlite;
mod state;
mod stems;
mod stop_words;
mod terms;
mod tokens;
mod unaccented;
mod wanted;
mod word_hit;

use std::{collections::HashMap, sync::Arc};

use afterword_actors::store::{
    Engine, StoreError,
    sql::{Sql, Value},
};

pub(crate) use bm25::{idf, worth};
pub(crate) use body::BodyTerms;
pub(crate) use earlier::some as some_earlier;
pub(crate) use languages::Languages;
pub(crate) use matcher::{Match, Matcher, merged};
pub(crate) use phrase::Phrase;
pub(crate) use read_texts::ReadTexts;
pub(crate) use search_scope::SearchScope;
pub(crate) use spoken::{is_little, language as language_of};
pub(crate) use sqlite::{Lists, Lookups};
pub(crate) use state::{Freshness, LANGUAGE, State, VERSION};
pub(crate) use stems::{Stems, is_known as is_language, languages, stem_of};
use tokens::Reading;
pub(crate) use tokens::{Token, is_unspaced, tokens};
pub(crate) use wanted::Term;
use word_hit::TITLE_TIMES;
pub(crate) use word_hit::{Part, WordHit};

/// Stands in an index between texts that do not belong together, so that no phrase reaches from one into the other. No
/// text has a term like it.
const SEPARATOR: &str = "¶";

/// What is searched of an article.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Texts<'t> {
    pub(crate) title: &'t str,
    /// What it is called besides, and what it says of itself: a word here counts as one in the title does.
    pub(crate) about: &'t [String],
    pub(crate) body: &'t str,
}

/// One of them.
pub(crate) struct TextPart<'t> {
    pub(crate) text: &'t str,
    /// An occurrence in it counts as so many.
    pub(crate) weight: u32,
    /// How many times it is written into the index, each time behind a mark.
    written: usize,
}

impl<'t> Texts<'t> {
    /// All texts, each with what it counts.
    pub(crate) fn parts(self) -> impl Iterator<Item = TextPart<'t>> {
        let weight = TITLE_TIMES as u32;
        let once = [(self.title, weight), (self.body, 1)];
        let once = once.into_iter().map(|(text, weight)| TextPart { text, weight, written: 0 });
        once.chain(self.about.iter().map(move |text| TextPart { text, weight, written: TITLE_TIMES }))
    }
}

impl TextPart<'_> {
    /// Terms in the index, if its text has so many.
    pub(crate) fn length(&self, terms: usize) -> usize {
        if self.written == 0 { terms } else { self.written * (terms + 1) }
    }
}

/// How many terms articles have on average, as a ranking by `lists` takes it.
///
/// # Errors
/// [`StoreError`]
pub(crate) async fn average_length(connection: &impl Sql, lists: Option<&Lists>) -> Result<f64, StoreError> {
    let average = match connection.engine() {
        Engine::Sqlite => sqlite::average_length(connection, lists).await?,
        Engine::Postgres => postgres::average_length(connection).await?,
    };
    Ok(average.max(1.0))
}

/// Writes what full-text search looks at of an article that is new, in a collection of this [`LANGUAGE`]. `body` is
/// that of `texts`.
///
/// # Errors
/// [`StoreError`]
pub(crate) async fn add(
    transaction: &impl Sql,
    id: i64,
    texts: Texts<'_>,
    body: BodyTerms,
    language: &str,
) -> Result<(), StoreError> {
    match write(transaction, &Stems::of(language), id, texts, body).await? {
        None => Ok(()),
        own => state::note_language(transaction, id, own).await,
    }
}

/// Writes what full-text search looks at; replaces what was there. `body` is that of `texts`.
///
/// # Errors
/// [`StoreError`]
pub(crate) async fn replace(
    transaction: &impl Sql,
    id: i64,
    texts: Texts<'_>,
    body: BodyTerms,
) -> Result<(), StoreError> {
    let stems = Stems::of(&State::read(transaction).await?.language);
    replace_by(transaction, &stems, id, texts, body).await
}

/// The same in a collection whose articles are by these stems if their own language is not known.
///
/// # Errors
/// [`StoreError`]
pub(crate) async fn replace_by(
    transaction: &impl Sql,
    stems: &Stems,
    id: i64,
    texts: Texts<'_>,
    body: BodyTerms,
) -> Result<(), StoreError> {
    let own = write(transaction, stems, id, texts, body).await?;
    state::note_language(transaction, id, own).await?;
    earlier::forget(transaction, id).await
}

/// Writes the terms of an article; returns its language if that is another than the collection's.
async fn write(
    transaction: &impl Sql,
    stems: &Stems,
    id: i64,
    texts: Texts<'_>,
    body: BodyTerms,
) -> Result<Option<&'static str>, StoreError> {
    let title = Reading::of(texts.title);
    let language = body.language(&title, stems.name());
    let own = (language != stems.name()).then(|| Stems::of_other(language));
    let stems = own.as_ref().unwrap_or(stems);
    let (title, mut body) = (title.terms(stems), body.by(stems, texts.body));
    for text in texts.about {
        let terms = Reading::of(text).terms(stems);
        for _ in 0..TITLE_TIMES {
            body.push(SEPARATOR);
            body.append(&terms);
        }
    }
    match transaction.engine() {
        Engine::Sqlite => sqlite::index(transaction, id, title, body).await?,
        Engine::Postgres => postgres::index(transaction, id, &title, &body).await?,
    }
    Ok(own.map(|own| own.name()))
}

/// What is looked for: terms of which any may match, and the text they were made of, for articles whose words were
/// written by an earlier version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WordQuery<'a> {
    pub(crate) terms: &'a [Term],
    pub(crate) text: &'a str,
    /// Whether there are any.
    pub(crate) with_earlier: bool,
    /// Where the terms occur, if that was looked up.
    pub(crate) lists: Option<&'a Arc<Lists>>,
}

/// Articles in `among`, the best first; equals in the order of their numbers.
///
/// # Errors
/// [`StoreError`]
pub(crate) async fn ranking(
    connection: &impl Sql,
    wanted: WordQuery<'_>,
    among: &SearchScope,
    limit: usize,
) -> Result<Vec<WordHit>, StoreError> {
    if wanted.terms.is_empty() {
        return Ok(Vec::new());
    }
    let count = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = match connection.engine() {
        Engine::Sqlite => sqlite::ranking(connection, wanted.terms, wanted.lists, among, limit).await?,
        Engine::Postgres => postgres::ranking(connection, wanted.terms, among, count).await?,
    };
    if !wanted.with_earlier {
        return Ok(found);
    }
    let mut best: HashMap<i64, f64> = found.into_iter().map(|found| (found.id, found.score)).collect();
    for WordHit { id, score } in earlier::ranking(connection, wanted.text, among, count).await? {
        let known = best.entry(id).or_insert(score);
        *known = known.max(score);
    }
    let mut found: Vec<_> = best.into_iter().map(|(id, score)| WordHit { id, score }).collect();
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
    found.truncate(limit);
    Ok(found)
}

/// In how many articles each term occurs, and how many articles there are.
///
/// # Errors
/// [`StoreError`]
pub(crate) async fn frequencies(
    connection: &impl Sql,
    terms: &[impl AsRef<[Phrase]>],
) -> Result<(Vec<i64>, i64), StoreError> {
    match connection.engine() {
        Engine::Sqlite => sqlite::frequencies(connection, terms).await,
        Engine::Postgres => postgres::frequencies(connection, terms).await,
    }
}

/// A condition on an article `a`, and its values `$?1`, ….
pub(crate) type Condition = (String, Vec<Value>);

/// Conditions that hold together if an article has any of `texts`, each of which is any of some phrases. They are few,
/// however many texts there are: PostgreSQL takes more than twice as long to plan twice as many.
pub(crate) fn having_any(engine: Engine, texts: Vec<Vec<Phrase>>, part: Part, with_earlier: bool) -> Vec<Condition> {
    if with_earlier {
        return texts.iter().filter_map(|phrases| having(engine, phrases, part, with_earlier)).collect();
    }
    having(engine, &texts.concat(), part, with_earlier).into_iter().collect()
}

/// The same if an article has all of `texts`.
pub(crate) fn having_all(engine: Engine, texts: Vec<Vec<Phrase>>, part: Part, with_earlier: bool) -> Vec<Condition> {
    match engine {
        Engine::Postgres if !with_earlier && texts.len() > 1 => vec![postgres::having_all(&texts, part)],
        Engine::Postgres | Engine::Sqlite => {
            texts.iter().filter_map(|phrases| having(engine, phrases, part, with_earlier)).collect()
        }
    }
}

/// The condition that an article has any of `phrases`; `None` if there is none.
pub(crate) fn having(engine: Engine, phrases: &[Phrase], part: Part, with_earlier: bool) -> Option<Condition> {
    let phrase = phrases.first()?;
    let (condition, mut values) = match engine {
        Engine::Sqlite => sqlite::having(phrases, part),
        Engine::Postgres => postgres::having(phrases, part),
    };
    if !with_earlier || part == Part::Title {
        return Some((condition, values));
    }
    let (earlier, value) = earlier::having(engine, phrase);
    values.push(value);
    Some((format!("({condition} OR {earlier})"), values))
}

/// Which of `terms` occur in an article, by their places. `lists` says so if they were looked up.
///
/// # Errors
/// [`StoreError`]
pub(crate) async fn present(
    connection: &impl Sql,
    id: i64,
    terms: &[Term],
    lists: Option<&Lists>,
) -> Result<Vec<usize>, StoreError> {
    if let Some(present) = lists.and_then(|lists| lists.present(id, terms)) {
        return Ok(present);
    }
    let places = match connection.engine() {
        Engine::Sqlite => sqlite::present(connection, id, terms).await?,
        Engine::Postgres => postgres::present(connection, id, terms).await?,
    };
    Ok(places.into_iter().filter_map(|place| usize::try_from(place).ok()).collect())
}
