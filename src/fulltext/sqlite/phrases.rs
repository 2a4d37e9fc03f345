//! Phrases and beginnings: which articles have them, and how often, as FTS5 says.
//!
//! FTS5 tells no number of occurrences, but its `bm25` of one phrase alone is made of it, and of what is known here.

use std::{collections::HashMap, sync::Arc};

use afterword_actors::store::{
    Engine, StoreError,
    sql::{self, Sql},
};

use super::{
    super::{
        bm25::{self, B, K1},
        found::TITLE_WEIGHT,
        phrase::Phrase,
    },
    doclist::Posting,
    lengths::{Known, TOGETHER},
};

/// What a phrase is called among terms: no term holds a quotation mark.
pub(super) fn name(phrase: &Phrase) -> String {
    match phrase.terms.as_slice() {
        [one] if !phrase.is_prefix => one.clone(),
        _ => phrase.quoted(),
    }
}

/// Where each of `phrases`, by their names, occurs; `None` if that is not told.
pub(super) async fn postings(
    connection: &impl Sql,
    known: &Known,
    phrases: &[String],
) -> Result<Option<HashMap<String, Arc<[Posting]>>>, StoreError> {
    if phrases.is_empty() {
        return Ok(Some(HashMap::new()));
    }
    // In one value: a row for each takes longer to hand over than to read. The limit keeps the inner query one of its own, which
    // `bm25` needs.
    let sql = format!(
        "SELECT j.place,
                (SELECT group_concat(f.id || ' ' || f.score, ';')
                 FROM (SELECT rowid AS id, -bm25(article_terms, {TITLE_WEIGHT:.1}, 1.0) AS score
                       FROM article_terms WHERE article_terms MATCH j.phrase LIMIT -1) f) AS found
         FROM {{rows $1: place BIGINT, phrase TEXT}} j"
    );
    let asked: Vec<_> = phrases.iter().enumerate().collect();
    let rows = connection.rows::<(i64, Option<String>)>(&sql, [sql::json(&asked)?]).await?;
    let named = |(place, found): (i64, Option<String>)| {
        let phrase = phrases.get(usize::try_from(place).ok()?)?;
        Some((phrase.clone(), read(known, &found.unwrap_or_default())?.into()))
    };
    let postings: Option<HashMap<_, _>> = rows.into_iter().map(named).collect();
    Ok(postings.filter(|postings| postings.len() == phrases.len()))
}

/// Articles and how often they have a phrase, from its `bm25` in each.
fn read(known: &Known, found: &str) -> Option<Vec<Posting>> {
    let scores: Option<Vec<(i64, f64)>> = found.split_terminator(';').map(entry).collect();
    let mut scores = scores?;
    scores.sort_by_key(|(id, _)| *id);
    let (written, terms) = (known.state.written as f64, known.state.terms_written as f64);
    let idf = bm25::idf(Engine::Sqlite, scores.len() as f64, written);
    let times = |(id, score): (i64, f64)| {
        let place = id.rem_euclid(TOGETHER as i64) as usize;
        let length = f64::from(known.lengths.page(id)?[place].checked_sub(1)?);
        let norm = K1 * (1.0 - B + B * length * written / terms.max(1.0));
        let worth = score / idf;
        let times = worth * norm / (K1 + 1.0 - worth);
        Some((id, times.round().clamp(1.0, f64::from(u32::MAX)) as u32))
    };
    scores.into_iter().map(times).collect()
}

fn entry(entry: &str) -> Option<(i64, f64)> {
    let (id, score) = entry.split_once(' ')?;
    Some((id.parse().ok()?, score.parse().ok()?))
}
