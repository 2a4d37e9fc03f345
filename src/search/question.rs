//! A question made ready: its terms and how rare they are, what it demands, and what was corrected.

use std::{collections::HashSet, sync::Arc};

use afterword_actors::store::{
    Database, StoreError,
    sql::{self, Sql},
};

use super::{
    Correction, Query,
    field::ParseContext,
    filter::Index,
    fusion::WordWorth,
    options::options,
    parse::{ParsedQuestion, names},
    spelling::{self, Corrected},
};
use crate::{
    articles::front_matter::named,
    fulltext::{self, Freshness, Languages, Lists, Lookups, SearchScope, Term, tokens},
};

/// A question.
pub(super) struct Question {
    /// Any of these may match.
    pub(super) terms: Vec<Term>,
    /// How rare each term is, in their order; never nothing.
    pub(super) rarity: Vec<f64>,
    /// What they can be worth together.
    pub(super) worth: WordWorth,
    /// What each term is worth in the ranking, in their order.
    pub(super) idf: Vec<f64>,
    /// Where they occur, if that was looked up; only the sums of it once that has been ranked.
    pub(super) lists: Option<Arc<Lists>>,
    /// The articles that may answer.
    pub(super) among: SearchScope,
    /// What the meaning is taken of, as it was written: a model reads slips well, and a word that no article has need
    /// not be one.
    pub(super) text: String,
    pub(super) corrections: Vec<Correction>,
    /// Words by which terms are called that may as well be others than those that were meant.
    pub(super) guesses: Vec<String>,
    /// Words and phrases that no article may have.
    pub(super) without: Vec<String>,
    pub(super) languages: Languages,
    /// Whether words of an earlier version are left in the index.
    pub(super) with_earlier: bool,
    /// Whether it only says which articles are meant.
    pub(super) is_listing: bool,
}

impl Question {
    /// Reads a question, `text`, about the articles that `query` is about.
    pub(super) async fn read(
        database: &Database,
        lookups: &Lookups,
        text: &str,
        query: &Query,
    ) -> Result<Self, StoreError> {
        let reader = database.reader();
        let freshness = Freshness::read(reader).await?;
        let (languages, with_earlier, now) = (freshness.languages(), freshness.with_earlier, freshness.now);
        let options = options(reader, &languages, with_earlier, text).await?;
        let known = ParseContext { now, keys: keys(reader, text).await?, options };
        let parsed = ParsedQuestion::read(text, &known);
        let index = Index { engine: database.engine(), languages: &languages, with_earlier };
        let among = index.among(query.folder.as_ref(), &query.filter, &parsed);
        let mut terms = terms(&parsed, &languages);
        let written = terms.len();
        terms.extend(Term::of_neighbours(&parsed.words.join(" "), &languages));
        let mut lists = lookups.look_up(database, &freshness, &terms).await?;
        let (mut frequencies, all) = frequencies(reader, &terms, lists.as_deref()).await?;
        // Neighbours are looked for as one word if articles have that; most are none.
        let meant: Vec<bool> =
            (0..).zip(&frequencies).map(|(place, articles)| place < written || *articles > 0).collect();
        retain(&mut terms, &meant);
        retain(&mut frequencies, &meant);
        // What no article has by the present rules may be in one that was written by others. And in another language
        // than the settings', a word that no article has is rather an inflection or a compound than a slip.
        let is_foreign = fulltext::language_of(tokens(text).iter().map(|token| token.word.as_str()))
            .is_some_and(|spoken| spoken.name() != freshness.language);
        let Corrected { corrections, guesses } = match with_earlier || is_foreign {
            true => Corrected::default(),
            false => spelling::correct(reader, &languages, &mut terms, &mut frequencies).await?,
        };
        if !corrections.is_empty() {
            lists = lookups.look_up(database, &freshness, &terms).await?;
        }
        // Looked for where it is, and not missed where it is not.
        let missed = |(term, articles): &(&Term, &i64)| **articles > 0 || !term.may_be_missing();
        let known: Vec<bool> = terms.iter().zip(&frequencies).map(|pair| missed(&pair)).collect();
        retain(&mut terms, &known);
        retain(&mut frequencies, &known);
        let rarity = frequencies.iter().map(|articles| rarity(*articles, all)).collect();
        let worth = worth(&frequencies, all);
        let idf = idf(database, &frequencies, all);
        let (text, without) = (parsed.text, parsed.without);
        let is_listing = text.trim().is_empty();
        Ok(Self {
            terms,
            rarity,
            worth,
            idf,
            lists,
            among,
            text,
            corrections,
            guesses,
            without,
            languages,
            with_earlier,
            is_listing,
        })
    }

    /// Lets go of where its terms occur: what has been found by them is judged by then, and waits for other questions,
    /// other servers and passages.
    pub(super) fn ranked(self) -> Self {
        let lists = self.lists.map(|lists| Arc::new(lists.sums()));
        Self { lists, ..self }
    }

    /// What an article that has this term has of the question for certain: its rarity, and nothing if it was guessed.
    pub(super) fn certainty(&self, term: usize) -> f64 {
        let is_guess = self.terms.get(term).is_some_and(|term| self.guesses.contains(&term.word));
        self.rarity.get(term).filter(|_| !is_guess).copied().unwrap_or_default()
    }

    /// A question about all articles but one, without terms yet.
    pub(super) fn about_others(freshness: &Freshness, id: i64) -> Self {
        Self {
            terms: Vec::new(),
            rarity: Vec::new(),
            worth: WordWorth::default(),
            idf: Vec::new(),
            lists: None,
            among: SearchScope::default().and("a.id <> $?1", [id.into()]),
            text: String::new(),
            corrections: Vec::new(),
            guesses: Vec::new(),
            without: Vec::new(),
            languages: freshness.languages(),
            with_earlier: freshness.with_earlier,
            is_listing: false,
        }
    }
}

/// Keeps those of which `kept` says so, in their order.
fn retain<T>(all: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    all.retain(|_| kept.next().copied().unwrap_or(true));
}

/// The keys of properties that the question may name, as articles have them.
async fn keys(connection: &impl Sql, question: &str) -> Result<HashSet<String>, StoreError> {
    let keys: Vec<_> = names(question).into_iter().map(|name| (named(name),)).collect();
    if keys.is_empty() {
        return Ok(HashSet::new());
    }
    let sql = "SELECT j.key FROM {rows $1: key TEXT} j
               WHERE EXISTS (SELECT 1 FROM article_properties p WHERE p.key = j.key)";
    Ok(connection.rows::<String>(sql, [sql::json(&keys)?]).await?.into_iter().collect())
}

/// In how many articles each term occurs, and how many there are.
async fn frequencies(
    connection: &impl Sql,
    terms: &[Term],
    lists: Option<&Lists>,
) -> Result<(Vec<i64>, i64), StoreError> {
    if terms.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let known = lists.and_then(|lists| {
        let frequencies: Option<Vec<_>> = terms.iter().map(|term| lists.frequency(term)).collect();
        Some((frequencies?, lists.all))
    });
    match known {
        Some(known) => Ok(known),
        None => fulltext::frequencies(connection, terms).await,
    }
}

fn terms(parsed: &ParsedQuestion, languages: &Languages) -> Vec<Term> {
    let mut terms = Term::all_of(&parsed.words.join(" "), languages);
    terms.extend(parsed.beginnings.iter().filter_map(|beginning| Term::beginning(beginning, languages)));
    let phrases = parsed.phrases.iter().map(|text| Term::phrase(languages.demanded(text), text));
    terms.extend(phrases.filter(|term| !term.alternatives.is_empty()));
    terms
}

/// Returns the weight of each term in the ranking, from how many of `all` articles have it.
pub(super) fn idf(database: &Database, frequencies: &[i64], all: i64) -> Vec<f64> {
    frequencies.iter().map(|articles| fulltext::idf(database.engine(), *articles as f64, all as f64)).collect()
}

/// Returns what terms can be worth that so many of `all` articles have.
pub(super) fn worth(frequencies: &[i64], all: i64) -> WordWorth {
    let found = || frequencies.iter().filter(|articles| **articles > 0);
    let greatest = found().map(|articles| rarity(*articles, all)).fold(0.0, f64::max);
    WordWorth { terms: found().count(), greatest, rarest: rarity(1, all) }
}

/// *Source:* Robertson, Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009; never below zero.
pub(super) fn rarity(articles: i64, all: i64) -> f64 {
    let (articles, all) = (articles as f64, all.max(articles) as f64);
    (1.0 + (all - articles + 0.5) / (articles + 0.5)).ln()
}
