//! Applying edits to a newer text than the one that they were made for.

use std::time::{Duration, Instant};

use similar::{DiffOp, TextDiff};

use super::{
    Edit, SectionChange,
    apply::{apply, occurrences, sections_of},
};
use crate::markdown::sections::{Section, SectionMatch, meant};

/// After this long, places are compared less exactly. *For:* all edits together.
const EXACT_COMPARISON_TIMEOUT: Duration = Duration::from_millis(300);

/// Returns `newest` after `edits`, which were made for `base`; `None` if one of them does not find there what it
/// changes as it was. What is added at an end stands there whatever else has changed; a section must have the text that
/// it had, unless something is only added beside it; a text that is replaced must be there as often, in the same
/// places. No text in between may be larger than `most`. *Units:* bytes.
pub fn applied_again(base: &str, newest: &str, edits: &[Edit], most: u64) -> Option<String> {
    let until = Instant::now() + EXACT_COMPARISON_TIMEOUT;
    let (mut base, mut newest) = (base.to_owned(), newest.to_owned());
    for edit in edits {
        if !is_as_it_was(&base, &newest, edit, until) {
            return None;
        }
        let one = std::slice::from_ref(edit);
        base = apply(&base, one, most).ok()?;
        newest = apply(&newest, one, most).ok()?;
    }
    Some(newest)
}

/// Whether `newest` has what `edit` changes as `base` has it.
fn is_as_it_was(base: &str, newest: &str, edit: &Edit, until: Instant) -> bool {
    match edit {
        Edit::Append(_) | Edit::Prepend(_) => true,
        Edit::Section { section, change } => is_same_section(base, newest, section, change),
        Edit::Replace { find, .. } => is_in_the_same_places(base, newest, find, until),
    }
}

/// A section that was named.
struct NamedSection {
    /// The headings down to it.
    path: String,
    /// How many sections the name may mean.
    of: usize,
    text: String,
}

fn is_same_section(base: &str, newest: &str, wanted: &str, change: &SectionChange) -> bool {
    let (Some(was), Some(is)) = (named(base, wanted), named(newest, wanted)) else { return false };
    let is_beside = matches!(change, SectionChange::InsertBefore(_) | SectionChange::InsertAfter(_));
    // By its number alone one of several may be another than before.
    let is_known_by_name = is_beside && was.of == 1;
    was.path == is.path && was.of == is.of && (is_known_by_name || was.text == is.text)
}

fn named(body: &str, wanted: &str) -> Option<NamedSection> {
    let all = sections_of(body);
    let SectionMatch { found, number, .. } = meant(&all, wanted);
    let section = &all[*found.get(number.unwrap_or(1).checked_sub(1)?)?];
    let text = body[section.range.clone()].trim_end().to_owned();
    Some(NamedSection { path: section.name(), of: found.len(), text })
}

fn is_in_the_same_places(base: &str, newest: &str, find: &str, until: Instant) -> bool {
    let (was, is) = (occurrences(base, find), occurrences(newest, find));
    if was.len() != is.len() {
        return false;
    }
    let diff = TextDiff::configure().deadline(until).diff_lines(base, newest);
    let (old, new) = (starts(diff.iter_old_slices()), starts(diff.iter_new_slices()));
    let (above_old, above_new) = (sections_of(base), sections_of(newest));
    was.into_iter().zip(is).all(|(was, is)| {
        is_same_line(diff.ops(), line_of(&old, was), line_of(&new, is))
            && path_at(&above_old, was) == path_at(&above_new, is)
    })
}

/// Where each line starts.
fn starts<'t>(lines: impl Iterator<Item = &'t str>) -> Vec<usize> {
    let mut next = 0;
    let start = |line: &str| {
        let start = next;
        next += line.len();
        start
    };
    lines.map(start).collect()
}

/// The line that contains byte `at`, from 0.
fn line_of(starts: &[usize], at: usize) -> usize {
    starts.partition_point(|start| *start <= at).saturating_sub(1)
}

/// Whether the line `is` of the newer text is the line `was` of the older one, or stands among those that replaced it.
fn is_same_line(ops: &[DiffOp], was: usize, is: usize) -> bool {
    match ops.get(ops.partition_point(|op| op.old_range().end <= was)) {
        Some(DiffOp::Equal { old_index, new_index, len: _ }) => was - old_index + new_index == is,
        Some(op) => op.new_range().contains(&is),
        None => false,
    }
}

/// The headings above byte `at`.
fn path_at(sections: &[Section], at: usize) -> String {
    let last = sections.partition_point(|section| section.range.start <= at);
    sections[..last].last().map(Section::name).unwrap_or_default()
}
