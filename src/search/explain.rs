//! Why a hit has its rank: which terms it has, and what each of them adds, by the formula of the ranking.

use std::collections::HashMap;

use afterword_actors::store::{
    Database, StoreError,
    sql::{self, FromRow, Sql},
};

use super::{Explanation, TermShare};
use crate::{
    articles::properties::about,
    fulltext::{self, Lists, Matcher, Term, Texts},
};

/// The part of a body that is read. *Units:* characters.
const LOOKED_THROUGH: i64 = 1 << 20;

/// An article with its texts.
#[derive(FromRow)]
struct ArticleRow {
    id: i64,
    title: String,
    body: String,
    front_matter: String,
}

/// Explains these articles, each with the BM25 by which it was found. `idf` is what each term is worth in the ranking,
/// `lists` what it was made of.
pub(super) async fn explain(
    database: &Database,
    matcher: &Matcher,
    (idf, lists): (&[f64], Option<&Lists>),
    found: &[(i64, Option<f64>)],
) -> Result<HashMap<i64, Explanation>, StoreError> {
    let ids: Vec<_> = found.iter().map(|(id, _)| *id).collect();
    let sql = "SELECT a.id, a.title, substr(a.body, 1, CAST($2 AS INTEGER)) AS body, a.front_matter
               FROM {ids $1} j JOIN articles a ON a.id = j.id";
    let ids = sql::json(&ids)?;
    let rows = database.reader().rows::<ArticleRow>(sql, [ids, LOOKED_THROUGH.into()]).await?;
    let average = fulltext::average_length(database.reader(), lists).await?;
    let scores: HashMap<_, _> = found.iter().copied().collect();
    let explained = rows.into_iter().map(|row| {
        let shares = shares(matcher, idf, &row, average);
        (row.id, Explanation { terms: shares, words: scores.get(&row.id).copied().flatten(), reranked: None })
    });
    Ok(explained.collect())
}

fn shares(matcher: &Matcher, idf: &[f64], row: &ArticleRow, average: f64) -> Vec<TermShare> {
    let (mut times, mut weighed) = (vec![0_u32; matcher.terms().len()], vec![0_u32; matcher.terms().len()]);
    let about = about(&row.front_matter, &row.body);
    let texts = Texts { title: &row.title, about: &about, body: &row.body };
    let mut length = 0;
    for part in texts.parts() {
        let (found, words) = matcher.find(part.text);
        length += part.length(words);
        for found in found {
            times[found.term] += 1;
            weighed[found.term] += part.weight;
        }
    }
    let worth = |(place, term): (usize, &Term)| {
        let idf = idf.get(place).copied().unwrap_or_default() * f64::from(term.times);
        fulltext::worth(idf, f64::from(weighed[place]), length as f64, average)
    };
    let worths: Vec<_> = matcher.terms().iter().enumerate().map(worth).collect();
    let all = worths.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let share = |(place, term): (usize, &Term)| TermShare {
        term: term.word.clone(),
        idf: rounded(idf.get(place).copied().unwrap_or_default()),
        times: times[place],
        share: rounded(worths[place] / all),
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
