//! The sections of a text: a heading, and everything up to the next heading of the same or a higher level.
//!
//! Owns how a section is named by the headings above it. Reads blocks through [`Outline`], so that a `#` in a fence, a
//! quotation or a list is not a heading.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    ops::Range,
    sync::Arc,
};

use unicode_normalization::UnicodeNormalization;

use super::{Heading, Outline, Piece};

/// Separates the headings of a path, as searches show it.
const SEPARATOR: &str = " > ";

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
        path.join(SEPARATOR)
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

/// The sections that a name may mean, by their places.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SectionMatch<'w> {
    /// In their order.
    pub(crate) found: Vec<usize>,
    /// The name, without its number.
    pub(crate) name: &'w str,
    /// Which of them, from 1 on, if the name says so: `Log [2]`.
    pub(crate) number: Option<usize>,
}

/// Returns the sections that `wanted` may mean: as [`named`], with the number of one behind it if there is none of the
/// whole name.
pub(crate) fn meant<'w>(sections: &[Section], wanted: &'w str) -> SectionMatch<'w> {
    let found = named(sections, wanted);
    match numbered(wanted) {
        Some((name, number)) if found.is_empty() => {
            SectionMatch { found: named(sections, name), name, number: Some(number) }
        }
        Some(_) | None => SectionMatch { found, name: wanted.trim(), number: None },
    }
}

/// `Log [2]`
fn numbered(wanted: &str) -> Option<(&str, usize)> {
    let (name, number) = wanted.trim_end().strip_suffix(']')?.rsplit_once('[')?;
    Some((name.trim(), number.trim().parse().ok()?))
}

/// Case does not count, nor how an accent is written.
fn folded(name: &str) -> String {
    name.nfc().flat_map(char::to_lowercase).collect()
}

/// Returns the sections that `wanted` may mean, in their order: those with this heading, else those at the end of this
/// chain of headings (`Guide > Tides`, whole or its last part, perhaps cut with `…`).
pub(crate) fn named(sections: &[Section], wanted: &str) -> Vec<usize> {
    let given = folded(wanted.trim());
    let name = given.trim_start_matches('#').trim();
    let all = |means: &dyn Fn(&Section) -> bool| -> Vec<usize> {
        sections.iter().enumerate().filter(|(_, section)| means(section)).map(|(position, _)| position).collect()
    };
    let exact = all(&|section| folded(section.title()) == name);
    if !exact.is_empty() {
        return exact;
    }
    // As it was given first: a heading may hold the sign that stands between headings.
    let parts: Vec<_> = name.split('>').map(str::trim).collect();
    let joined = parts.join(SEPARATOR);
    let chains = |chain: &str| {
        let chains = |is_whole: bool| {
            all(&|section| {
                let name = folded(&section.name());
                let before = name.strip_suffix(chain);
                before.is_some_and(|before| before.is_empty() || (!is_whole && before.ends_with(SEPARATOR)))
            })
        };
        let whole = chains(true);
        if whole.is_empty() { chains(false) } else { whole }
    };
    let begun = |chain: &str| {
        let cut = chain.strip_suffix('…').filter(|cut| !cut.is_empty());
        cut.map_or_else(Vec::new, |cut| all(&|section| section.name().to_lowercase().starts_with(cut)))
    };
    let ways: [&dyn Fn() -> Vec<usize>; 4] =
        [&|| chains(name), &|| begun(name), &|| chains(&joined), &|| begun(&joined)];
    let ways = if name.is_empty() { &[] } else { ways.as_slice() };
    ways.iter().map(|way| way()).find(|found| !found.is_empty()).unwrap_or_default()
}

/// Names by which sections are found, made heading by heading: one that is not the first of its name has a number, as
/// [`meant`] counts.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// How often there was a heading of these words, and a chain of these headings. By what they hash to: a chain may
    /// be long, and below it are very many.
    seen: HashMap<u64, usize>,
}

impl Names {
    /// Returns the name of the next section, of the headings above it and its own, `title`.
    pub(crate) fn next<'h>(&mut self, above: impl Iterator<Item = &'h str>, title: &'h str) -> String {
        let path: Vec<_> = above.chain([title]).filter(|title| !title.is_empty()).collect();
        let name = path.join(SEPARATOR);
        let by_title = if title.is_empty() { 0 } else { self.count("title", title) };
        let by_chain = self.count("chain", &name);
        // A single heading is looked for wherever it stands.
        let number = if path.len() == 1 { by_title } else { by_chain };
        if number > 1 { format!("{name} [{number}]") } else { name }
    }

    fn count(&mut self, kind: &str, name: &str) -> usize {
        let mut hasher = DefaultHasher::new();
        (kind, name.to_lowercase()).hash(&mut hasher);
        let seen = self.seen.entry(hasher.finish()).or_default();
        *seen += 1;
        *seen
    }
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
            ("", &[]),
        ] {
            assert_eq!(named(&all, wanted), found, "{wanted}");
        }
    }

    #[test]
    fn every_section_is_found_by_its_name_whatever_its_heading_holds() {
        let titles =
            ["Using `Box<T>` to point", "a -> b", "\\>quote", "x > y", ">", "# hash", "list [1]", "A>B >C", "…", "C…"];
        let deep = titles.iter().map(|title| format!("## {title}\n\ntext\n\n"));
        let body = format!("# Top > most\n\n{}", deep.collect::<String>());
        let all = sections(&body);
        assert_eq!(all.len(), 1 + titles.len());
        for (place, section) in all.iter().enumerate() {
            assert_eq!(meant(&all, &section.name()).found, [place], "{}", section.name());
            assert_eq!(named(&all, &section.name().to_uppercase()), [place], "{}", section.name());
        }
    }

    #[test]
    fn a_name_with_its_number_means_one_of_several() {
        let body = "# Log\n\n## Notes\n\n1\n\n## Notes\n\n2\n\n# Notes\n\n3\n\n# Other\n\n## Notes\n\n4\n\n# Notes\n\n5\n\n##\n\n6";
        let all = sections(body);
        let (mut names, mut told) = (Names::default(), Vec::new());
        for section in &all {
            let above: Vec<_> =
                std::iter::successors(section.chain.above.as_ref(), |chain| chain.above.as_ref()).collect();
            told.push(names.next(above.iter().rev().map(|chain| chain.title.as_str()), section.title()));
        }
        let expected =
            ["Log", "Log > Notes", "Log > Notes [2]", "Notes [3]", "Other", "Other > Notes", "Notes [5]", "Notes"];
        assert_eq!(told, expected);
        for (place, name) in told[..7].iter().enumerate() {
            let SectionMatch { found, number, .. } = meant(&all, name);
            assert_eq!(found.get(number.unwrap_or(1) - 1), Some(&place), "{name}: {found:?}");
        }
    }
}
