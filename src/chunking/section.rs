//! The sections of a text: what is under one heading, without the sections below it.
//!
//! Owns heading paths and which headings are text. Knows no sizes.

use std::ops::Range;

use crate::markdown::{Heading, Kind, Mark, Outline, Piece, byte_order_mark, sections::Names};

/// Most blocks of one section.
const MAX_MARKS: usize = 1 << 16;

/// A stretch of text under one heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// Headings above it, outermost first, none of them empty.
    pub(super) path: Vec<String>,
    /// As it is found by, with its number if it is not the first of its name; empty above the first heading.
    pub(super) name: String,
    /// Its range in the body; may be blank.
    pub(super) range: Range<usize>,
    /// Where its blocks begin, ascending.
    pub(super) marks: Vec<Mark>,
}

/// Iterates over the sections of a body, from first to last.
///
/// A section of very many blocks is cut into several with the same headings, to bound the number of marks.
///
/// A heading that is directly followed by one of the same or a higher level, or by the end, has no section. It is a
/// block of the section around it: otherwise an outline without texts would be lost.
pub(super) struct Sections<'a> {
    body: &'a str,
    pieces: Outline<'a>,
    open: Vec<Open>,
    names: Names,
    start: usize,
    marks: Vec<Mark>,
    pending: Option<Heading>,
    is_over: bool,
}

/// A heading above the text that is read.
struct Open {
    level: u8,
    text: String,
    /// Of its section.
    name: String,
}

impl<'a> Sections<'a> {
    pub(super) fn new(body: &'a str) -> Self {
        Self {
            body,
            pieces: Outline::new(body),
            open: Vec::new(),
            names: Names::default(),
            start: byte_order_mark(body),
            marks: Vec::new(),
            pending: None,
            is_over: false,
        }
    }

    /// Takes the next piece; returns the section that it ends, if it ends one.
    fn advance(&mut self) -> Option<Section> {
        match self.pieces.next() {
            Some(Piece::Block(mark)) => {
                let ended = self.pending.take().map(|heading| self.open_below(heading));
                let is_full = self.marks.len() >= MAX_MARKS && mark.depth == 0;
                let ended = ended.or_else(|| is_full.then(|| self.end_section(mark.at)));
                // If one block contains very many others, the first ones are enough.
                if self.marks.len() < 2 * MAX_MARKS {
                    self.marks.push(mark);
                }
                ended
            }
            Some(Piece::Heading(next)) => {
                let ended = self.pending.take().and_then(|heading| match heading.level < next.level {
                    true => Some(self.open_below(heading)),
                    false => self.keep_as_text(&heading),
                });
                self.pending = Some(next);
                ended
            }
            None => match self.pending.take() {
                Some(heading) => self.keep_as_text(&heading),
                None => {
                    self.is_over = true;
                    Some(self.end_section(self.body.len()))
                }
            },
        }
    }

    fn open_below(&mut self, heading: Heading) -> Section {
        let ended = self.end_section(heading.range.start);
        self.start = heading.range.end;
        self.close_down_to(heading.level);
        let name = self.name(&heading.text);
        self.open.push(Open { level: heading.level, text: heading.text, name });
        ended
    }

    fn keep_as_text(&mut self, heading: &Heading) -> Option<Section> {
        let at = heading.range.start;
        let is_child = self.open.last().is_none_or(|open| open.level < heading.level);
        let ended = (!is_child).then(|| self.end_section(at));
        self.close_down_to(heading.level);
        self.name(&heading.text);
        self.marks.push(Mark { at, depth: 0, kind: Kind::Prose });
        ended
    }

    fn close_down_to(&mut self, level: u8) {
        while self.open.pop_if(|open| open.level >= level).is_some() {}
    }

    /// The name of the section of a heading, which is counted with those before it.
    fn name(&mut self, heading: &str) -> String {
        self.names.next(self.open.iter().map(|open| open.text.as_str()), heading)
    }

    fn end_section(&mut self, end: usize) -> Section {
        let path = self.open.iter().map(|open| &open.text).filter(|text| !text.is_empty()).cloned().collect();
        let name = self.open.last().map(|open| open.name.clone()).unwrap_or_default();
        let range = self.start..end;
        self.start = end;
        Section { path, name, range, marks: std::mem::take(&mut self.marks) }
    }
}

impl Iterator for Sections<'_> {
    type Item = Section;

    fn next(&mut self) -> Option<Section> {
        while !self.is_over {
            if let Some(section) = self.advance() {
                return Some(section);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::markdown::sample;

    fn sections(body: &str) -> Vec<(String, &str)> {
        let read = Sections::new(body).map(|section| (section.path.join(" > "), body[section.range].trim()));
        read.filter(|(_, text)| !text.is_empty()).collect()
    }

    fn owned<const N: usize>(expected: [(&str, &'static str); N]) -> Vec<(String, &'static str)> {
        expected.into_iter().map(|(path, text)| (path.to_owned(), text)).collect()
    }

    #[test]
    fn paths_follow_levels_even_where_levels_are_skipped() {
        let body = "top\n\n# A\na\n### B\nb\n## C\nc\n# D\nd\n";
        let expected = [("", "top"), ("A", "a"), ("A > B", "b"), ("A > C", "c"), ("D", "d")];
        assert_eq!(sections(body), owned(expected));
    }

    #[test]
    fn headings_with_nothing_below_are_text_of_the_section_around_them() {
        assert_eq!(sections("# A\n## B\n## C\n"), owned([("A", "## B\n## C")]));
        assert_eq!(
            sections("# A\n## B\nb\n## C\n## D\n# E\n"),
            owned([("A > B", "b"), ("A", "## C\n## D"), ("", "# E")])
        );
    }

    #[test]
    fn a_section_that_is_not_the_first_of_its_name_has_a_number() {
        let body = "# Log\n\n## Notes\n\none\n\n## Notes\n\n# Log\n\n## Notes\n\nthree";
        let named: Vec<_> = Sections::new(body)
            .filter(|section| !body[section.range.clone()].trim().is_empty())
            .map(|section| (section.name, section.path.join(" > ")))
            .collect();
        let path = || "Log > Notes".to_owned();
        assert_eq!(named[0], (path(), path()));
        assert_eq!(named.last(), Some(&("Log > Notes [3]".to_owned(), path())));
    }

    #[test]
    fn text_that_makes_no_block_is_not_lost() {
        let body = "[a]: /x\n\n# A\n[b]: /y\n\ntext\n\n# B\n[c]: /z\n";
        assert_eq!(sections(body), owned([("", "[a]: /x"), ("A", "[b]: /y\n\ntext"), ("", "# B\n[c]: /z")]));
    }

    proptest! {
        #[test]
        fn sections_are_ordered_and_only_headings_lie_between(body in sample::anything()) {
            let mut before = byte_order_mark(&body);
            for section in Sections::new(&body) {
                prop_assert!(section.range.start >= before && section.range.end >= section.range.start);
                let between = body[before..section.range.start].trim();
                prop_assert!(between.is_empty() || between.len() <= 1000, "{between:?}");
                prop_assert!(section.marks.is_sorted_by(|a, b| a.at < b.at));
                prop_assert!(section.marks.iter().all(|mark| section.range.contains(&mark.at)));
                before = section.range.end;
            }
            prop_assert_eq!(before, body.len());
        }
    }
}
