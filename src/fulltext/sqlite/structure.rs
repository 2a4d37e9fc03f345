//! What FTS5 notes of its index: which segments it has, and how large the whole is.
//!
//! *Source:* SQLite, `fts5_index.c`, "CONTENTS OF THE %_data TABLE". The layout has a version of its own; anything else
//! than what is known here is not read.

/// Behind the cookie, in a structure with origins and tombstones.
const WITH_ORIGINS: [u8; 4] = [0xff, 0, 0, 1];
/// The most segments that FTS5 has.
const MAX_SEGMENTS: u64 = 2_000;

/// Reads a number from the beginning of `bytes` and moves behind it. *Source:* SQLite, "Database File Format", 1.6,
/// varint.
#[inline(always)]
pub(super) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    *bytes = rest;
    if first < 0x80 {
        return Some(u64::from(first));
    }
    let mut number = u64::from(first & 0x7f);
    for _ in 0..7 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number = number << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some(number);
        }
    }
    let (&last, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(number << 8 | u64::from(last))
}

/// A part of the index that is never changed, but for the rows that are struck out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) id: i64,
    pub(super) first_page: i64,
    pub(super) last_page: i64,
    /// Pages of rows that are struck out.
    pub(super) tombstones: i64,
    /// The last transaction whose rows it has.
    pub(super) origin: u64,
    /// Rows that it has, without those that are struck out of it or counted elsewhere: of all segments together,
    /// articles.
    live: i64,
}

impl Segment {
    /// The number of a page's record.
    pub(super) fn page(&self, page: i64) -> i64 {
        (self.id << 37) + page
    }

    /// The number of the first record of rows that are struck out.
    pub(super) fn tombstone(&self) -> i64 {
        (self.id + (1 << 16)) << 37
    }
}

/// The segments of a structure record that have pages, the newest first; `None` if that is not what it is.
pub(super) fn segments(record: &[u8]) -> Option<Vec<Segment>> {
    let mut segments = all_segments(record)?;
    // A segment of which another has taken everything over has no pages.
    segments.retain(|segment| segment.last_page > 0);
    Some(segments)
}

/// How many articles there are now. FTS5 counts in its structure what it strikes out; what it notes as averages is
/// never made less, whatever is replaced or deleted.
pub(super) fn live(record: &[u8]) -> Option<i64> {
    Some(all_segments(record)?.iter().map(|segment| segment.live).sum::<i64>().max(0))
}

fn all_segments(record: &[u8]) -> Option<Vec<Segment>> {
    let mut rest = record.get(4..)?.strip_prefix(&WITH_ORIGINS)?;
    let (levels, count, _written) = (varint(&mut rest)?, varint(&mut rest)?, varint(&mut rest)?);
    if levels > MAX_SEGMENTS || count > MAX_SEGMENTS {
        return None;
    }
    let mut segments = Vec::new();
    for _ in 0..levels {
        let (_merging, here) = (varint(&mut rest)?, varint(&mut rest)?);
        let mut level = Vec::new();
        for _ in 0..here.min(MAX_SEGMENTS) {
            let mut number = || varint(&mut rest).and_then(|number| i64::try_from(number).ok());
            let (id, first_page, last_page) = (number()?, number()?, number()?);
            let (_first, origin, tombstones) = (varint(&mut rest)?, varint(&mut rest)?, varint(&mut rest)?);
            let mut count = || varint(&mut rest).and_then(|count| i64::try_from(count).ok());
            let (struck, entries) = (count()?, count()?);
            let tombstones = i64::try_from(tombstones).ok()?;
            level.push(Segment { id, first_page, last_page, tombstones, origin, live: entries - struck });
        }
        segments.extend(level.into_iter().rev());
    }
    (segments.len() as u64 == count).then_some(segments)
}

/// How many rows were ever written, and how many terms in all of them.
pub(super) fn averages(record: &[u8]) -> Option<(i64, i64)> {
    if record.is_empty() {
        return Some((0, 0));
    }
    let mut rest = record;
    let rows = i64::try_from(varint(&mut rest)?).ok()?;
    let mut terms = 0_i64;
    while !rest.is_empty() {
        terms = terms.checked_add(i64::try_from(varint(&mut rest)?).ok()?)?;
    }
    Some((rows, terms))
}

/// Rows that are struck out of a segment, added to `rows`.
pub(super) fn struck(page: &[u8], rows: &mut std::collections::HashSet<i64>) -> Option<()> {
    let (head, slots) = page.split_at_checked(8)?;
    if head[1] != 0 {
        rows.insert(0);
    }
    if head[0] == 4 {
        let slots =
            slots.chunks_exact(4).map(|slot| i64::from(u32::from_be_bytes([slot[0], slot[1], slot[2], slot[3]])));
        rows.extend(slots.filter(|row| *row != 0));
    } else {
        let number = |slot: &[u8]| slot.iter().fold(0_i64, |number, byte| number << 8 | i64::from(*byte));
        rows.extend(slots.chunks_exact(8).map(number).filter(|row| *row != 0));
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_sqlite_writes_them() {
        for (bytes, number) in
            [(&[5, 9][..], 5), (&[0x81, 0x00], 128), (&[0xff; 9], u64::MAX), (&[0x83, 0xff, 0x7f], 65_535)]
        {
            assert_eq!(varint(&mut &bytes[..]), Some(number), "{bytes:?}");
        }
        assert_eq!(varint(&mut &[0x80][..]), None);
    }

    #[test]
    fn what_is_no_structure_is_not_read() {
        assert_eq!(segments(&[]), None);
        assert_eq!(segments(&[0, 0, 0, 0, 1, 1, 1]), None, "an earlier version");
        assert_eq!(segments(&[0, 0, 0, 0, 0xff, 0, 0, 1, 0, 0, 0]), Some(Vec::new()));
        assert_eq!(live(&[]), None);
        let two = [1, 2, 9, 0, 2, 1, 0, 0, 1, 1, 0, 0, 5, 2, 1, 3, 1, 2, 0, 0, 5];
        let read = segments(&[&[0, 0, 0, 0, 0xff, 0, 0, 1], &two[..]].concat()).expect("two segments");
        assert_eq!(read.iter().map(|segment| segment.id).collect::<Vec<_>>(), [2], "the other has no pages");
    }

    #[test]
    fn articles_are_the_rows_of_all_segments_without_those_struck_out() {
        // A segment that is being made of another, of which a row was deleted meanwhile, and that other.
        let two = [1, 2, 9, 1, 2, 1, 1, 2, 1, 1, 1, 1, 0, 2, 3, 4, 1, 2, 1, 2, 9];
        assert_eq!(live(&[&[0, 0, 0, 0, 0xff, 0, 0, 1], &two[..]].concat()), Some(6));
    }
}
