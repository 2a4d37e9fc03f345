//! Phrases and beginnings: which articles have them, and how often, as FTS5 says.
//!
//! FTS5 tells no number of occurrences, but its `bm25` of one phrase alone is made of it, and of what is known here.

use std::{collections::HashMap, sync::Arc};

use afterword_actors::store::{Engine, StoreError, sql::Sql};

use super::{
    super::{
        bm25::{self, B, K1},
        phrase::Phrase,
        word_hit::TITLE_WEIGHT,
    },
    doclist::Posting,
    lengths::{ARTICLES_PER_BLOCK, CachedIndex},
};
use crate::offload;

/// What a phrase is called among terms: no term holds a quotation mark.
pub(super) fn name(phrase: &Phrase) -> String {
    match phrase.terms.as_slice() {
        [one] if !phrase.is_prefix => one.clone(),
        _ => phrase.quoted(),
    }
}

/// Where each of `phrases`, by their names, occurs; `None` if that is not told, or if they are more than `room`
/// articles together. One after the other, because FTS5's answer about one takes more memory than what is made of it.
pub(super) async fn postings(
    connection: &impl Sql,
    known: &CachedIndex,
    phrases: &[String],
    mut room: usize,
) -> Result<Option<HashMap<String, Arc<[Posting]>>>, StoreError> {
    let mut postings = HashMap::with_capacity(phrases.len());
    for phrase in phrases {
        let found = scores(connection, phrase, room).await?;
        let Some(list) = read(known, found).await else { return Ok(None) };
        let Some(left) = room.checked_sub(list.len()) else { return Ok(None) };
        room = left;
        postings.insert(phrase.clone(), list);
    }
    Ok(Some(postings))
}

/// Articles that have a phrase, each with its `bm25`; of more than `room` of them one more.
async fn scores(connection: &impl Sql, phrase: &str, room: usize) -> Result<String, StoreError> {
    // In one value: a row for each takes longer to hand over than to read. The limit keeps the inner query one of its
    // own, which `bm25` needs.
    let sql = format!(
        "SELECT group_concat(f.id || ' ' || f.score, ';') AS found
         FROM (SELECT rowid AS id, -bm25(article_terms, {TITLE_WEIGHT:.1}, 1.0) AS score
               FROM article_terms WHERE article_terms MATCH $1 LIMIT $2 + 0) f"
    );
    let limit = i64::try_from(room).unwrap_or(i64::MAX).saturating_add(1);
    let found = connection.row::<Option<String>>(&sql, [phrase.into(), limit.into()]).await?;
    Ok(found.flatten().unwrap_or_default())
}

/// The list that those scores are made of: here, or, if that takes a while, on another thread.
async fn read(known: &CachedIndex, found: String) -> Option<Arc<[Posting]>> {
    let postings = if found.len() <= offload::SMALL_TEXT_BYTES {
        decoded(known, &found)
    } else {
        let known = known.clone();
        offload::run(move || decoded(&known, &found)).await
    };
    postings.map(Arc::from)
}

/// Articles and how often they have a phrase, from its `bm25` in each.
fn decoded(known: &CachedIndex, found: &str) -> Option<Vec<Posting>> {
    let scores: Option<Vec<(i64, f64)>> = found.split_terminator(';').map(entry).collect();
    let mut scores = scores?;
    scores.sort_by_key(|(id, _)| *id);
    let (written, terms) = (known.state.written as f64, known.state.terms_written as f64);
    let idf = bm25::idf(Engine::Sqlite, scores.len() as f64, written);
    let times = |(id, score): (i64, f64)| {
        let place = id.rem_euclid(ARTICLES_PER_BLOCK as i64) as usize;
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
