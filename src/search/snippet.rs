//! The best place of a text for a query, as one plain line.

use std::ops::Range;

use crate::{
    fulltext::{Match, Matcher, merged},
    markdown::{Outline, Piece, PlainText, sections::Names},
};

/// Of a text, as much as is looked through for the words. *Units:* bytes.
const LOOKED_THROUGH: usize = 1 << 20;
/// Of a text, as much as is read as markdown before the best place, and behind it. *Units:* bytes.
const READ_AROUND_BYTES: (usize, usize) = (2 << 10, 8 << 10);
/// Of a text, as much as is read before the best place for the headings above it. *Units:* bytes.
const HEADINGS_IN: usize = 128 << 10;
/// Occurrences that are weighed against each other.
const MAX_OCCURRENCES: usize = 2_000;

/// A place in a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Snippet {
    /// One line, cut at words, `…` where it was cut.
    pub(super) text: String,
    /// Headings above it, joined by `" > "`, as a section is found by.
    pub(super) heading_path: String,
    /// Where words of the question stand in `text`: first and behind the last. *Units:* characters.
    pub(super) matches: Vec<(usize, usize)>,
}

/// The window of at most `width` characters in `body` that holds most of what `matcher` looks for; the beginning if it
/// holds nothing of it. Only what stands around it is read as markdown, unless that has none of it: then it stands in
/// the target of a link there, which nobody sees, and perhaps elsewhere for everybody.
pub(super) fn snippet(body: &str, matcher: &Matcher, width: usize) -> Snippet {
    let body = &body[..body.floor_char_boundary(LOOKED_THROUGH)];
    let found = matcher.find(body).0;
    let around = around(body, best_place(&found, matcher, width));
    let shown = of_part(body, around.clone(), matcher, width);
    if found.is_empty() || !shown.matches.is_empty() || around == (0..body.len()) {
        return shown;
    }
    of_part(body, 0..body.len(), matcher, width)
}

/// The same of a part of `body`, which is read as markdown.
fn of_part(body: &str, part: Range<usize>, matcher: &Matcher, width: usize) -> Snippet {
    let plain = PlainText::read(&body[part.clone()]);
    let mut window = window(&plain.text, &matcher.find(&plain.text).0, matcher, width);
    let heading_path = heading_path_at(body, part.start + plain.origin(window.place));
    if part.start > 0 && !window.text.starts_with('…') {
        window.text.insert(0, '…');
        window.matches.iter_mut().for_each(|(start, end)| (*start, *end) = (*start + 1, *end + 1));
    }
    Snippet { text: window.text, heading_path, matches: window.matches }
}

/// A part of a plain line.
pub(super) struct Window {
    /// Cut at words, `…` where it was cut.
    pub(super) text: String,
    /// As in [`Snippet::matches`].
    pub(super) matches: Vec<(usize, usize)>,
    /// Where its best place is in the line. *Units:* bytes.
    place: usize,
}

/// The window of at most `width` characters in a plain line that holds most of what was `found` there.
pub(super) fn window(plain: &str, found: &[Match], matcher: &Matcher, width: usize) -> Window {
    let place = best_place(found, matcher, width);
    // Some words before the first hit are shown with it.
    let lead = if place == 0 { 0 } else { width / 6 };
    let kept = cut(plain, plain.floor_char_boundary(place.saturating_sub(lead)), width);
    let ellipsis = |left_out: &str| if left_out.trim().is_empty() { "" } else { "…" };
    let (before, after) = (ellipsis(&plain[..kept.start]), ellipsis(&plain[kept.end..]));
    let shown = &plain[kept.clone()];
    let matches = marks(shown, kept.start, usize::from(!before.is_empty()), found);
    Window { text: format!("{before}{shown}{after}"), matches, place }
}

/// Where words of the question stand in what is `shown` of a line, from byte `first` of it on and behind so many
/// characters. *Units:* characters.
fn marks(shown: &str, first: usize, behind: usize, found: &[Match]) -> Vec<(usize, usize)> {
    let within = |found: &&Match| found.range.start >= first && found.range.end <= first + shown.len();
    let ranges = found.iter().filter(within).map(|found| found.range.start - first..found.range.end - first).collect();
    let (mut characters, mut counted) = (behind, 0);
    let mut characters_to = |byte: usize| {
        characters += shown[counted..byte].chars().count();
        counted = byte;
        characters
    };
    merged(ranges).into_iter().map(|range| (characters_to(range.start), characters_to(range.end))).collect()
}

/// What is read of `body` around a place: from the beginning of a line to the end of one, if they are near.
fn around(body: &str, place: usize) -> Range<usize> {
    let first = body.floor_char_boundary(place.saturating_sub(READ_AROUND_BYTES.0));
    let last = body.floor_char_boundary(place.saturating_add(READ_AROUND_BYTES.1));
    let line = if first == 0 { Some(0) } else { body[first..place].find('\n').map(|newline| first + newline + 1) };
    let end =
        if last == body.len() { last } else { body[place..last].rfind('\n').map_or(last, |newline| place + newline) };
    line.unwrap_or(first)..end
}

/// The headings above a place, joined by `" > "`, with a number if they are not the first of this name; of a long text
/// those that are not too far above it.
fn heading_path_at(body: &str, offset: usize) -> String {
    let (mut path, mut names, mut name) = (Vec::<(u8, String)>::new(), Names::default(), String::new());
    let from = body.floor_char_boundary(offset.saturating_sub(HEADINGS_IN));
    let from = if from == 0 { 0 } else { body[from..].find('\n').map_or(from, |newline| from + newline + 1) };
    let end = body.floor_char_boundary(offset.saturating_add(READ_AROUND_BYTES.1));
    for piece in Outline::new(&body[from.min(end)..end]) {
        let Piece::Heading(heading) = piece else { continue };
        if from + heading.range.start > offset {
            break;
        }
        path.retain(|(level, _)| *level < heading.level);
        name = names.next(path.iter().map(|(_, text)| text.as_str()), &heading.text);
        path.push((heading.level, heading.text));
    }
    if from == 0 {
        return name;
    }
    // What stands above `from` was not counted: a number would be another section's.
    let names: Vec<_> = path.iter().map(|(_, text)| text.as_str()).filter(|text| !text.is_empty()).collect();
    names.join(" > ")
}

/// Where the first hit of the best window is; 0 if there is none. *Units:* bytes.
fn best_place(found: &[Match], matcher: &Matcher, width: usize) -> usize {
    let found = &found[..found.len().min(MAX_OCCURRENCES)];
    let mut counts = vec![0_u32; matcher.terms().len()];
    let (mut first, mut worth, mut best) = (0, 0.0, (0.0, 0));
    for last in 0..found.len() {
        let (at, term) = (found[last].range.start, found[last].term);
        if counts[term] == 0 {
            worth += matcher.weight(term);
        }
        counts[term] += 1;
        while at - found[first].range.start > width / 2 {
            let gone = found[first].term;
            counts[gone] -= 1;
            if counts[gone] == 0 {
                worth -= matcher.weight(gone);
            }
            first += 1;
        }
        if worth > best.0 + 1e-9 {
            best = (worth, found[first].range.start);
        }
    }
    best.1
}

/// `width` characters from `start`, from the beginning of a word to the end of one, without white space at the ends.
fn cut(text: &str, start: usize, width: usize) -> Range<usize> {
    let head = &text[..start];
    // Back to the beginning of the word, if that is near.
    let start = match head.rfind(' ') {
        Some(space) if start - space < 40 => space + 1,
        None if start < 40 => 0,
        Some(_) | None => start,
    };
    let rest = &text[start..];
    let end = rest.char_indices().nth(width).map_or(rest.len(), |(at, _)| at);
    let kept = if end == rest.len() { rest } else { back_to_a_word(&rest[..end]) };
    let trimmed = kept.trim();
    let start = start + kept.len() - kept.trim_start().len();
    start..start + trimmed.len()
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

    use crate::fulltext::{Languages, Term};

    fn matcher(question: &str) -> Matcher {
        let languages = Languages::of("english", [].into_iter());
        let terms = Term::all_of(question, &languages);
        Matcher::new(languages, terms, Vec::new())
    }

    #[test]
    fn the_window_with_most_terms_wins() {
        let body = format!("# Top\n\n{}\n\n## Deep\n\nThe *quick* fox jumps.\n", "Filler text. ".repeat(60));
        let found = snippet(&body, &matcher("quick fox"), 80);
        assert!(found.text.contains("quick fox"), "{found:?}");
        assert_eq!(found.heading_path, "Top > Deep");
        let marked: Vec<String> = found
            .matches
            .iter()
            .map(|(start, end)| found.text.chars().skip(*start).take(end - start).collect())
            .collect();
        assert_eq!(marked, ["quick", "fox"]);
    }

    #[test]
    fn without_a_term_it_is_the_beginning() {
        assert_eq!(snippet("# T\n\nHello *world*.", &matcher("absent"), 80).text, "T: Hello world.");
        assert_eq!(snippet("", &matcher(""), 80).text, "");
    }

    #[test]
    fn what_nobody_sees_is_no_place() {
        let filler = "Filler text. ".repeat(2_000);
        let unseen = "[1]: quick/fox.html\n\n<!-- the quick fox -->\n\n[a](quick-fox)\n\n".repeat(20);
        for body in
            [format!("{filler}\n\nA quick one.\n\n{filler}\n\n{unseen}"), format!("{unseen}\n{filler} A quick one.")]
        {
            let found = snippet(&body, &matcher("quick fox"), 80);
            assert!(found.text.contains("quick") && found.matches.len() == 1, "{found:?}");
        }
    }

    #[test]
    fn a_place_far_down_in_a_long_text_is_found_with_its_headings() {
        let body =
            format!("# Top\n\n{}\n\n## Deep\n\nThe quick fox.\n\n{}", "Filler.\n".repeat(9_000), "End. ".repeat(9_000));
        let found = snippet(&body, &matcher("quick"), 80);
        assert!(found.text.contains("quick fox"), "{found:?}");
        assert_eq!(found.heading_path, "Top > Deep");
    }

    proptest! {
        #[test]
        fn it_is_never_much_longer_than_asked(body in any::<String>(), term in any::<String>(), width in 10usize..200) {
            let found = snippet(&body, &matcher(&term), width);
            prop_assert!(found.text.chars().count() <= width + 43);
            prop_assert!(!found.text.contains('\n'));
            let length = found.text.chars().count();
            prop_assert!(found.matches.iter().all(|(start, end)| start < end && *end <= length));
        }
    }
}
