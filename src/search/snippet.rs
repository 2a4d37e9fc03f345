//! The best place of a text for a query, as one plain line.

use std::ops::Range;

use crate::markdown::{Outline, Piece, PlainText};

/// Of a text, as much as is looked through for the words. *Units:* bytes.
const LOOKED_THROUGH: usize = 1 << 20;
/// Of a text, as much as is read as markdown before the best place, and behind it. *Units:* bytes.
const READ: (usize, usize) = (2 << 10, 8 << 10);
/// Of a text, as much as is read before the best place for the headings above it. *Units:* bytes.
const HEADINGS_IN: usize = 128 << 10;
/// Occurrences that are weighed against each other.
const MOST_OCCURRENCES: usize = 2_000;

/// A place in a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snippet {
    /// One line, cut at words, `…` where it was cut.
    pub text: String,
    /// Headings above it, joined by `" > "`.
    pub heading_path: String,
}

/// The window of at most `width` characters in `body` that holds most different `terms` (lower case); the beginning if
/// it holds none. Only what stands around it is read as markdown.
pub fn snippet(body: &str, terms: &[String], width: usize) -> Snippet {
    let body = &body[..body.floor_char_boundary(LOOKED_THROUGH)];
    let around = around(body, best_place(body, terms, width));
    let plain = PlainText::read(&body[around.clone()]);
    let found = best_place(&plain.text, terms, width);
    // Some words before the first hit are shown with it.
    let lead = if found == 0 { 0 } else { width / 6 };
    let start = plain.text.floor_char_boundary(found.saturating_sub(lead));
    let heading_path = heading_path_at(body, around.start + plain.origin(found));
    let mut text = cut(&plain.text, start, width);
    if around.start > 0 && start == 0 {
        text.insert(0, '…');
    }
    Snippet { text, heading_path }
}

/// What is read of `body` around a place: from the beginning of a line to the end of one, if they are near.
fn around(body: &str, place: usize) -> Range<usize> {
    let first = body.floor_char_boundary(place.saturating_sub(READ.0));
    let last = body.floor_char_boundary(place.saturating_add(READ.1));
    let line = if first == 0 { Some(0) } else { body[first..place].find('\n').map(|newline| first + newline + 1) };
    let end =
        if last == body.len() { last } else { body[place..last].rfind('\n').map_or(last, |newline| place + newline) };
    line.unwrap_or(first)..end
}

/// The headings above a place, joined by `" > "`; of a long text those that are not too far above it.
pub fn heading_path_at(body: &str, offset: usize) -> String {
    let mut path: Vec<(u8, String)> = Vec::new();
    let from = body.floor_char_boundary(offset.saturating_sub(HEADINGS_IN));
    let from = if from == 0 { 0 } else { body[from..].find('\n').map_or(from, |newline| from + newline + 1) };
    let end = body.floor_char_boundary(offset.saturating_add(READ.1));
    for piece in Outline::new(&body[from.min(end)..end]) {
        let Piece::Heading(heading) = piece else { continue };
        if from + heading.range.start > offset {
            break;
        }
        path.retain(|(level, _)| *level < heading.level);
        path.push((heading.level, heading.text));
    }
    path.into_iter().map(|(_, text)| text).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" > ")
}

/// Where the first hit of the best window is; 0 if there is none. *Units:* bytes.
fn best_place(text: &str, terms: &[String], width: usize) -> usize {
    // ASCII lower case keeps every byte where it is; the terms of other scripts are looked for as they stand.
    let lower = text.to_ascii_lowercase();
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (term, words) in terms.iter().enumerate().filter(|(_, words)| !words.is_empty()) {
        let stem = stem(words);
        found.extend(lower.match_indices(stem).map(|(at, _)| (at, term)).take(MOST_OCCURRENCES));
    }
    found.sort_unstable();
    let mut counts = vec![0_u32; terms.len()];
    let (mut first, mut distinct, mut best) = (0, 0, (0, 0));
    for last in 0..found.len() {
        let (at, term) = found[last];
        distinct += u32::from(counts[term] == 0);
        counts[term] += 1;
        while at - found[first].0 > width / 2 {
            let gone = found[first].1;
            counts[gone] -= 1;
            distinct -= u32::from(counts[gone] == 0);
            first += 1;
        }
        if distinct > best.0 {
            best = (distinct, found[first].0);
        }
    }
    best.1
}

/// The index stems words; the beginning of a word finds its other forms.
fn stem(word: &str) -> &str {
    const SHORTEST: usize = 5;
    let is_long = word.is_ascii() && word.len() > SHORTEST;
    if is_long { word.strip_suffix("ing").or_else(|| word.strip_suffix('s')).unwrap_or(word) } else { word }
}

/// `width` characters from `start`, from the beginning of a word to the end of one.
fn cut(text: &str, start: usize, width: usize) -> String {
    let head = &text[..start];
    // Back to the beginning of the word, if that is near.
    let start = match head.rfind(' ') {
        Some(space) if start - space < 40 => space + 1,
        None if start < 40 => 0,
        Some(_) | None => start,
    };
    let rest = &text[start..];
    let end = rest.char_indices().nth(width).map_or(rest.len(), |(at, _)| at);
    let whole = end == rest.len();
    let kept = if whole { rest } else { back_to_a_word(&rest[..end]) };
    let (before, after) = (if start > 0 { "…" } else { "" }, if whole { "" } else { "…" });
    format!("{before}{}{after}", kept.trim())
}

fn back_to_a_word(text: &str) -> &str {
    match text.rfind(' ') {
        Some(space) if text.len() - space < 40 && space > 0 => &text[..space],
        Some(_) | None => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_window_with_most_terms_wins() {
        let body = format!("# Top\n\n{}\n\n## Deep\n\nThe *quick* fox jumps.\n", "Filler text. ".repeat(60));
        let found = snippet(&body, &["quick".into(), "fox".into()], 80);
        assert!(found.text.contains("quick fox"), "{found:?}");
        assert_eq!(found.heading_path, "Top > Deep");
    }

    #[test]
    fn without_a_term_it_is_the_beginning() {
        assert_eq!(snippet("# T\n\nHello *world*.", &["absent".into()], 80).text, "T: Hello world.");
        assert_eq!(snippet("", &[], 80).text, "");
    }

    #[test]
    fn a_place_far_down_in_a_long_text_is_found_with_its_headings() {
        let body =
            format!("# Top\n\n{}\n\n## Deep\n\nThe quick fox.\n\n{}", "Filler.\n".repeat(9_000), "End. ".repeat(9_000));
        let found = snippet(&body, &["quick".into()], 80);
        assert!(found.text.contains("quick fox"), "{found:?}");
        assert_eq!(found.heading_path, "Top > Deep");
    }

    proptest! {
        #[test]
        fn it_is_never_much_longer_than_asked(body in any::<String>(), term in any::<String>(), width in 10usize..200) {
            let found = snippet(&body, &[term.to_lowercase()], width);
            prop_assert!(found.text.chars().count() <= width + 43);
            prop_assert!(!found.text.contains('\n'));
        }
    }
}
