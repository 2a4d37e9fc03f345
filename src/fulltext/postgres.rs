//! Terms in PostgreSQL: text-search vectors, ranked by BM25 as FTS5 does.
//!
//! PostgreSQL's own ranking does not know which words are rare, nor which texts are long. But of a single term it says
//! how often it occurs, and from there on it is arithmetic. *Source:* Robertson, Zaragoza, "The Probabilistic Relevance
//! Framework: BM25 and Beyond", 2009.
//!
//! Vectors are given term by term with their positions: no parser of PostgreSQL's has a say in what a term is.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
};

use afterword_actors::store::{
    StoreError,
    sql::{self, Sql, Value},
};

use super::{
    bm25::{B, K1},
    phrase::Phrase,
    search_scope::SearchScope,
    terms::Terms,
    wanted::Term,
    word_hit::{Part, TITLE_WEIGHT, WordHit},
};

/// Terms in one part of a text: positions in a text-search vector end at 16,383, and so would phrases.
const TERMS_PER_PART: usize = 8_000;
/// Terms of the next part that stand at the end of each, so that a phrase is found across that end.
const OVERLAP_TERMS: usize = 32;
/// A text-search vector keeps 256 places of a term: so many in a part, if those of the next are to be kept too.
const PLACES_PER_TERM: usize = 256 - OVERLAP_TERMS;
/// A text-search vector ends at a megabyte, which words of hashes or of addresses reach long before their positions
/// end. *Units:* bytes.
const PART_BYTES: usize = 1 << 18;

/// The number of articles: exact while there are few, then as PostgreSQL last counted.
const ARTICLE_COUNT: &str = "
    SELECT greatest(
        (SELECT count(*) FROM (SELECT 1 FROM article_terms WHERE part = 0 LIMIT 2000) few),
        (SELECT reltuples FROM pg_class WHERE oid = CAST('article_terms' AS regclass))) AS articles";

/// The usual length, from a thousand articles spread over all.
const AVERAGE: &str = "
    SELECT avg(w.length) AS length
    FROM (SELECT min(article_id) AS least, max(article_id) AS most FROM article_terms) ids
    CROSS JOIN LATERAL generate_series(ids.least, ids.most, (ids.most - ids.least) / 1000 + 1) sampled(id)
    JOIN article_terms w ON w.article_id = sampled.id AND w.part = 0";

/// Marks the terms of the title.
const TITLE_LABEL: &str = "A";
/// Marks terms that count in the next part: they stand behind all others, and are worth nothing to a rank.
const OVERLAP_LABEL: &str = "C";

/// Weights are those of unmarked terms, of `C`, of `B` and of `A`.
const RANK: &str = "
    CROSS JOIN LATERAL (SELECT ts_rank('{1, 0, 1, 1}', w.words, weighed.query) AS anywhere,
                               ts_rank('{1, 0, 1, 1}', w.title, weighed.query) AS in_title OFFSET 0) rank";

/// How often a term occurs, from its `rank`. Of a term that occurs n times, `ts_rank` makes the sum of 1/i² up to n, as
/// a share of π²/6; what is missing to π²/6 is nearly 1/(n + ½).
fn occurrences(rank: &str) -> String {
    format!("CASE WHEN {rank} = 0 THEN 0 ELSE floor(1 / (1.64493406685 * (1.0000001 - {rank}))) END")
}

pub(super) async fn index(transaction: &impl Sql, id: i64, title: &Terms, body: &Terms) -> Result<(), StoreError> {
    let length = i32::try_from(title.len() + body.len()).unwrap_or(i32::MAX);
    let (title, body): (Vec<_>, Vec<_>) = (title.iter().collect(), body.iter().collect());
    let parts: Vec<_> = parts(&title, &body).enumerate().collect();
    let parts = sql::json(&parts)?;
    transaction.run("DELETE FROM article_terms WHERE article_id = $1", [id.into()]).await?;
    transaction
        .run(
            "INSERT INTO article_terms (article_id, part, length, title, words)
             SELECT $1, j.part, $2, CASE WHEN j.part = 0 THEN CAST($3 AS tsvector) ELSE '' END, CAST(j.words AS tsvector)
             FROM {rows $4: part INTEGER, words TEXT} j",
            [id.into(), length.into(), vector(&[(1, &title, "")]).into(), parts],
        )
        .await
        .map(drop)
}

/// The text in parts, each as a vector with the beginning of the next; the title is in the first.
fn parts<'t>(title: &'t [&str], body: &'t [&str]) -> impl Iterator<Item = String> + 't {
    let mut rest = Some((title, body));
    std::iter::from_fn(move || {
        let (title, body) = rest?;
        let (part, behind) = body.split_at(part_of(title, body));
        rest = (!behind.is_empty()).then_some((&[], behind));
        // Two further on than the last of the title: no phrase reaches from it into the text.
        let first = if title.is_empty() { 1 } else { title.len() + 2 };
        let next = &behind[..behind.len().min(OVERLAP_TERMS)];
        Some(vector(&[(1, title, TITLE_LABEL), (first, part, ""), (first + part.len(), next, OVERLAP_LABEL)]))
    })
}

/// How many terms of `body` are a part of it behind `title`: at least one, if there is one.
fn part_of(title: &[&str], body: &[&str]) -> usize {
    let mut places: HashMap<&str, usize> = HashMap::new();
    title.iter().for_each(|term| *places.entry(term).or_default() += 1);
    let mut bytes = 0;
    let mut count = 0;
    for term in body.iter().take(TERMS_PER_PART) {
        bytes += term.len() + 8;
        let places = places.entry(term).or_default();
        *places += 1;
        if bytes > PART_BYTES || *places > PLACES_PER_TERM {
            break;
        }
        count += 1;
    }
    count.max(1).min(body.len())
}

/// Terms with their positions as PostgreSQL reads them: each stretch with its first position, and its mark. No term
/// holds a quotation mark.
fn vector(stretches: &[(usize, &[&str], &str)]) -> String {
    let mut places: BTreeMap<&str, String> = BTreeMap::new();
    for (first, terms, mark) in stretches {
        for (place, term) in (*first..).zip(*terms) {
            let places = places.entry(term).or_default();
            let separator = if places.is_empty() { ":" } else { "," };
            let _ = write!(places, "{separator}{place}{mark}");
        }
    }
    let words = places.into_iter().map(|(term, places)| format!("'{term}'{places}"));
    words.collect::<Vec<_>>().join(" ")
}

/// Any of the phrases, as a text-search query.
fn query(phrases: &[Phrase]) -> String {
    phrases.iter().map(phrase_query).collect::<Vec<_>>().join(" | ")
}

fn phrase_query(phrase: &Phrase) -> String {
    let prefix = if phrase.is_prefix { ":*" } else { "" };
    format!("('{}'{prefix})", phrase.terms.join("' <-> '"))
}

pub(super) async fn ranking(
    connection: &impl Sql,
    terms: &[Term],
    among: &SearchScope,
    limit: i64,
) -> Result<Vec<WordHit>, StoreError> {
    let (anywhere, in_title) = (occurrences("rank.anywhere"), occurrences("rank.in_title"));
    let filter = among.restricting("w.article_id", 4);
    let sql = format!(
        "WITH term AS MATERIALIZED (
             SELECT j.place, CAST(j.query AS tsquery) AS query, j.times
             FROM {{rows $1: place BIGINT, query TEXT, times DOUBLE PRECISION}} j
         ), worth AS MATERIALIZED (
             SELECT term.place, term.times * ln(1 + (greatest(total.articles, found.articles) - found.articles + 0.5)
                                                    / (found.articles + 0.5)) AS rarity
             FROM term
             CROSS JOIN LATERAL (SELECT count(DISTINCT w.article_id) AS articles FROM article_terms w
                                 WHERE w.words @@ term.query) found
             CROSS JOIN ({ARTICLE_COUNT}) total
         ), weighed AS MATERIALIZED (
             SELECT worth.place, worth.rarity, CAST(j.query AS tsquery) AS query, j.is_one
             FROM {{rows $3: place BIGINT, query TEXT, is_one BOOLEAN}} j JOIN worth ON worth.place = j.place
         ), counted AS (
             SELECT weighed.place, weighed.rarity, w.article_id, max(w.length) AS length,
                    sum(CASE WHEN weighed.is_one THEN {anywhere} + ({TITLE_WEIGHT} - 1) * {in_title}
                             ELSE 1 + rank.anywhere + CASE WHEN w.title @@ weighed.query THEN {TITLE_WEIGHT} - 1 ELSE 0 END
                        END) AS times
             FROM weighed JOIN article_terms w ON w.words @@ weighed.query {RANK}
             WHERE true {filter}
             GROUP BY weighed.place, weighed.rarity, w.article_id
         )
         SELECT c.article_id AS id, CAST(sum(c.rarity * c.times * (1 + {K1})
             / (c.times + {K1} * (1 - {B} + {B} * c.length / greatest(usual.length, 1)))) AS DOUBLE PRECISION) AS score
         FROM counted c CROSS JOIN ({AVERAGE}) usual
         GROUP BY c.article_id ORDER BY score DESC, c.article_id LIMIT $2"
    );
    let queries: Vec<_> =
        terms.iter().enumerate().map(|(place, term)| (place, query(&term.alternatives), term.times)).collect();
    // Of a beginning, the rank is the sum over all terms that begin so: it may be above 1, and counts nothing.
    let is_one = |phrase: &Phrase| phrase.terms.len() == 1 && !phrase.is_prefix;
    let alternatives = terms.iter().enumerate().flat_map(|(place, term)| {
        term.alternatives.iter().map(move |phrase| (place, phrase_query(phrase), is_one(phrase)))
    });
    let alternatives: Vec<_> = alternatives.collect();
    let values =
        [sql::json(&queries)?, limit.into(), sql::json(&alternatives)?].into_iter().chain(among.values.clone());
    connection.rows(&sql, values).await
}

pub(super) async fn average_length(connection: &impl Sql) -> Result<f64, StoreError> {
    let sql = format!("SELECT CAST(usual.length AS DOUBLE PRECISION) AS length FROM ({AVERAGE}) usual");
    Ok(connection.row::<Option<f64>>(&sql, []).await?.flatten().unwrap_or_default())
}

pub(super) fn having(phrases: &[Phrase], part: Part) -> (String, Vec<Value>) {
    let has = has(part, "CAST($?1 AS tsquery)");
    (format!("a.id IN (SELECT w.article_id FROM article_terms w WHERE {has})"), vec![query(phrases).into()])
}

/// All of several, each of which is any of some phrases: one condition, because the time to plan grows with the square
/// of their number, and more.
pub(super) fn having_all(texts: &[Vec<Phrase>], part: Part) -> (String, Vec<Value>) {
    let has = has(part, "asked.query");
    let condition = format!(
        "a.id IN (SELECT w.article_id
                  FROM (SELECT number, CAST(query AS tsquery) AS query
                        FROM unnest(string_to_array(CAST($?1 AS TEXT), chr(10))) WITH ORDINALITY AS j (query, number)) asked
                  JOIN article_terms w ON {has}
                  GROUP BY w.article_id HAVING count(DISTINCT asked.number) = $?2)"
    );
    // No term holds a line break.
    let queries: Vec<_> = texts.iter().map(|phrases| query(phrases)).collect();
    let count = i64::try_from(queries.len()).unwrap_or(i64::MAX);
    (condition, vec![queries.join("\n").into(), count.into()])
}

/// That `w` has what `query` asks for. Its words are those of the title, too, and have an index.
fn has(part: Part, query: &str) -> String {
    match part {
        Part::Anywhere => format!("w.words @@ {query}"),
        Part::Title => format!("w.words @@ {query} AND w.title @@ {query}"),
    }
}

pub(super) async fn frequencies(
    connection: &impl Sql,
    terms: &[impl AsRef<[Phrase]>],
) -> Result<(Vec<i64>, i64), StoreError> {
    let sql = format!(
        "SELECT j.place, found.articles, CAST(total.articles AS DOUBLE PRECISION) AS total
         FROM {{rows $1: place BIGINT, query TEXT}} j
         CROSS JOIN LATERAL (SELECT count(DISTINCT w.article_id) AS articles FROM article_terms w
                             WHERE w.words @@ CAST(j.query AS tsquery)) found
         CROSS JOIN ({ARTICLE_COUNT}) total"
    );
    let queries: Vec<_> = terms.iter().enumerate().map(|(place, term)| (place, query(term.as_ref()))).collect();
    let queries = sql::json(&queries)?;
    let (mut found, mut all) = (vec![0; terms.len()], 0);
    for (place, articles, total) in connection.rows::<(i64, i64, f64)>(&sql, [queries]).await? {
        all = total as i64;
        if let Some(found) = usize::try_from(place).ok().and_then(|place| found.get_mut(place)) {
            *found = articles;
        }
    }
    Ok((found, all))
}

pub(super) async fn present(connection: &impl Sql, id: i64, terms: &[Term]) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT DISTINCT j.place AS n FROM {rows $1: place BIGINT, query TEXT} j
               JOIN article_terms w ON w.article_id = $2 AND w.words @@ CAST(j.query AS tsquery)";
    let queries: Vec<_> = terms.iter().enumerate().map(|(place, term)| (place, query(&term.alternatives))).collect();
    connection.rows(sql, [sql::json(&queries)?, id.into()]).await
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn terms(text: &str) -> Vec<&str> {
        text.split_terminator(' ').collect()
    }

    #[test]
    fn a_vector_says_where_each_term_stands() {
        let (title, body) = (terms("b"), terms("a b a"));
        assert_eq!(vector(&[(1, &title, TITLE_LABEL), (3, &body, "")]), "'a':3,5 'b':1A,4");
        assert_eq!(parts(&title, &body).collect::<Vec<_>>(), ["'a':3,5 'b':1A,4"]);
        assert_eq!(parts(&[], &body).collect::<Vec<_>>(), ["'a':1,3 'b':2"]);
        assert_eq!(vector(&[]), "");
    }

    #[test]
    fn a_long_text_has_parts_and_an_empty_one_has_one() {
        assert_eq!(parts(&[], &[]).collect::<Vec<_>>(), [""]);
        let many: Vec<_> = (0..=TERMS_PER_PART).map(|n| format!("w{n}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert_eq!(parts(&[], &many[..TERMS_PER_PART]).count(), 1);
        assert_eq!(parts(&[], &many).count(), 2);
        let long = "x".repeat(100);
        assert!(parts(&terms("t"), &[long.as_str(); TERMS_PER_PART]).count() > 2);
        let endless = "x".repeat(PART_BYTES);
        assert_eq!(parts(&[], &[endless.as_str(); 3]).count(), 3);
    }

    proptest! {
        #[test]
        fn no_place_is_lost_and_the_next_terms_stand_behind_each_part(
            title in prop::collection::vec("[ab]", 0..300),
            body in prop::collection::vec("[a-d]|the", 0..2_000),
        ) {
            let (title, body): (Vec<_>, Vec<_>) =
                (title.iter().map(String::as_str).collect(), body.iter().map(String::as_str).collect());
            let (mut place, mut title_of_part) = (0, title.as_slice());
            for part in parts(&title, &body) {
                let places = |mark: &str| part.split([':', ',', ' ']).filter(|at| at.ends_with(mark)).count();
                let marked = places(TITLE_LABEL) + places(OVERLAP_LABEL);
                let all = part.split([':', ',', ' ']).filter(|at| at.starts_with(|c: char| c.is_ascii_digit())).count();
                prop_assert_eq!(places(TITLE_LABEL), title_of_part.len());
                title_of_part = &[];
                place += all - marked;
                prop_assert_eq!(places(OVERLAP_LABEL), (body.len() - place).min(OVERLAP_TERMS));
                for term in part.split(' ').filter(|term| !term.starts_with("'a'") && !term.starts_with("'b'")) {
                    prop_assert!(term.split(',').count() <= 256, "{}", term);
                }
            }
            prop_assert_eq!(place, body.len());
        }
    }
}
