//! The sections of a text: a heading, and everything up to the next heading of the same or a higher level.
//!
//! Owns how a section is named by the headings above it. Reads blocks through [`Outline`], so that a `#` in a fence, a
//! quotation or a list is not a heading.

use std::{ops::Range, sync::Arc};

use super::{Heading, Outline, Piece};

/// Separates the headings of a path, as searches show it.
const BETWEEN: &str = " > ";

/// A section of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    /// 1 for the highest, 6 for the lowest.
    pub(crate) level: u8,
    /// The lines of the heading, with their end.
    pub(crate) heading: Range<usize>,
    /// All of it: the heading, and its text.
    pub(crate) range: Range<usize>,
    chain: Arc<Chain>,
}

/// The words of a heading, and the headings above it. Sections share what is above them: there may be very many below a
/// long heading.
#[derive(Debug, PartialEq, Eq)]
struct Chain {
    title: String,
    above: Option<Arc<Chain>>,
}

impl Section {
    /// Returns the name by which it is found: `Guide > Tides`. Headings without words are left out.
    pub(crate) fn name(&self) -> String {
        let chain = std::iter::successors(Some(&self.chain), |chain| chain.above.as_ref());
        let mut path: Vec<_> = chain.map(|chain| chain.title.as_str()).filter(|title| !title.is_empty()).collect();
        path.reverse();
        path.join(BETWEEN)
    }

    /// Returns the words of its heading.
    pub(crate) fn title(&self) -> &str {
        &self.chain.title
    }
}

/// Returns all sections, in the order of their headings.
pub(crate) fn sections(body: &str) -> Vec<Section> {
    let headings: Vec<Heading> = Outline::new(body)
        .filter_map(|piece| match piece {
            Piece::Heading(heading) => Some(heading),
            Piece::Block(_) => None,
        })
        .collect();
    let ends = ends(&headings, body.len());
    let mut above: Vec<(u8, Arc<Chain>)> = Vec::new();
    let sections = headings.into_iter().zip(ends).map(|(heading, end)| {
        above.retain(|(level, _)| *level < heading.level);
        let chain = Chain { title: heading.text, above: above.last().map(|(_, chain)| Arc::clone(chain)) };
        let chain = Arc::new(chain);
        above.push((heading.level, Arc::clone(&chain)));
        let Range { start, end: last } = heading.range;
        let heading_end = end_of_line(body, last.saturating_sub(1).max(start));
        Section { level: heading.level, heading: start..heading_end, range: start..end, chain }
    });
    sections.collect()
}

/// Where each section ends, in one pass over the headings.
fn ends(headings: &[Heading], length: usize) -> Vec<usize> {
    let (mut ends, mut open) = (vec![length; headings.len()], Vec::<usize>::new());
    for (position, heading) in headings.iter().enumerate() {
        while let Some(&last) = open.last()
            && headings[last].level >= heading.level
        {
            ends[last] = heading.range.start;
            open.pop();
        }
        open.push(position);
    }
    ends
}

/// Returns the sections that `wanted` may mean, in their order: those with this heading, else those at the end of this
/// chain of headings (`Guide > Tides`, whole or its last part, perhaps cut with `…`).
pub(crate) fn named(sections: &[Section], wanted: &str) -> Vec<usize> {
    let name = wanted.trim_start_matches('#').trim().to_lowercase();
    let all = |means: &dyn Fn(&Section) -> bool| -> Vec<usize> {
        sections.iter().enumerate().filter(|(_, section)| means(section)).map(|(position, _)| position).collect()
    };
    let exact = all(&|section| section.title().to_lowercase() == name);
    if !exact.is_empty() {
        return exact;
    }
    let parts: Vec<_> = name.split('>').map(str::trim).collect();
    let joined = parts.join(BETWEEN);
    if let Some(cut) = joined.strip_suffix('…') {
        return all(&|section| section.name().to_lowercase().starts_with(cut));
    }
    if parts.len() < 2 {
        return Vec::new();
    }
    let chains = |is_whole: bool| {
        all(&|section| {
            let chain = section.name().to_lowercase();
            let before = chain.strip_suffix(&joined);
            before.is_some_and(|before| before.is_empty() || (!is_whole && before.ends_with(BETWEEN)))
        })
    };
    let whole = chains(true);
    if whole.is_empty() { chains(false) } else { whole }
}

/// Where the line ends that contains byte `at`, its line break included.
pub(crate) fn end_of_line(text: &str, at: usize) -> usize {
    text.as_bytes()[at.min(text.len())..].iter().position(|&byte| byte == b'\n').map_or(text.len(), |n| at + n + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "intro\n\n# A\na\n\n## B\nb\n\n```\n# no\n```\n\nC\n---\nc\n> # quoted\n\n### D ###\n\n# A\nend";

    #[test]
    fn sections_are_those_of_commonmark() {
        let all = sections(BODY);
        let names: Vec<_> = all.iter().map(Section::name).collect();
        assert_eq!(names, ["A", "A > B", "A > C", "A > C > D", "A"]);
        assert_eq!(&BODY[all[1].range.clone()], "## B\nb\n\n```\n# no\n```\n\n");
        assert_eq!(&BODY[all[2].heading.clone()], "C\n---\n");
        assert_eq!(&BODY[all[2].range.clone()], "C\n---\nc\n> # quoted\n\n### D ###\n\n");
        assert_eq!(&BODY[all[4].range.clone()], "# A\nend");
    }

    #[test]
    fn a_section_is_found_by_its_heading_or_its_path() {
        let all = sections(BODY);
        for (wanted, found) in [
            ("b", &[1][..]),
            ("## B", &[1]),
            ("A", &[0, 4]),
            ("A > C > D", &[3]),
            ("c>d", &[3]),
            ("B > D", &[]),
            ("A > C…", &[2, 3]),
            ("x", &[]),
        ] {
            assert_eq!(named(&all, wanted), found, "{wanted}");
        }
    }
}
