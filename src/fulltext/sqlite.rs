//! Terms in SQLite: FTS5, ranked by BM25.

#[cfg(test)]
mod agreement;
mod doclist;
mod lengths;
mod lists;
mod pages;
mod phrases;
mod posting_cache;
mod structure;

use std::{collections::HashSet, sync::Arc};

use afterword_actors::store::{
    StoreError,
    sql::{self, Sql, Value},
};

use super::{
    fts5,
    phrase::Phrase,
    search_scope::SearchScope,
    terms::Terms,
    wanted::Term,
    word_hit::{Part, TITLE_WEIGHT, WordHit},
};
use crate::offload;
pub(crate) use lists::{Lists, Lookups};

/// Postings that are ranked where they are: moving them would take longer.
const MAX_POSTINGS_IN_PLACE: usize = 5_000;

pub(super) async fn index(transaction: &impl Sql, id: i64, title: Terms, body: Terms) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO article_terms (rowid, title, body) VALUES ($1, $2, $3)";
    transaction.later(sql, [id.into(), title.into_text().into(), body.into_text().into()]).await
}

pub(super) async fn ranking(
    connection: &impl Sql,
    terms: &[Term],
    lists: Option<&Arc<Lists>>,
    among: &SearchScope,
    limit: usize,
) -> Result<Vec<WordHit>, StoreError> {
    if let Some(lists) = lists
        && let Some(found) = ranked(lists, terms, among.is_everything().then_some(limit)).await
    {
        return sifted(connection, found, among, limit).await;
    }
    by_fts5(connection, terms, among, i64::try_from(limit).unwrap_or(i64::MAX)).await
}

async fn ranked(lists: &Arc<Lists>, terms: &[Term], limit: Option<usize>) -> Option<Vec<WordHit>> {
    if lists.len() <= MAX_POSTINGS_IN_PLACE {
        return lists.ranking(terms, limit);
    }
    let (lists, terms) = (Arc::clone(lists), terms.to_vec());
    offload::run(move || lists.ranking(&terms, limit)).await
}

/// The first `limit` that are in `among`.
async fn sifted(
    connection: &impl Sql,
    found: Vec<WordHit>,
    among: &SearchScope,
    limit: usize,
) -> Result<Vec<WordHit>, StoreError> {
    let Some(condition) = among.condition(2) else { return Ok(found) };
    let sql = format!("SELECT a.id AS n FROM {{ids $1}} j CROSS JOIN articles a WHERE a.id = j.id AND {condition}");
    let (mut kept, mut rest, mut count) = (Vec::new(), found.as_slice(), limit.max(1));
    while kept.len() < limit && !rest.is_empty() {
        let (looked_at, behind) = rest.split_at(count.min(rest.len()));
        rest = behind;
        count = count.saturating_mul(4);
        let ids: Vec<_> = looked_at.iter().map(|found| found.id).collect();
        let values = std::iter::once(sql::json(&ids)?);
        let within = connection.rows::<i64>(&sql, values.chain(among.values.clone())).await?;
        let within: HashSet<_> = within.into_iter().collect();
        kept.extend(looked_at.iter().filter(|found| within.contains(&found.id)));
    }
    kept.truncate(limit);
    Ok(kept)
}

async fn by_fts5(
    connection: &impl Sql,
    terms: &[Term],
    among: &SearchScope,
    limit: i64,
) -> Result<Vec<WordHit>, StoreError> {
    let filter = among.restricting("rowid", 3);
    let sql = format!(
        "SELECT rowid AS id, -bm25(article_terms, {TITLE_WEIGHT:.1}, 1.0) AS score
         FROM article_terms WHERE article_terms MATCH $1 {filter} ORDER BY score DESC, rowid LIMIT $2 + 0"
    );
    let values = [any_of(terms).into(), limit.into()].into_iter().chain(among.values.clone());
    connection.rows(&sql, values).await
}

/// Any of the terms; one that was asked for twice counts twice.
fn any_of(terms: &[Term]) -> String {
    let each = terms.iter().flat_map(|term| {
        let times = usize::try_from(term.times).unwrap_or(1);
        term.alternatives.iter().flat_map(move |phrase| std::iter::repeat_n(phrase.quoted(), times))
    });
    each.collect::<Vec<_>>().join(" OR ")
}

/// Any of these phrases.
fn any_phrase(phrases: &[Phrase]) -> String {
    phrases.iter().map(Phrase::quoted).collect::<Vec<_>>().join(" OR ")
}

pub(super) fn having(phrases: &[Phrase], part: Part) -> (String, Vec<Value>) {
    let expression = match part {
        Part::Anywhere => any_phrase(phrases),
        Part::Title => format!("title : ({})", any_phrase(phrases)),
    };
    let condition = "a.id IN (SELECT rowid FROM article_terms WHERE article_terms MATCH $?1)";
    (condition.to_owned(), vec![expression.into()])
}

pub(super) async fn frequencies(
    connection: &impl Sql,
    terms: &[impl AsRef<[Phrase]>],
) -> Result<(Vec<i64>, i64), StoreError> {
    let all = articles(connection).await?;
    let one = |phrases: &'_ [Phrase]| match phrases {
        [Phrase { terms, is_prefix: false }] if terms.len() == 1 => Some(terms[0].clone()),
        _ => None,
    };
    let mut found = vec![0; terms.len()];
    let single: Vec<_> = (terms.iter().enumerate())
        .filter_map(|(place, alternatives)| Some((place, one(alternatives.as_ref())?)))
        .collect();
    let sql = "SELECT j.place, v.doc AS articles FROM {rows $1: place BIGINT, term TEXT} j
               CROSS JOIN article_vocabulary v WHERE v.term = j.term";
    let values = sql::json(&single)?;
    for (place, articles) in connection.rows::<(i64, i64)>(sql, [values]).await? {
        if let Some(found) = usize::try_from(place).ok().and_then(|place| found.get_mut(place)) {
            *found = articles;
        }
    }
    let others: Vec<_> = (terms.iter().map(AsRef::as_ref).enumerate())
        .filter(|(_, alternatives)| !alternatives.is_empty() && one(alternatives).is_none())
        .map(|(place, alternatives)| (place, any_phrase(alternatives)))
        .collect();
    if !others.is_empty() {
        let sql = "SELECT j.place, (SELECT count(*) FROM article_terms WHERE article_terms MATCH j.query) AS articles
                   FROM {rows $1: place BIGINT, query TEXT} j";
        for (place, articles) in connection.rows::<(i64, i64)>(sql, [sql::json(&others)?]).await? {
            if let Some(found) = usize::try_from(place).ok().and_then(|place| found.get_mut(place)) {
                *found = articles;
            }
        }
    }
    Ok((found, all))
}

pub(super) async fn present(connection: &impl Sql, id: i64, terms: &[Term]) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT j.place AS n FROM {rows $1: place BIGINT, query TEXT} j
               WHERE EXISTS (SELECT 1 FROM article_terms WHERE article_terms MATCH j.query AND rowid = $2)";
    let phrases: Vec<_> =
        terms.iter().enumerate().map(|(place, term)| (place, any_phrase(&term.alternatives))).collect();
    connection.rows(sql, [sql::json(&phrases)?, id.into()]).await
}

/// How many articles there are. FTS5 keeps that; to count them would read a row for each.
async fn articles(connection: &impl Sql) -> Result<i64, StoreError> {
    let live = note(connection, fts5::STRUCTURE).await?.and_then(|block| structure::live(&block));
    match live {
        Some(live) => Ok(live),
        // A layout of another version: all that were ever written.
        None => Ok(averages(connection).await?.0),
    }
}

/// How many articles were ever written, and how many terms in all of them: what `bm25` goes by.
async fn averages(connection: &impl Sql) -> Result<(i64, i64), StoreError> {
    let averages = note(connection, fts5::AVERAGES).await?;
    Ok(averages.and_then(|block| structure::averages(&block)).unwrap_or_default())
}

async fn note(connection: &impl Sql, number: i64) -> Result<Option<Vec<u8>>, StoreError> {
    connection.row("SELECT block FROM article_terms_data WHERE id = $1", [number.into()]).await
}

/// As [`ranking`] takes it: of the articles that there are if `lists` were looked up, of all that were ever written if
/// not.
pub(super) async fn average_length(connection: &impl Sql, lists: Option<&Lists>) -> Result<f64, StoreError> {
    if let Some(lists) = lists {
        return Ok(lists.average);
    }
    let (articles, terms) = averages(connection).await?;
    Ok(terms as f64 / articles.max(1) as f64)
}
