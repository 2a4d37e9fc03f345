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
pub(super) fn fitted(text: &str, end: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let is_blank = |line: &&str| line.trim().is_empty();
    let first = lines.iter().position(|line| !is_blank(line)).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !is_blank(line)).map_or(first, |last| last + 1);
    lines[first..last].join(end)
}

/// Inserts `text` as separate lines at `at`, which is the beginning of a line or the end of the body.
pub(super) fn inserted(body: &str, at: usize, text: &str) -> String {
    let end = line_end(body);
    let (before, after, text) = (&body[..at], &body[at..], fitted(text, end));
    let mut result = String::with_capacity(body.len() + text.len() + 8);
    result.push_str(before);
    if !before.is_empty() && !before.ends_with('\n') {
        result.push_str(end);
    }
    let (first, last) = (text.lines().next().unwrap_or(""), text.lines().next_back().unwrap_or(""));
    if let Some(above) = last_line(before)
        && !goes_on(above, first)
    {
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

/// The last line, if it is not blank.
fn last_line(text: &str) -> Option<&str> {
    text.lines().next_back().filter(|line| !line.trim().is_empty())
}

/// Whether two lines belong together without a blank one between them: items of a list, rows of a table.
fn goes_on(above: &str, below: &str) -> bool {
    let is_row = |line: &str| line.trim_start().starts_with('|');
    (is_item(above) && is_item(below)) || (is_row(above) && is_row(below))
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
