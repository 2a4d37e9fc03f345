//! What a text mentions besides its words: `#tags`, and links to other articles.
//!
//! Owns what counts as a tag (as in Obsidian: after white space, not in code, not only digits) and which links lead to
//! articles. Knows no article and resolves nothing.

use std::{borrow::Cow, collections::HashSet, ops::Range};

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use super::{Outline, Piece, long_lines::neutralised, outline::options};

/// A longer text is read in parts, cut between outermost blocks. *Units:* bytes.
const PART_BYTES: usize = 128 << 10;
/// Longest tag. *Units:* bytes.
const LONGEST_TAG: usize = 200;
/// Files that stand beside texts and are shown, played or opened: what is called so is no article.
const ATTACHMENTS: [&str; 33] = [
    "apng", "avif", "bmp", "gif", "heic", "ico", "jpeg", "jpg", "png", "svg", "tif", "tiff", "webp", "flac", "m4a",
    "mp3", "ogg", "opus", "wav", "avi", "mkv", "mov", "mp4", "webm", "csv", "docx", "odt", "pdf", "pptx", "xlsx",
    "canvas", "base", "zip",
];
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

/// A link that may lead to an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// The target as it is written, without the part after `#`.
    pub(crate) target: String,
    /// The part after `#`; empty if there is none.
    pub(crate) anchor: String,
    /// How it is written.
    pub(crate) form: Form,
    /// Where `target` is in the text, if it is there unchanged.
    pub(crate) place: Option<Range<usize>>,
}

/// How a link is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// `[[target#anchor|text]]`
    Wiki,
    /// `[text](path/to/target.md#anchor)`
    Path,
    /// `article://target`
    Address,
}

impl Form {
    /// The name used in the database.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Wiki => "wiki",
            Self::Path => "path",
            Self::Address => "address",
        }
    }

    /// The one with this name in the database.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Wiki, Self::Path, Self::Address].into_iter().find(|form| form.as_str() == name)
    }
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

impl Link {
    /// Returns the link that a parser has found at `range` of `text`, if it may lead to an article.
    pub(crate) fn of(kind: LinkType, address: &str, text: &str, range: Range<usize>) -> Option<Self> {
        let (address, _) = with_brackets(kind, address, text, range);
        let (form, target, anchor) = to_article(kind, before_bar(kind, &address))?;
        Some(Self { target: target.to_owned(), anchor: anchor.to_owned(), form, place: None })
    }

    /// Returns the link that stands between two pairs of brackets outside of a text, if it may lead to an article. `at` is where
    /// `inner` begins, if that is known.
    pub(crate) fn of_wiki(inner: &str, at: Option<usize>) -> Option<Self> {
        let (address, has_pothole) = inner.split_once('|').map_or((inner, false), |(address, _)| (address, true));
        let kind = LinkType::WikiLink { has_pothole };
        let (form, target, anchor) = to_article(kind, before_bar(kind, address))?;
        let place = at.and_then(|at| inner.find(target).map(|found| at + found..at + found + target.len()));
        Some(Self { target: target.to_owned(), anchor: anchor.to_owned(), form, place })
    }
}

/// The address of `[[address|shown]]`; in a table the bar is written `\|`.
fn before_bar(kind: LinkType, address: &str) -> &str {
    let has_bar = matches!(kind, LinkType::WikiLink { has_pothole: true });
    address.strip_suffix('\\').filter(|_| has_bar).unwrap_or(address)
}

/// Returns the address and the place of a link; of `[[A [2]]]` the parser leaves out the bracket of the name at the link's end.
fn with_brackets<'a>(
    kind: LinkType,
    address: &'a str,
    text: &str,
    range: Range<usize>,
) -> (Cow<'a, str>, Range<usize>) {
    let (opened, closed) = (address.matches('[').count(), address.matches(']').count());
    match kind {
        LinkType::WikiLink { has_pothole: false } if opened == closed + 1 && text[range.end..].starts_with(']') => {
            (format!("{address}]").into(), range.start..range.end + 1)
        }
        LinkType::WikiLink { .. } if closed == opened + 1 && text[..range.start].ends_with('[') => {
            (format!("[{address}").into(), range.start - 1..range.end)
        }
        _ => (address.into(), range),
    }
}

/// Where `target` is in a link, after its label; `None` if it is elsewhere, or not unchanged.
fn place(kind: LinkType, target: &str, link: &str) -> Option<usize> {
    match kind {
        LinkType::WikiLink { .. } | LinkType::Autolink => link.find(target),
        LinkType::Inline => link.rmatch_indices("](").find_map(|(at, mark)| after(link, at + mark.len(), target)),
        kind if is_by_label(kind) => {
            link.match_indices("]:").find_map(|(at, mark)| after(link, at + mark.len(), target))
        }
        _ => None,
    }
}

/// Where `target` is in a link, if its address begins at `at`.
fn after(link: &str, at: usize, target: &str) -> Option<usize> {
    let address = link[at..].trim_start();
    let address = address.strip_prefix('<').unwrap_or(address);
    let address = address.strip_prefix("article://").unwrap_or(address);
    address.starts_with(target).then(|| link.len() - address.len())
}

/// Whether the address of a link stands elsewhere: `[text][label]`, `[label][]`, `[label]`
fn is_by_label(kind: LinkType) -> bool {
    matches!(kind, LinkType::Reference | LinkType::Collapsed | LinkType::Shortcut)
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

/// Returns the target of a link, if that may be an article.
fn to_article(kind: LinkType, address: &str) -> Option<(Form, &str, &str)> {
    let (form, rest) = match kind {
        LinkType::WikiLink { .. } => (Form::Wiki, address),
        _ => match address.strip_prefix("article://") {
            Some(rest) => (Form::Address, rest),
            None if leads_elsewhere(address) => return None,
            None => (Form::Path, address),
        },
    };
    let (target, anchor) = rest.split_once('#').unwrap_or((rest, ""));
    let target = if form == Form::Path { target.split('?').next().unwrap_or(target) } else { target };
    let target = target.trim();
    let is_file_of_another_kind = form == Form::Path
        && !target.ends_with('/')
        && extension(target).is_some_and(|kind| !["md", "markdown", "mdx", "csv"].contains(&kind.as_str()));
    let is_attached = form == Form::Wiki && is_attachment(target);
    (!target.is_empty() && !is_file_of_another_kind && !is_attached).then_some((form, target, anchor))
}

/// Whether a target is called as files are that are no texts. A table (`.csv`) may still be one that was imported.
pub(crate) fn is_attachment(target: &str) -> bool {
    extension(target).is_some_and(|kind| ATTACHMENTS.contains(&kind.as_str()))
}

/// Whether an address names another place than one beside the text: it has a scheme, or a host.
pub(crate) fn leads_elsewhere(address: &str) -> bool {
    address.starts_with("//") || has_scheme(address)
}

fn has_scheme(address: &str) -> bool {
    let Some((scheme, _)) = address.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c))
}

/// The extension of a file name: a few letters after its last dot.
fn extension(target: &str) -> Option<String> {
    let name = target.rsplit('/').next().unwrap_or(target);
    let (_, extension) = name.rsplit_once('.')?;
    let is_one = (1..=8).contains(&extension.len()) && extension.chars().all(|c| c.is_ascii_alphanumeric());
    is_one.then(|| extension.to_ascii_lowercase())
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::markdown::sample;

    fn tags(body: &str) -> Vec<String> {
        Mentions::read(body).tags
    }

    fn links(body: &str) -> Vec<(String, String, Form)> {
        Mentions::read(body).links.into_iter().map(|link| (link.target, link.anchor, link.form)).collect()
    }

    #[test]
    fn tags_count_as_obsidian_counts_them() {
        for (body, expected) in [
            ("#rust and #rust/async, #Été!", &["rust", "rust/async", "Été"][..]),
            ("- #todo\n> #quoted\n\n| a |\n|---|\n| #cell |", &["todo", "quoted", "cell"]),
            ("# Heading with #tag\n\n#no_space-1", &["tag", "no_space-1"]),
            ("#1984 is a number, #y1984 is none, #1984/a", &["y1984", "1984/a"]),
            ("`#code` \\#escaped a#b (#c) x/#d [#e](f) [[g#h]] [[#i]]", &[]),
            ("```\n#fenced\n```\n\n    #indented\n\n<p>\n#html\n</p>", &[]),
            ("#tag/ #🦀 #a.b", &["tag", "🦀", "a"]),
            ("#twice #twice #Twice", &["twice", "Twice"]),
        ] {
            assert_eq!(tags(body), expected, "{body}");
        }
    }

    #[test]
    fn links_to_articles_are_told_from_others() {
        let body = "[[One]] [[Two#Part|shown]] ![[Three]] [a](../guides/four.md#top) [b](article://five) \
                    [c](http://x.y) [d](mailto:a@b.c) [e](#here) [f](picture.png) [g](six) `[[code]]` [h](v1.2) \
                    ![[Night map.PNG]] [[talk.pdf#page=2]] ![[Three.js]] [k](rows.csv)\n\n\
                    [i][r]\n\n[r]: seven.md\n";
        let expected = [
            ("One", "", Form::Wiki),
            ("Two", "Part", Form::Wiki),
            ("Three", "", Form::Wiki),
            ("../guides/four.md", "top", Form::Path),
            ("five", "", Form::Address),
            ("six", "", Form::Path),
            ("Three.js", "", Form::Wiki),
            ("rows.csv", "", Form::Path),
            ("seven.md", "", Form::Path),
        ];
        assert_eq!(links(body), expected.map(|(target, anchor, form)| (target.to_owned(), anchor.to_owned(), form)));
    }

    #[test]
    fn a_bar_in_a_table_is_no_part_of_the_name() {
        let body = "| a | b |\n|---|---|\n| [[tides\\|x]] | [[Ebb#Part\\|y]] |\n\n[[flow\\|z]]\n";
        let expected = [("tides", ""), ("Ebb", "Part"), ("flow", "")];
        let all = Mentions::read(body).links;
        assert!(all.iter().all(|link| link.place.clone().is_some_and(|place| body[place] == link.target)), "{all:?}");
        assert_eq!(links(body), expected.map(|(target, anchor)| (target.to_owned(), anchor.to_owned(), Form::Wiki)));
    }

    #[test]
    fn footnotes_are_no_links_and_what_they_say_is_read() {
        let body = "Text[^1] and [^note].\n\n[^1]: seven.md\n[^note]: see [[Eight]] and #nine\n";
        assert_eq!(links(body), [("Eight".to_owned(), String::new(), Form::Wiki)]);
        assert_eq!(tags(body), ["nine"]);
    }

    #[test]
    fn a_name_with_brackets_is_read_whole() {
        for (body, target) in [
            ("[[A [2]]]", "A [2]"),
            ("[[A [2]|shown]]", "A [2]"),
            ("[[[2] A]]", "[2] A"),
            ("[[[2] A|shown]]", "[2] A"),
            ("[[A [2] b]] and [[C]]", "A [2] b"),
            ("[[A]]] and [[[B]]", "A"),
        ] {
            let all = Mentions::read(body).links;
            assert!(
                all.iter().all(|link| link.place.clone().is_some_and(|place| body[place] == link.target)),
                "{body}"
            );
            assert_eq!(links(body).first().map(|link| link.0.as_str()), Some(target), "{body}: {:?}", links(body));
        }
    }

    proptest! {
        #[test]
        fn places_of_links_are_where_their_targets_stand(body in sample::anything(), other in "[a-z ]{1,9}") {
            let body = format!("{body}\n\n[[{other}x]] [t](a{}.md)\n", other.trim());
            for link in Mentions::read(&body).links {
                if let Some(place) = link.place {
                    prop_assert_eq!(&body[place], link.target.as_str());
                }
            }
        }
    }

    #[test]
    fn a_long_text_is_read_in_parts_and_mentions_the_same() {
        let part = format!("{}\n\n#tag{{n}} and [[link{{n}}]]\n\n```\n#code\n```\n\n", "word ".repeat(2000));
        let body: String = (0..40).map(|n| part.replace("{n}", &n.to_string())).collect();
        assert!(parts(&body).len() > 2);
        let mentions = Mentions::read(&body);
        let expected: Vec<_> = (0..40).map(|n| format!("tag{n}")).collect();
        assert_eq!(mentions.tags, expected);
        assert_eq!(mentions.links.len(), 40);
        assert!(mentions.links.iter().all(|link| link.place.clone().is_some_and(|place| body[place] == link.target)));
    }
}
