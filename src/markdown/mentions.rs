//! What a text mentions besides its words: `#tags`, and links to other articles.
//!
//! Owns what counts as a tag (as in Obsidian: after white space, not in code, not only digits) and which links lead to
//! articles. Knows no article and resolves nothing.

mod link;
#[cfg(test)]
mod tests;

use std::{collections::HashSet, ops::Range};

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

pub(crate) use self::link::{Form, Link, is_attachment, leads_elsewhere};
use self::link::{before_bar, is_by_label, place, to_article, with_brackets};
use super::{Outline, Piece, long_lines::neutralised, outline::options};

/// A longer text is read in parts, cut between outermost blocks. *Units:* bytes.
const PART_BYTES: usize = 128 << 10;
/// Longest tag. *Units:* bytes.
const LONGEST_TAG: usize = 200;
/// Further tags or links of one text are ignored.
const MAX_MENTIONS: usize = 10_000;

/// What a text mentions, in the order of the text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Mentions {
    /// As they are written, without `#`; each spelling once.
    pub(crate) tags: Vec<String>,
    /// Every occurrence.
    pub(crate) links: Vec<Link>,
}

impl Mentions {
    /// Reads `body`.
    pub(crate) fn read(body: &str) -> Self {
        let mut mentions = Self::default();
        // Most texts mention nothing, and are not parsed.
        let may_mention = ["#", "](", "[[", "]:", "article://"].iter().any(|mark| body.contains(mark));
        if !may_mention {
            return mentions;
        }
        let mut seen = HashSet::new();
        for part in parts(body) {
            mentions.read_part(&body[part.clone()], part.start, &mut seen);
        }
        mentions
    }

    fn read_part<'a>(&mut self, text: &'a str, base: usize, seen: &mut HashSet<&'a str>) {
        let (hidden, mut inside) = (neutralised(text), 0_u32);
        let options = options() | Options::ENABLE_WIKILINKS | Options::ENABLE_FOOTNOTES;
        let mut events = Parser::new_ext(&hidden, options).into_offset_iter();
        while let Some((event, range)) = events.next() {
            match event {
                Event::Start(Tag::CodeBlock(_)) => inside += 1,
                Event::Start(
                    Tag::Link { link_type, dest_url, id, .. } | Tag::Image { link_type, dest_url, id, .. },
                ) => {
                    inside += 1;
                    // The address of `[text][label]` stands where the label is defined.
                    let definition = events.reference_definitions().get(&id).map(|definition| definition.span.clone());
                    let range = definition.filter(|_| is_by_label(link_type)).unwrap_or(range);
                    self.push_link(link_type, &dest_url, text, range, base);
                }
                Event::End(TagEnd::CodeBlock | TagEnd::Link | TagEnd::Image) => inside -= 1,
                Event::Text(_) if inside == 0 => self.push_tags(text, range, seen),
                _ => {}
            }
        }
    }

    fn push_tags<'a>(&mut self, text: &'a str, range: Range<usize>, seen: &mut HashSet<&'a str>) {
        for (at, _) in text[range.clone()].match_indices('#') {
            let at = range.start + at;
            if text[..at].chars().next_back().is_some_and(|before| !before.is_whitespace()) {
                continue;
            }
            if let Some(tag) = tag_at(&text[at + 1..])
                && seen.len() < MAX_MENTIONS
                && seen.insert(tag)
            {
                self.tags.push(tag.to_owned());
            }
        }
    }

    fn push_link(&mut self, kind: LinkType, address: &str, text: &str, range: Range<usize>, base: usize) {
        let (address, range) = with_brackets(kind, address, text, range);
        let Some((form, target, anchor)) = to_article(kind, before_bar(kind, &address)) else { return };
        if self.links.len() < MAX_MENTIONS {
            let place = place(kind, target, &text[range.clone()]).map(|at| {
                let start = base + range.start + at;
                start..start + target.len()
            });
            self.links.push(Link { target: target.to_owned(), anchor: anchor.to_owned(), form, place });
        }
    }
}

/// The tag that `text`, the text after a `#`, begins with.
fn tag_at(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !is_of_tag(c)).unwrap_or(text.len());
    let tag = text[..end].trim_end_matches('/');
    let is_number = tag.chars().all(|c| c.is_ascii_digit());
    (!is_number && tag.len() <= LONGEST_TAG).then_some(tag)
}

/// Whether Obsidian allows `c` in a tag: no white space and no punctuation except `-`, `_` and `/`.
fn is_of_tag(c: char) -> bool {
    let is_punctuation = c.is_ascii_punctuation() && !matches!(c, '-' | '_' | '/');
    !is_punctuation
        && !c.is_whitespace()
        && !c.is_control()
        && !matches!(c, '\u{2000}'..='\u{206f}' | '\u{2e00}'..='\u{2e7f}')
}

/// Splits `body` into parts, each of whole outermost blocks.
fn parts(body: &str) -> Vec<Range<usize>> {
    if body.len() <= PART_BYTES {
        return std::iter::once(0..body.len()).collect();
    }
    let (mut parts, mut start, mut end) = (Vec::new(), 0, 0);
    for piece in Outline::new(body) {
        let at = match piece {
            Piece::Heading(heading) => heading.range.start,
            Piece::Block(mark) if mark.depth == 0 => mark.at,
            Piece::Block(_) => continue,
        };
        if at - start > PART_BYTES && end > start {
            parts.push(start..end);
            start = end;
        }
        end = at;
    }
    parts.push(start..body.len());
    parts
}
