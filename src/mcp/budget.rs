//! How long one answer to an agent may be. What does not fit comes with the next page.

use serde::Serialize;

/// Longest answer as it is sent. *Units:* bytes.
pub(super) const MAX_ANSWER_BYTES: usize = 8_000;
/// Part of an answer reserved for everything but its list or text. *Units:* bytes.
const FRAME_BYTES: usize = 1_200;

/// Part of an answer that is one text, reserved for what the protocol puts around it. *Units:* bytes.
const ENVELOPE_BYTES: usize = 200;
/// What the text of an answer takes that is nothing else. *Units:* bytes within JSON.
pub(super) const MAX_TEXT_BYTES: usize = MAX_ANSWER_BYTES - ENVELOPE_BYTES;
/// Longest text of an answer whose call asks for more than fits into a usual one. *Units:* bytes within JSON.
pub(super) const MAX_ASKED_TEXT_BYTES: usize = 1 << 20;
/// Less room is not worth the beginning of a line. *Units:* bytes.
const MIN_LINE_BYTES: usize = 24;

/// Ends what was cut of a difference.
const CUT_MARK: &str = "… (cut; read_article has the present text)\n";

/// Returns the first of `items` that fit into one answer; at least one.
pub(super) fn fitting<T: Serialize>(items: Vec<T>) -> Vec<T> {
    fitting_into(items, MAX_ANSWER_BYTES - FRAME_BYTES)
}

/// The same for half of an answer.
pub(super) fn fitting_half<T: Serialize>(items: Vec<T>) -> Vec<T> {
    fitting_into(items, (MAX_ANSWER_BYTES - FRAME_BYTES) / 2)
}

/// The same for a quarter of an answer; [`changes`] leaves that much.
pub(super) fn fitting_beside_changes<T: Serialize>(items: Vec<T>) -> Vec<T> {
    fitting_into(items, (MAX_ANSWER_BYTES - FRAME_BYTES) / 4)
}

fn fitting_into<T: Serialize>(items: Vec<T>, mut room: usize) -> Vec<T> {
    let mut kept = Vec::with_capacity(items.len());
    for item in items {
        let weight = weight(&item);
        if weight > room && !kept.is_empty() {
            break;
        }
        room = room.saturating_sub(weight);
        kept.push(item);
    }
    kept
}

/// The size of a value in an answer, which has it twice: as structure, and as text within JSON.
fn weight(value: &impl Serialize) -> usize {
    let text = serde_json::to_string(value).unwrap_or_default();
    text.len() + text.chars().map(in_json).sum::<usize>()
}

/// What `text` takes in an answer that has it once. *Units:* bytes.
pub(super) fn length(text: &str) -> usize {
    text.chars().map(in_json).sum()
}

/// The beginning of `text` that takes no more than `room` bytes in an answer that has it once.
pub(super) fn beginning_within(text: &str, room: usize) -> &str {
    prefix_within(text, room, in_json)
}

/// Returns a line, or its beginning with `…`, that takes no more than `room` bytes; `None` if that is too little for
/// any.
pub(super) fn line_within(line: &str, room: usize) -> Option<String> {
    if length(line) <= room {
        return Some(line.to_owned());
    }
    let beginning = || format!("{}…", beginning_within(line, room - '…'.len_utf8()));
    (room >= MIN_LINE_BYTES).then(beginning)
}

/// The beginning of `text` that fits into an answer that has it twice.
fn beginning_of_structured(text: &str, room: usize) -> &str {
    prefix_within(text, room, |c| {
        let mut escaped = [0; 4];
        let within: usize = match c {
            '"' | '\\' => 4,
            c if c.is_control() => 1 + in_json(c),
            c => c.encode_utf8(&mut escaped).len(),
        };
        in_json(c) + within
    })
}

/// A difference, as `diff -u` shows it, as far as three quarters of an answer have room for it: whole lines, and a sign
/// where it was cut.
pub(super) fn changes(text: &str) -> String {
    let room = (MAX_ANSWER_BYTES - FRAME_BYTES) / 4 * 3;
    if beginning_of_structured(text, room).len() == text.len() {
        return text.to_owned();
    }
    let begin = beginning_of_structured(text, room - 3 * CUT_MARK.len());
    let end = begin.rfind('\n').map_or(begin.len(), |newline| newline + 1);
    [&begin[..end], CUT_MARK].concat()
}

fn prefix_within(text: &str, mut room: usize, weight: impl Fn(char) -> usize) -> &str {
    for (at, c) in text.char_indices() {
        let Some(left) = room.checked_sub(weight(c)) else { return &text[..at] };
        room = left;
    }
    text
}

/// Bytes of a character within a JSON text.
fn in_json(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        c => c.len_utf8(),
    }
}

/// Returns at most `most` characters, with `…` where it was cut.
pub(super) fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_kept_fits_and_nothing_more_would(text in "([a-z \n\"\\\\\u{1}文]{1,300}){1,60}") {
            let once = beginning_within(&text, MAX_TEXT_BYTES);
            prop_assert!(serde_json::to_string(once).expect("JSON").len() <= MAX_TEXT_BYTES + 2);
            let twice = beginning_of_structured(&text, MAX_ANSWER_BYTES - FRAME_BYTES);
            let structured = serde_json::to_string(twice).expect("JSON");
            let nested = serde_json::to_string(&structured).expect("JSON");
            prop_assert!(structured.len() + nested.len() <= MAX_ANSWER_BYTES - FRAME_BYTES + 8);
            prop_assert!(text.starts_with(once) && text.starts_with(twice));
            if once.len() < text.len() {
                let more = text[..].chars().take(once.chars().count() + 1).collect::<String>();
                prop_assert!(serde_json::to_string(&more).expect("JSON").len() > MAX_TEXT_BYTES + 2);
            }
        }

        #[test]
        fn a_difference_that_is_cut_says_so_and_fits(lines in prop::collection::vec("[a-z文\"]{0,40}", 1..900)) {
            let text: String = lines.iter().map(|line| format!("+{line}\n")).collect();
            let shown = changes(&text);
            prop_assert!(weight(&shown) <= (MAX_ANSWER_BYTES - FRAME_BYTES) / 4 * 3 + 8);
            match shown.strip_suffix(CUT_MARK) {
                Some(begin) => prop_assert!(text.starts_with(begin) && (begin.is_empty() || begin.ends_with('\n'))),
                None => prop_assert_eq!(shown, text),
            }
        }

        #[test]
        fn lists_keep_at_least_one_and_what_fits(items in prop::collection::vec("[a-z\"文]{0,900}", 1..40)) {
            let kept = fitting(items.clone());
            prop_assert!(!kept.is_empty() && kept[..] == items[..kept.len()]);
            let total: usize = kept.iter().map(weight).sum();
            prop_assert!(kept.len() == 1 || total <= MAX_ANSWER_BYTES - FRAME_BYTES);
        }
    }
}
