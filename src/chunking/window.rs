//! Where a chunk ends: the best place among those that fit.
//!
//! Owns which block a section is cut before. Knows no tokens beyond asking how much fits.

use std::cmp::Reverse;

use super::{inside, measure::Measure, section::Section};
use crate::markdown::{Kind, Mark};

/// Returns the end of the chunk that begins at `at`, with at most `room` tokens of text; always after `at`.
pub(super) fn end_of_chunk(body: &str, section: &Section, at: usize, room: usize, measure: &Measure<'_>) -> usize {
    let end = section.range.end;
    let fits = at + measure.longest_fit(&body[at..end], room);
    if fits == end {
        return end;
    }
    match before_block(section, at, fits) {
        CutPoint::Before(place) => place,
        CutPoint::Inside { from, kind } => inside::cut(&body[..end], from.max(at), fits, kind),
    }
}

/// Where to cut, as far as blocks tell.
enum CutPoint {
    /// Before the block that begins here.
    Before(usize),
    /// In the block that begins at `from`.
    Inside { from: usize, kind: Kind },
}

/// Prefers the outermost blocks, and of those the last.
///
/// The block after the cut then begins a chunk of its own. If it is too long to fit into one anyway and the cut would
/// leave most of this chunk empty, its own blocks are considered instead.
fn before_block(section: &Section, at: usize, fits: usize) -> CutPoint {
    let from = section.marks.partition_point(|mark| mark.at <= at);
    let length = fits - at;
    let within = section.marks[from..].partition_point(|mark| mark.at <= fits);
    let (mut first, last) = (from, from + within);
    while let Some((best, mark)) = outermost(&section.marks, first, last) {
        let next = section.marks[best + 1..].iter().take_while(|next| next.at <= mark.at + length);
        let next = next.into_iter().find(|next| next.depth <= mark.depth);
        let block_fits = next.is_some() || section.range.end - mark.at <= length;
        if block_fits || mark.at - at >= length / 2 {
            return CutPoint::Before(mark.at);
        }
        first = best + 1;
    }
    match first.checked_sub(1).and_then(|last| section.marks.get(last)) {
        Some(mark) => CutPoint::Inside { from: mark.at, kind: mark.kind },
        None => CutPoint::Inside { from: at, kind: Kind::Prose },
    }
}

fn outermost(marks: &[Mark], first: usize, last: usize) -> Option<(usize, &Mark)> {
    let candidates = marks.iter().enumerate().take(last).skip(first);
    candidates.min_by_key(|(index, mark)| (mark.depth, Reverse(*index)))
}
