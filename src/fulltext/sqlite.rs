//! Terms in SQLite: FTS5, ranked by BM25.

use afterword_actors::store::{
    StoreError,
    sql::{Number, Sql},
};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::{
    among::Among,
    found::{Found, Part, TITLE_WEIGHT},
    wanted::{Phrase, Term},
};

pub(super) async fn index(
    transaction: &impl ConnectionTrait,
    id: i64,
    title: &[String],
    body: &[String],
) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO article_terms (rowid, title, body) VALUES ($1, $2, $3)";
    transaction.run(sql, [id.into(), title.join(" ").into(), body.join(" ").into()]).await.map(drop)
}

pub(super) async fn ranking(
    connection: &impl ConnectionTrait,
    terms: &[Term],
    among: &Among,
    limit: i64,
) -> Result<Vec<Found>, StoreError> {
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
        term.alternatives.iter().flat_map(move |phrase| std::iter::repeat_n(quoted(phrase), times))
    });
    each.collect::<Vec<_>>().join(" OR ")
}

/// No term holds a quotation mark.
fn quoted(phrase: &Phrase) -> String {
    format!("\"{}\"{}", phrase.terms.join(" "), if phrase.is_prefix { " *" } else { "" })
}

pub(super) fn having(phrase: &Phrase, part: Part) -> (String, Vec<Value>) {
    let expression = match part {
        Part::Anywhere => quoted(phrase),
        Part::Title => format!("title : {}", quoted(phrase)),
    };
    let condition = "a.id IN (SELECT rowid FROM article_terms WHERE article_terms MATCH $?1)";
    (condition.to_owned(), vec![expression.into()])
}

pub(super) async fn frequencies(
    connection: &impl ConnectionTrait,
    phrases: &[&Phrase],
) -> Result<(Vec<i64>, i64), StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        place: i64,
        articles: i64,
    }
    #[derive(FromQueryResult)]
    struct Averages {
        block: Vec<u8>,
    }
    // FTS5 keeps there how many articles there are; to count them would read a row for each.
    let all = connection.row::<Averages>("SELECT block FROM article_terms_data WHERE id = 1", []).await?;
    let all = all.map_or(0, |averages| first_varint(&averages.block));
    let is_one = |phrase: &Phrase| phrase.terms.len() == 1 && !phrase.is_prefix;
    let mut found = vec![0; phrases.len()];
    let single = phrases.iter().enumerate().filter(|(_, phrase)| is_one(phrase));
    let single: Vec<_> = single.map(|(place, phrase)| (place, &phrase.terms[0])).collect();
    let sql = "SELECT j.place, v.doc AS articles FROM {rows $1: place BIGINT, term TEXT} j
               CROSS JOIN article_vocabulary v WHERE v.term = j.term";
    let values = serde_json::to_string(&single).unwrap_or_default();
    for Row { place, articles } in connection.rows::<Row>(sql, [values.into()]).await? {
        if let Some(found) = usize::try_from(place).ok().and_then(|place| found.get_mut(place)) {
            *found = articles;
        }
    }
    for (place, phrase) in phrases.iter().enumerate().filter(|(_, phrase)| !is_one(phrase)) {
        let sql = "SELECT count(*) AS n FROM article_terms WHERE article_terms MATCH $1";
        found[place] = connection.row::<Number>(sql, [quoted(phrase).into()]).await?.map_or(0, |row| row.n);
    }
    Ok((found, all))
}

pub(super) async fn present(
    connection: &impl ConnectionTrait,
    id: i64,
    phrases: &[&Phrase],
) -> Result<Vec<Number>, StoreError> {
    let sql = "SELECT j.place AS n FROM {rows $1: place BIGINT, query TEXT} j
               WHERE EXISTS (SELECT 1 FROM article_terms WHERE article_terms MATCH j.query AND rowid = $2)";
    let asked: Vec<_> = phrases.iter().enumerate().map(|(place, phrase)| (place, quoted(phrase))).collect();
    connection.rows(sql, [serde_json::to_string(&asked).unwrap_or_default().into(), id.into()]).await
}

/// The number at the beginning of a record. *Source:* SQLite, "Database File Format", 1.6, varint.
fn first_varint(record: &[u8]) -> i64 {
    let mut number: i64 = 0;
    for byte in record.iter().take(8) {
        number = number << 7 | i64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_record_are_read() {
        assert_eq!(first_varint(&[5, 9]), 5);
        assert_eq!(first_varint(&[0x81, 0x00]), 128);
        assert_eq!(first_varint(&[]), 0);
    }
}
