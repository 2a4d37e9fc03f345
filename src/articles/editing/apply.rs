//! Applying edits to a text.

use std::{borrow::Cow, collections::HashSet, ops::Range};

use super::{
    Edit, EditError, Fault, SectionChange,
    error::{self, quote},
    lines::{content, fit_lines, insert_lines, line_end, line_number, place_for},
};
use crate::{
    articles::front_matter,
    markdown::{
        byte_order_mark,
        sections::{Section, SectionMatch, meant, sections},
    },
};

/// Most edits of one call: each searches the whole text.
pub(crate) const MAX_EDITS: usize = 100;
/// Most places that are named.
const MAX_NAMED_PLACES: usize = 10;

/// Returns `body` after all `edits`, each of which is applied to the result of those before it. No text in between may
/// be larger than `most`. *Units:* bytes.
///
/// # Errors
/// [`EditError`] for the first that cannot be applied.
pub fn apply(body: &str, edits: &[Edit], most: u64) -> Result<String, EditError> {
    let of = edits.len();
    if edits.is_empty() {
        return Err(EditError { number: 1, of: 1, fault: Fault::NoEdit });
    }
    if of > MAX_EDITS {
        return Err(EditError { number: of, of, fault: Fault::ManyEdits { most: MAX_EDITS } });
    }
    let mut text = body.to_owned();
    for (position, edit) in edits.iter().enumerate() {
        let fault = |fault| EditError { number: position + 1, of, fault };
        check_size(size_after(&text, edit), most).map_err(fault)?;
        text = one(&text, edit).map_err(fault)?;
    }
    Ok(text)
}

/// The size of `body` after `edit`, at least, except for some line ends. *Units:* bytes.
fn size_after(body: &str, edit: &Edit) -> u64 {
    let inserted = match edit {
        Edit::Append(text) | Edit::Prepend(text) => text.len(),
        Edit::Section { change, .. } => match change {
            SectionChange::InsertBefore(text) | SectionChange::InsertAfter(text) => text.len(),
            SectionChange::Replace(_) | SectionChange::Delete => 0,
        },
        Edit::Replace { find, replace, count } => replace.len().saturating_sub(find.len()).saturating_mul(*count),
    };
    body.len().saturating_add(inserted) as u64
}

fn check_size(size: u64, most: u64) -> Result<(), Fault> {
    if size > most { Err(Fault::TooLarge { size, limit: most }) } else { Ok(()) }
}

fn one(body: &str, edit: &Edit) -> Result<String, Fault> {
    match edit {
        Edit::Append(text) => block(body, body.len(), text),
        Edit::Prepend(text) => block(body, beginning(body), text),
        Edit::Section { section, change } => in_section(body, section, change),
        Edit::Replace { find, replace, count } => replaced(body, find, replace, *count),
    }
}

/// Where the text begins, after a byte order mark and front matter.
pub(super) fn beginning(body: &str) -> usize {
    front_matter::length(body).max(byte_order_mark(body))
}

/// The sections of a text, without front matter.
pub(crate) fn sections_of(body: &str) -> Vec<Section> {
    let from = front_matter::length(body);
    let mut all = sections(&body[from..]);
    for section in &mut all {
        for range in [&mut section.heading, &mut section.range] {
            *range = range.start + from..range.end + from;
        }
    }
    all
}

/// Adds text at the beginning of a line.
fn block(body: &str, at: usize, text: &str) -> Result<String, Fault> {
    if text.trim().is_empty() {
        return Err(Fault::NoText);
    }
    let at = place_for(body, at, text);
    let result = insert_lines(body, at, text);
    unswallowed(&body[at..], &result)?;
    Ok(result)
}

fn in_section(body: &str, wanted: &str, change: &SectionChange) -> Result<String, Fault> {
    let section = find(body, wanted)?;
    match change {
        SectionChange::InsertBefore(text) => block(body, section.range.start, text),
        SectionChange::InsertAfter(text) => block(body, section.range.end, text),
        SectionChange::Delete => Ok(without(body, &section)),
        SectionChange::Replace(text) => {
            let result = in_place(body, &section, text);
            unswallowed(&body[section.range.end..], &result)?;
            Ok(result)
        }
    }
}

/// Removes a section; the text before and after it stays, with a blank line between if needed.
fn without(body: &str, section: &Section) -> String {
    let (before, behind) = (&body[..section.range.start], &body[section.range.end..]);
    let joined = [before, behind].concat();
    if unswallowed(behind, &joined).is_ok() { joined } else { [before, line_end(body), behind].concat() }
}

/// Replaces the text below the heading; blank lines around it stay.
fn in_place(body: &str, section: &Section, text: &str) -> String {
    let text = fit_lines(text, line_end(body));
    let brings_heading =
        sections(&text).first().is_some_and(|first| first.heading.start == 0 && first.level == section.level);
    let below = section.heading.end..section.range.end;
    let old = if brings_heading { content(body, section.range.clone()) } else { content(body, below.clone()) };
    match old {
        Some(old) => [&body[..old.start], &text, &body[old.end..]].concat(),
        None if text.is_empty() => body.to_owned(),
        None => insert_lines(body, below.start, &text),
    }
}

/// Finds the one section of this name.
fn find(body: &str, wanted: &str) -> Result<Section, Fault> {
    let mut all = sections_of(body);
    let SectionMatch { found, name, number } = meant(&all, wanted);
    let one = match (found.as_slice(), number) {
        ([one], None) => Some(*one),
        (several, Some(number)) => several.get(number.wrapping_sub(1)).copied(),
        _ => None,
    };
    match one {
        Some(one) => Ok(all.swap_remove(one)),
        None if found.is_empty() => {
            let names = all.iter().map(Section::name).filter(|name| !name.is_empty()).collect();
            Err(Fault::NoSection { wanted: wanted.to_owned(), names })
        }
        None => {
            let names = found.iter().enumerate().take(error::MAX_LISTED);
            let names = names.map(|(nth, &section)| told(body, &all[section], name, nth + 1)).collect();
            Err(Fault::SeveralSections { count: found.len(), wanted: name.to_owned(), names })
        }
    }
}

/// A name by which one of several sections can be found.
fn told(body: &str, section: &Section, name: &str, number: usize) -> String {
    let line = line_number(body, section.heading.start);
    format!("\"{name} [{number}]\" ({}, line {line})", section.name())
}

/// Checks that the text after the edit still has its headings.
fn unswallowed(behind: &str, result: &str) -> Result<(), Fault> {
    let at = result.len() - behind.len();
    let found: HashSet<_> =
        sections(result).into_iter().map(|section| (section.heading.start, section.level)).collect();
    let is_gone = |section: &Section| !found.contains(&(at + section.heading.start, section.level));
    match sections(behind).iter().find(|section| is_gone(section)) {
        Some(section) => Err(Fault::Swallows { heading: section.title().to_owned() }),
        None => Ok(()),
    }
}

fn replaced(body: &str, find: &str, replace: &str, expected: usize) -> Result<String, Fault> {
    if find.is_empty() {
        return Err(Fault::NothingToFind);
    }
    let find = as_written(body, find);
    let replace = match &find {
        Cow::Owned(_) => with_carriage_returns(replace),
        Cow::Borrowed(_) => replace.to_owned(),
    };
    let places: Vec<usize> = body.match_indices(&*find).map(|(at, _)| at).collect();
    if places.is_empty() {
        return Err(Fault::NotFound { near: near(body, &find) });
    }
    if places.len() != expected {
        let line = |at: usize| -> Range<usize> {
            let start = body[..at].rfind('\n').map_or(0, |newline| newline + 1);
            start..body[at..].find('\n').map_or(body.len(), |newline| at + newline)
        };
        let place = |&at: &usize| format!("line {}: {}", line_number(body, at), quote(body[line(at)].trim()));
        let places_told = places.iter().take(MAX_NAMED_PLACES).map(place).collect();
        return Err(Fault::Count { found: places.len(), expected, places: places_told });
    }
    Ok(body.replace(&*find, &replace))
}

/// Where a text to find is in `body`.
pub(super) fn occurrences(body: &str, find: &str) -> Vec<usize> {
    if find.is_empty() {
        return Vec::new();
    }
    body.match_indices(&*as_written(body, find)).map(|(at, _)| at).collect()
}

/// The text to find with the line ends of `body`: a caller that reads the text sees no carriage returns.
fn as_written<'f>(body: &str, find: &'f str) -> Cow<'f, str> {
    if body.contains(find) || line_end(body) != "\r\n" { find.into() } else { with_carriage_returns(find).into() }
}

fn with_carriage_returns(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

/// Finds a line that has the words that were looked for, in another case or spacing.
fn near(body: &str, find: &str) -> Option<String> {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let wanted = find.lines().map(words).find(|line| !line.is_empty())?;
    let mut lines = body.lines().enumerate();
    let (number, line) = lines.find(|(_, line)| words(line).contains(&wanted))?;
    Some(format!("line {}: \"{}\"", number + 1, quote(line.trim())))
}
