//! Where a term occurs, read from the pages of one segment.
//!
//! *Source:* SQLite, `fts5_index.c`, "TERM/DOCLIST FORMAT" and "PAGE FORMAT".

use super::{super::word_hit::TITLE_WEIGHT, structure::varint};

/// A row that has the term, and how often: a title counts as much as it weighs.
pub(super) type Posting = (i64, u32);

/// Before the content of each page. *Units:* bytes.
const HEAD: usize = 4;

/// The occurrences of one term in one segment, as its pages come.
pub(super) struct Doclist {
    term: Vec<u8>,
    /// Whether the term has been found.
    is_inside: bool,
    /// The content of its pages, one behind the other.
    content: Vec<u8>,
    /// Offsets in `content` at which a row's number is written in full, not as the difference from the one before.
    anew: Vec<usize>,
}

/// What a page says of the term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The list ends in it, or the segment does not have the term.
    End,
    /// The next page belongs to the list, too.
    Page,
}

impl Doclist {
    /// The list of `term`, as the index writes it.
    pub(super) fn of(term: Vec<u8>) -> Self {
        Self { term, is_inside: false, content: Vec::new(), anew: Vec::new() }
    }

    /// How much has been read. *Units:* bytes.
    pub(super) fn size(&self) -> usize {
        self.content.len()
    }

    /// Takes the next page. The first is the one where the term is, if it is in the segment; `None` if that is no page.
    pub(super) fn page(&mut self, page: &[u8]) -> Option<Next> {
        let number = |at: usize| Some(usize::from(u16::from_be_bytes([*page.get(at)?, *page.get(at + 1)?])));
        let (first_row, end) = (number(0)?, number(2)?);
        let (body, mut foot) = page.split_at_checked(end)?;
        if self.is_inside {
            let until = match foot.is_empty() {
                true => end,
                false => usize::try_from(varint(&mut foot)?).ok()?,
            };
            let has_row = first_row >= HEAD && first_row < until;
            self.take(body.get(HEAD..until)?, has_row.then(|| first_row - HEAD));
            return Some(if until == end { Next::Page } else { Next::End });
        }
        let Some((from, until)) = self.place(body, foot)? else { return Some(Next::End) };
        self.is_inside = true;
        // A list that begins on the next page says so there.
        self.take(body.get(from..until)?, (from < until).then_some(0));
        Some(if until == end { Next::Page } else { Next::End })
    }

    fn take(&mut self, content: &[u8], anew: Option<usize>) {
        self.anew.extend(anew.map(|at| self.content.len() + at));
        self.content.extend_from_slice(content);
    }

    /// From and to where the list stands in the page that has the term; nothing if it does not.
    fn place(&self, body: &[u8], mut foot: &[u8]) -> Option<Option<(usize, usize)>> {
        let (mut at, mut term): (usize, Vec<u8>) = (0, Vec::new());
        let mut is_first = true;
        while !foot.is_empty() {
            at += usize::try_from(varint(&mut foot)?).ok()?;
            let mut rest = body.get(at..)?;
            let kept = if std::mem::take(&mut is_first) { 0 } else { usize::try_from(varint(&mut rest)?).ok()? };
            let new = usize::try_from(varint(&mut rest)?).ok()?;
            term.truncate(kept);
            term.extend_from_slice(rest.get(..new)?);
            if term == self.term {
                let from = body.len() - rest.len() + new;
                let until = match foot.is_empty() {
                    true => body.len(),
                    false => at + usize::try_from(varint(&mut foot)?).ok()?,
                };
                return Some(Some((from, until)));
            }
            if term > self.term {
                break;
            }
        }
        Some(None)
    }

    /// Adds the occurrences to `postings`, without rows that are `struck`; `None` if the list is not whole.
    pub(super) fn read(&self, struck: impl Fn(i64) -> bool, postings: &mut Vec<Posting>) -> Option<()> {
        let (mut rest, mut row, mut anew) = (self.content.as_slice(), 0_i64, self.anew.iter().peekable());
        while !rest.is_empty() {
            let at = self.content.len() - rest.len();
            let number = varint(&mut rest)?.cast_signed();
            let stands_as_it_is = anew.next_if(|place| **place == at).is_some();
            row = if stands_as_it_is { number } else { row.checked_add(number)? };
            let size = varint(&mut rest)?;
            let (is_removed, size) = (size & 1 == 1, usize::try_from(size >> 1).ok()?);
            let (positions, behind) = rest.split_at_checked(size)?;
            rest = behind;
            if is_removed {
                // Only an index with content removes rows so.
                return None;
            }
            if !struck(row) {
                postings.push((row, occurrences(positions)?));
            }
        }
        anew.next().is_none().then_some(())
    }
}

/// Counts occurrences in the title (column 0), which count several times, and in the body (column 1).
fn occurrences(positions: &[u8]) -> Option<u32> {
    let numbers = |bytes: &[u8]| u32::try_from(bytes.iter().filter(|byte| **byte < 0x80).count()).unwrap_or(u32::MAX);
    let title_weight = TITLE_WEIGHT as u32;
    // A body alone begins so; positions are never 1.
    if let [1, 1, body @ ..] = positions {
        return Some(numbers(body));
    }
    let mut rest = positions;
    let mut title = 0;
    while !rest.is_empty() {
        if let [1, 1, body @ ..] = rest {
            return Some(title * title_weight + numbers(body));
        }
        varint(&mut rest)?;
        title += 1;
    }
    Some(title * title_weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_weighs_more_than_a_body() {
        assert_eq!(occurrences(&[1, 1, 2, 0x81, 5, 3]), Some(3));
        assert_eq!(occurrences(&[2, 3]), Some(6));
        assert_eq!(occurrences(&[2, 1, 1, 7]), Some(4));
    }

    #[test]
    fn what_is_no_page_is_not_read() {
        assert_eq!(Doclist::of(b"0a".to_vec()).page(&[]), None);
        assert_eq!(Doclist::of(b"0a".to_vec()).page(&[0, 0, 0, 9]), None);
        assert_eq!(Doclist::of(b"0a".to_vec()).page(&[0, 0, 0, 4]), Some(Next::End));
    }
}
