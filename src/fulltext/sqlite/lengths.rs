//! How long each article is, in terms: what BM25 needs of every article that it ranks. Kept in memory from one search
//! to the next, and never believed without a look at what FTS5 notes of its index in the same transaction.

use std::{collections::HashMap, sync::Arc};

use afterword_actors::store::{StoreError, sql::Sql};

use super::{
    posting_cache::PostingCache,
    structure::{Segment, varint},
};

/// Articles whose lengths stand together.
pub(super) const ARTICLES_PER_BLOCK: usize = 1 << 12;

/// The index as it is in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) structure: Vec<u8>,
    pub(super) averages: Vec<u8>,
    pub(super) segments: Vec<Segment>,
    /// Articles that were ever written: FTS5 takes none out when it is replaced or deleted.
    pub(super) written: i64,
    /// In all of those.
    pub(super) terms_written: i64,
    /// Articles that there are.
    pub(super) live: i64,
}

/// When this part of the articles whose lengths are known has gone, the lengths are read anew: until then the average
/// is as good.
const REREAD_AT_ONE_IN: i64 = 100;

/// The lengths of all articles.
#[derive(Debug, Clone, Default)]
pub(super) struct Lengths {
    /// By number ÷ [`ARTICLES_PER_BLOCK`]; length + 1, 0 for no article.
    pages: HashMap<i64, Arc<[u32]>>,
    /// The number of articles.
    articles: i64,
    /// The number of terms in all articles together.
    terms: i64,
}

/// Lengths and lists, and the state of the index that they belong to.
#[derive(Debug, Clone)]
pub(super) struct CachedIndex {
    pub(super) state: Arc<State>,
    pub(super) lengths: Arc<Lengths>,
    /// By how many more articles have lengths than FTS5 counts, when all lengths were read: one without terms is not
    /// counted.
    beside: i64,
    pub(super) kept: Arc<PostingCache>,
}

impl CachedIndex {
    /// The lengths that belong to `state`, from those known before if they are any help.
    pub(super) async fn of(connection: &impl Sql, state: State, before: Option<Self>) -> Result<Self, StoreError> {
        let state = Arc::new(state);
        if let Some(known) = before {
            // FTS5 counts what it writes in its structure: the same bytes are the same index.
            if known.state == state {
                return Ok(known);
            }
            let mut lengths = Lengths::clone(&known.lengths);
            let added = lengths.add(connection, Some(known.state.newest())).await?;
            // FTS5 takes nothing out of its sums when an article goes. So they say whether all was read that was
            // written since: the number of a transaction may come again when all that it wrote has gone.
            let written = (state.written - known.state.written, state.terms_written - known.state.terms_written);
            let gone = lengths.articles - known.beside - state.live;
            if added == written && gone.saturating_mul(REREAD_AT_ONE_IN).abs() <= state.live {
                return Ok(Self { state, lengths: Arc::new(lengths), beside: known.beside, kept: Arc::default() });
            }
        }
        let mut lengths = Lengths::default();
        lengths.add(connection, None).await?;
        let beside = lengths.articles - state.live;
        Ok(Self { state, lengths: Arc::new(lengths), beside, kept: Arc::default() })
    }
}

impl State {
    /// Returns the last transaction whose rows the index has.
    fn newest(&self) -> u64 {
        self.segments.iter().map(|segment| segment.origin).max().unwrap_or(0)
    }
}

impl Lengths {
    /// How many terms articles have on average.
    pub(super) fn average(&self) -> f64 {
        self.terms as f64 / self.articles.max(1) as f64
    }

    /// Those around an article's number: its own is at number % [`ARTICLES_PER_BLOCK`].
    pub(super) fn page(&self, id: i64) -> Option<&[u32]> {
        self.pages.get(&id.div_euclid(ARTICLES_PER_BLOCK as i64)).map(|page| &**page)
    }

    /// Reads what was written after the transaction `origin`, or everything; answers how much is new, and its terms.
    async fn add(&mut self, connection: &impl Sql, origin: Option<u64>) -> Result<(i64, i64), StoreError> {
        // In one value: a quarter of a million rows take longer to hand over than to read.
        let sql = "SELECT group_concat(id || ' ' || hex(sz), ';') AS lengths FROM article_terms_docsize
                   WHERE origin > $1";
        let origin = origin.map_or(-1, |origin| i64::try_from(origin).unwrap_or(i64::MAX));
        let lengths = connection.row::<Option<String>>(sql, [origin.into()]).await?.flatten().unwrap_or_default();
        let (mut rows, mut terms) = (0, 0);
        for (id, length) in lengths.split(';').filter_map(read) {
            let page = self
                .pages
                .entry(id.div_euclid(ARTICLES_PER_BLOCK as i64))
                .or_insert_with(|| Arc::new([0; ARTICLES_PER_BLOCK]));
            let before = std::mem::replace(
                &mut Arc::make_mut(page)[id.rem_euclid(ARTICLES_PER_BLOCK as i64) as usize],
                length + 1,
            );
            self.articles += i64::from(before == 0);
            self.terms += i64::from(length) - i64::from(before.saturating_sub(1));
            rows += 1;
            terms += i64::from(length);
        }
        Ok((rows, terms))
    }
}

/// An article and its length, from its number and what FTS5 keeps: a number for each column.
fn read(entry: &str) -> Option<(i64, u32)> {
    let (id, hexadecimal) = entry.split_once(' ')?;
    let digit = |digit: u8| (digit as char).to_digit(16).map(|digit| digit as u8);
    let bytes: Option<Vec<u8>> =
        hexadecimal.as_bytes().chunks_exact(2).map(|two| Some(digit(two[0])? << 4 | digit(two[1])?)).collect();
    let bytes = bytes?;
    let (mut rest, mut length) = (bytes.as_slice(), 0_u64);
    while !rest.is_empty() {
        length += varint(&mut rest)?;
    }
    Some((id.parse().ok()?, u32::try_from(length).ok().filter(|length| *length < u32::MAX)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_sums_over_columns() {
        assert_eq!(read("17 058100"), Some((17, 133)));
        assert_eq!(read(""), None);
    }
}
