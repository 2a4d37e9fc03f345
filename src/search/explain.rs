//! Why a hit has its rank: which terms it has, and what each of them adds.

use std::collections::HashMap;

use afterword_actors::store::{Database, StoreError, sql::Sql};
use sea_orm::FromQueryResult;

use super::{Explanation, TermShare};
use crate::fulltext::{Matcher, Term};

/// The k1 of BM25: how soon another occurrence adds little. Both engines use it.
const K1: f64 = 1.2;
/// The part of a body that is read. *Units:* characters.
const LOOKED_THROUGH: i64 = 1 << 20;

/// Explains these articles, each with the BM25 by which it was found.
pub(super) async fn explain(
    database: &Database,
    matcher: &Matcher,
    found: &[(i64, Option<f64>)],
) -> Result<HashMap<i64, Explanation>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        id: i64,
        title: String,
        body: String,
    }
    let ids: Vec<_> = found.iter().map(|(id, _)| *id).collect();
    let sql = "SELECT a.id, a.title, substr(a.body, 1, CAST($2 AS INTEGER)) AS body
               FROM {ids $1} j JOIN articles a ON a.id = j.id";
    let ids = serde_json::to_string(&ids).unwrap_or_default();
    let rows = database.reader().rows::<Row>(sql, [ids.into(), LOOKED_THROUGH.into()]).await?;
    let scores: HashMap<_, _> = found.iter().copied().collect();
    let explained = rows.into_iter().map(|Row { id, title, body }| {
        let mut times = vec![0_u32; matcher.terms().len()];
        for text in [&title, &body] {
            for found in matcher.find(text).0 {
                times[found.term] += 1;
            }
        }
        (id, Explanation { terms: shares(matcher, &times), words: scores.get(&id).copied().flatten() })
    });
    Ok(explained.collect())
}

fn shares(matcher: &Matcher, times: &[u32]) -> Vec<TermShare> {
    let worth = |term: usize| {
        let times = f64::from(times[term]);
        matcher.weight(term) * times * (K1 + 1.0) / (times + K1)
    };
    let all: f64 = (0..times.len()).map(worth).sum::<f64>().max(f64::MIN_POSITIVE);
    let share = |(place, term): (usize, &Term)| TermShare {
        term: term.word.clone(),
        idf: rounded(matcher.weight(place)),
        times: times[place],
        share: rounded(worth(place) / all),
    };
    let mut shares: Vec<_> =
        matcher.terms().iter().enumerate().filter(|(place, _)| times[*place] > 0).map(share).collect();
    shares.sort_by(|a, b| b.share.total_cmp(&a.share));
    shares
}

/// Rounds: more digits are of no use.
fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}
