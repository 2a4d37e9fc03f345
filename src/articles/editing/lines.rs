//! Inserts lines into a text.

use std::ops::Range;

/// The line end that `text` uses.
pub(super) fn line_end(text: &str) -> &'static str {
    match text.split_once('\n') {
        Some((line, _)) if line.ends_with('\r') => "\r\n",
        Some(_) | None => "\n",
    }
}

/// Returns `text` without blank lines around it, with the line end `end` between its lines.
pub(super) fn fit_lines(text: &str, end: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let is_blank = |line: &&str| line.trim().is_empty();
    let first = lines.iter().position(|line| !is_blank(line)).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !is_blank(line)).map_or(first, |last| last + 1);
    lines[first..last].join(end)
}

/// Inserts `text` as separate lines at `at`, which is the beginning of a line or the end of the body.
pub(super) fn insert_lines(body: &str, at: usize, text: &str) -> String {
    let end = line_end(body);
    let (before, after, text) = (&body[..at], &body[at..], fit_lines(text, end));
    let mut result = String::with_capacity(body.len() + text.len() + 8);
    result.push_str(before);
    if !before.is_empty() && !before.ends_with('\n') {
        result.push_str(end);
    }
    let (first, last) = (text.lines().next().unwrap_or(""), text.lines().next_back().unwrap_or(""));
    if ends_with_text(before) && !goes_on(before, first) {
        result.push_str(end);
    }
    result.push_str(&text);
    match after.lines().next() {
        None if before.is_empty() || before.ends_with('\n') => result.push_str(end),
        None => {}
        Some(below) => {
            result.push_str(end);
            if !below.trim().is_empty() && !goes_on(last, below) {
                result.push_str(end);
            }
        }
    }
    result.push_str(after);
    result
}

/// Where `text` goes that is to be inserted at `at`: behind the list or table that ends there, above the blank lines
/// that follow it, if it goes on with that.
pub(super) fn place_for(body: &str, at: usize, text: &str) -> usize {
    let before = body[..at].trim_end();
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    if !goes_on(before, first) {
        return at;
    }
    let line_end = body[before.len()..at].find('\n').map_or(at, |newline| before.len() + newline + 1);
    line_end.min(at)
}

fn ends_with_text(text: &str) -> bool {
    text.lines().next_back().is_some_and(|line| !line.trim().is_empty())
}

/// Whether a line belongs to the end of `above` without a blank one between them: an item to a list, a row to a table.
fn goes_on(above: &str, below: &str) -> bool {
    let is_row = |line: &str| line.trim_start().starts_with('|');
    let is_continuation = |line: &&str| line.starts_with([' ', '\t']) && !line.trim().is_empty() && !is_item(line);
    let mut lines = above.lines().rev();
    let last = lines.next().unwrap_or("");
    let item = std::iter::once(last).chain(lines).find(|line| !is_continuation(line)).unwrap_or("");
    (is_item(item) && is_item(below)) || (is_row(last) && is_row(below))
}

fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let mark = if digits > 0 { line[digits..].strip_prefix(['.', ')']) } else { line.strip_prefix(['-', '*', '+']) };
    mark.is_some_and(|rest| rest.starts_with([' ', '\t']))
}

/// The range of the lines of `body[range]` without blank ones around them and the last line break; `None` if all are
/// blank.
pub(super) fn content(body: &str, range: Range<usize>) -> Option<Range<usize>> {
    let text = &body[range.clone()];
    let mut at = range.start;
    let mut found: Option<Range<usize>> = None;
    for line in text.split_inclusive('\n') {
        let words = line.trim_end_matches(['\n', '\r']);
        if !words.trim().is_empty() {
            let start = found.map_or(at, |found| found.start);
            found = Some(start..at + words.len());
        }
        at += line.len();
    }
    found
}

/// The number of the line that contains `at`, from 1.
pub(super) fn line_number(body: &str, at: usize) -> usize {
    body.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count() + 1
}
