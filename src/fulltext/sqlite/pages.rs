//! The pages of FTS5's index that hold a question's terms, read and decoded.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use afterword_actors::store::{
    StoreError,
    sql::{self, Sql},
};

use super::{
    doclist::{Doclist, Next, Posting},
    structure::{self, Segment},
};
use crate::offload;

/// Pages read at first of a long list; four times as many each time.
const PAGES: i64 = 16;

/// One term in one segment, as far as it has been read.
struct Reading {
    word: usize,
    segment: usize,
    doclist: Doclist,
    /// The next page to be read.
    page: i64,
    /// How many of them together.
    pages: i64,
}

/// Where each of `words` occurs; `None` if that is not to be read, or if their lists are larger than `room` together.
/// *Units:* bytes.
pub(super) async fn postings(
    connection: &impl Sql,
    segments: &[Segment],
    words: &[&str],
    room: usize,
) -> Result<Option<HashMap<String, Arc<[Posting]>>>, StoreError> {
    let struck = struck(connection, segments).await?;
    let mut open = begun(connection, segments, words).await?;
    let mut whole = Vec::new();
    while !open.is_empty() {
        let Some(still) = go_on(connection, segments, open, &mut whole).await? else { return Ok(None) };
        open = still;
        if whole.iter().chain(&open).map(|reading| reading.doclist.size()).sum::<usize>() > room {
            return Ok(None);
        }
    }
    let (count, size) = (words.len(), whole.iter().map(|reading| reading.doclist.size()).sum::<usize>());
    let work = move || decoded(whole, &struck, count);
    let postings = if size <= offload::SMALL_TEXT_BYTES { work() } else { offload::run(work).await };
    let named = |(word, list): (&&str, Vec<Posting>)| ((*word).to_owned(), list.into());
    Ok(postings.map(|postings| words.iter().zip(postings).map(named).collect()))
}

/// The postings of each of `count` words; `None` if a list is not whole.
fn decoded(mut whole: Vec<Reading>, struck: &[HashSet<i64>], count: usize) -> Option<Vec<Vec<Posting>>> {
    // The newest segment first: it has the last word about a row.
    whole.sort_by_key(|reading| reading.segment);
    let (mut postings, mut parts): (Vec<Vec<Posting>>, _) = (vec![Vec::new(); count], vec![0; count]);
    for Reading { word, segment, doclist, .. } in whole {
        let (struck, to) = (struck.get(segment)?, &mut postings[word]);
        let before = to.len();
        doclist.read(|row| !struck.is_empty() && struck.contains(&row), to)?;
        parts[word] += usize::from(to.len() > before);
    }
    for (postings, parts) in postings.iter_mut().zip(parts) {
        if parts > 1 {
            postings.sort_by_key(|posting| posting.0);
            postings.dedup_by_key(|posting| posting.0);
        }
    }
    Some(postings)
}

/// The rows that are struck out of each segment.
async fn struck(connection: &impl Sql, segments: &[Segment]) -> Result<Vec<HashSet<i64>>, StoreError> {
    let mut struck = vec![HashSet::new(); segments.len()];
    for (segment, rows) in segments.iter().zip(&mut struck).filter(|(segment, _)| segment.tombstones > 0) {
        let sql = "SELECT block FROM article_terms_data WHERE id >= $1 AND id < $2";
        let first = segment.tombstone();
        for block in connection.rows::<Vec<u8>>(sql, [first.into(), (first + segment.tombstones).into()]).await? {
            structure::struck(&block, rows);
        }
    }
    Ok(struck)
}

/// Where each term begins in each segment.
async fn begun(connection: &impl Sql, segments: &[Segment], words: &[&str]) -> Result<Vec<Reading>, StoreError> {
    let sql = "SELECT w.place AS word, s.place AS segment,
                      (SELECT i.pgno FROM article_terms_idx i
                       WHERE i.segid = s.id AND i.term <= CAST('0' || w.word AS BLOB) ORDER BY i.term DESC LIMIT 1) AS page
               FROM {rows $1: place BIGINT, word TEXT} w CROSS JOIN {rows $2: place BIGINT, id BIGINT} s";
    let numbered: Vec<_> = words.iter().enumerate().collect();
    let of: Vec<_> = segments.iter().enumerate().map(|(place, segment)| (place, segment.id)).collect();
    let rows = connection.rows(sql, [sql::json(&numbered)?, sql::json(&of)?]).await?;
    let reading = |(word, segment, page): (i64, i64, Option<i64>)| {
        let (word, segment) = (usize::try_from(word).ok()?, usize::try_from(segment).ok()?);
        let page = page.unwrap_or_default();
        // The lowest bit says that there is an index of the list: it has several pages.
        let pages = if page & 1 == 1 { PAGES } else { 1 };
        let page = (page >> 1).max(segments.get(segment)?.first_page);
        // As FTS5 marks terms that are no prefixes.
        let term = format!("0{}", words.get(word)?).into_bytes();
        Some(Reading { word, segment, doclist: Doclist::of(term), page, pages })
    };
    Ok(rows.into_iter().filter_map(reading).collect())
}

/// Reads the next pages of all that are open; answers those that are still, and adds the others to `whole`.
async fn go_on(
    connection: &impl Sql,
    segments: &[Segment],
    open: Vec<Reading>,
    whole: &mut Vec<Reading>,
) -> Result<Option<Vec<Reading>>, StoreError> {
    let span = |(place, reading): (usize, &Reading)| {
        let segment = &segments[reading.segment];
        let last = (reading.page + reading.pages - 1).min(segment.last_page);
        (place, segment.page(reading.page), segment.page(last))
    };
    let spans: Vec<_> = open.iter().enumerate().map(span).collect();
    // All pages of a list in one value: to hand over a row for each takes longer than to read it.
    let sql = "SELECT j.place,
                      (SELECT group_concat(length(d.block), ' ') FROM article_terms_data d
                       WHERE d.id BETWEEN j.first AND j.last) AS lengths,
                      (SELECT CAST(group_concat(CAST(d.block AS TEXT), '') AS BLOB) FROM article_terms_data d
                       WHERE d.id BETWEEN j.first AND j.last) AS pages
               FROM {rows $1: place BIGINT, first BIGINT, last BIGINT} j";
    let rows = connection.rows::<(i64, Option<String>, Option<Vec<u8>>)>(sql, [sql::json(&spans)?]).await?;
    let mut open: Vec<Option<Reading>> = open.into_iter().map(Some).collect();
    let mut still = Vec::new();
    for (place, lengths, pages) in rows {
        let reading = usize::try_from(place).ok().and_then(|place| open.get_mut(place)?.take());
        let Some(mut reading) = reading else { return Ok(None) };
        let last = segments[reading.segment].last_page;
        let Some(next) = reading.take(&lengths.unwrap_or_default(), &pages.unwrap_or_default(), last) else {
            return Ok(None);
        };
        let is_open = next == Next::Page && reading.page <= last;
        if is_open { still.push(reading) } else { whole.push(reading) }
    }
    Ok(open.iter().all(Option::is_none).then_some(still))
}

impl Reading {
    /// Takes pages that follow each other, each as long as `lengths` says; `last` is the segment's last. `None` if one
    /// is missing.
    fn take(&mut self, lengths: &str, mut pages: &[u8], last: i64) -> Option<Next> {
        let (mut next, mut count) = (Next::Page, 0);
        for length in lengths.split_ascii_whitespace() {
            let (page, behind) = pages.split_at_checked(length.parse().ok()?)?;
            pages = behind;
            count += 1;
            if next == Next::Page {
                next = self.doclist.page(page)?;
            }
        }
        let is_whole = count == self.pages.min(last - self.page + 1);
        self.page += count;
        self.pages = (self.pages * 4).max(PAGES);
        is_whole.then_some(next)
    }
}
