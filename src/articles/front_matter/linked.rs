//! Links in properties, as Obsidian writes them: `up: "[[tides]]"`, alone or as one of a list.

use std::ops::Range;

use super::{
    block::{self, Block, Syntax},
    entry::{Entry, Value},
    named,
};
use crate::markdown::Link;

/// Returns the links of the front matter `head`, without those of keys that `is_passed_over` names, in their order.
/// Each is a value by itself: a text that has brackets somewhere is none.
pub(crate) fn links(head: &str, is_passed_over: impl Fn(&str) -> bool) -> Vec<Link> {
    if !head.contains("[[") {
        return Vec::new();
    }
    let Some(Block { entries, syntax, .. }) = block::find(head) else { return Vec::new() };
    let own = entries.iter().filter(|entry| !is_passed_over(&named(&entry.key)));
    own.flat_map(|entry| of_entry(head, entry, syntax)).collect()
}

fn of_entry(head: &str, entry: &Entry, syntax: Syntax) -> Vec<Link> {
    let source = &head[entry.range.clone()];
    let (values, mut places) = match &entry.value {
        Value::Text(text) => (std::slice::from_ref(text), vec![whole(source)]),
        Value::List { items, source: _ } => (items.as_slice(), items_of(source)),
        Value::Empty | Value::Other => return Vec::new(),
    };
    // One is not where it is looked for: then the others may be elsewhere as well.
    if places.len() != values.len() {
        places.clear();
    }
    let links = values.iter().enumerate().filter_map(|(number, value)| {
        let written = value.trim();
        // Without quotes, only people who write YAML mean a link by it.
        let inner = between(written).filter(|_| value.is_quoted() || syntax == Syntax::Yaml)?;
        let at = places.get(number).and_then(|place| place_of(source, place.clone(), written));
        Link::of_wiki(inner, at.map(|at| entry.range.start + at + 2))
    });
    links.collect()
}

/// Where a single value stands in its source; the first line of `|` and `>` is none of it.
fn whole(source: &str) -> Range<usize> {
    let begins = if source.starts_with(['|', '>']) { source.find('\n') } else { None };
    begins.unwrap_or_default()..source.len()
}

/// Where the items of a list stand in its source, each with its quotes and perhaps a comment behind it.
fn items_of(source: &str) -> Vec<Range<usize>> {
    if source.starts_with('[') { in_brackets(source) } else { below(source) }
}

/// The items of a list of which each has a line.
fn below(source: &str) -> Vec<Range<usize>> {
    let (mut items, mut at) = (Vec::new(), 0);
    for line in source.split_inclusive('\n') {
        let item = line.trim_start();
        if item.starts_with('-') {
            items.push(at + line.len() - item.len() + 1..at + line.len());
        }
        at += line.len();
    }
    items
}

/// The items of a list between brackets, up to the bracket that closes it.
fn in_brackets(source: &str) -> Vec<Range<usize>> {
    let (mut items, mut depth, mut at) = (Vec::new(), 0_usize, 0);
    // The present item, and whether anything of it was seen.
    let (mut begins, mut is_begun) = (1, false);
    let bytes = source.as_bytes();
    while at < bytes.len() {
        let is_apart = at > 0 && (bytes[at - 1].is_ascii_whitespace() || b"[,".contains(&bytes[at - 1]));
        match bytes[at] {
            quotes @ (b'"' | b'\'') if !is_begun => {
                (at, is_begun) = (closed(bytes, at, quotes), true);
                continue;
            }
            b'#' if is_apart => {
                at = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length);
                // What comes before an item is none of it.
                begins = if is_begun { begins } else { at };
                continue;
            }
            b'[' => (depth, is_begun) = (depth + 1, depth > 0),
            end @ (b',' | b']') if depth == 1 => {
                items.extend(is_begun.then_some(begins..at));
                if end == b']' {
                    return items;
                }
                (begins, is_begun) = (at + 1, false);
            }
            b']' => depth = depth.saturating_sub(1),
            byte => is_begun |= !byte.is_ascii_whitespace(),
        }
        at += 1;
    }
    items
}

/// Where a text in quotes that begins at `at` ends. A quote in it is written twice, or behind a backslash.
fn closed(bytes: &[u8], at: usize, quotes: u8) -> usize {
    let mut end = at + 1;
    while end < bytes.len() {
        match bytes[end] {
            b'\\' if quotes == b'"' => end += 2,
            byte if byte == quotes && bytes.get(end + 1) == Some(&quotes) => end += 2,
            byte if byte == quotes => return end + 1,
            _ => end += 1,
        }
    }
    bytes.len()
}

/// Where a value stands in the place of its item: at the beginning, behind its quotes. With escapes it stands there
/// otherwise.
fn place_of(source: &str, place: Range<usize>, value: &str) -> Option<usize> {
    let is_quote = |c: char| c.is_whitespace() || matches!(c, '"' | '\'');
    let item = source[place.clone()].trim_start_matches(is_quote);
    let behind = item.strip_prefix(value)?.trim_start_matches(is_quote);
    (behind.is_empty() || behind.starts_with('#')).then(|| place.end - item.len())
}

/// What stands between the brackets, if there is one pair and nothing else.
fn between(value: &str) -> Option<&str> {
    let inner = value.strip_prefix("[[")?.strip_suffix("]]")?;
    let is_one = !inner.contains("[[") && !inner.contains("]]") && !inner.contains(['\n', '\0']);
    is_one.then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::links;

    fn targets(head: &str) -> Vec<String> {
        let found = links(head, |key| key == "not");
        let is_there = |place: &std::ops::Range<usize>, target: &str| head[place.clone()] == *target;
        assert!(found.iter().all(|link| link.place.as_ref().is_none_or(|place| is_there(place, &link.target))));
        found.into_iter().map(|link| link.target).collect()
    }

    #[test]
    fn values_that_are_links_are_found_in_each_language() {
        let yaml = "---\nrelated: \"[[tides]]\" # why\nup:\n  - '[[Ebb#Part|x]]'\n  - plain\nlist: [\"[[a]]\", \"[[a]]\", '[[it''s]]']\n\
                    cover: \"[[map.png]]\"\ntext: see [[none]]\nnumbers: [[1, 2], [3]]\nnot: \"[[left]]\"\n---\n";
        assert_eq!(targets(yaml), ["tides", "Ebb", "a", "a", "it's"]);
        let others = "---\nup: [\"see [[a]] there\", \"[[a]]\"]\nlist:\n  # [[b]]\n  - \"[[b]]\"\n---\n";
        let places: Vec<_> = links(others, |_| false).into_iter().filter_map(|link| link.place).collect();
        assert_eq!(
            places.iter().map(|place| &others[place.start - 3..place.end + 3]).collect::<Vec<_>>(),
            ["\"[[a]]\"", "\"[[b]]\""]
        );
        assert_eq!(targets("+++\nup = \"[[tides]]\"\nall = ['[[a]]', 'b']\n[[menu]]\nx = 1\n+++\n"), ["tides", "a"]);
        assert_eq!(targets("{\"title\": \"[[T]]\", \"up\": [\"[[a|b]]\", [[1]]]}\n"), ["T", "a"]);
    }

    /// What stands at the places of the links, with all before it.
    #[track_caller]
    fn stand(head: &str, behind: &[&str]) {
        let places = links(head, |_| false).into_iter().filter_map(|link| link.place);
        let found: Vec<&str> = places.map(|place| &head[..place.start]).collect();
        let expected: Vec<&str> =
            behind.iter().map(|end| &head[..head.find(end).expect("it is there") + end.len()]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_link_stands_in_its_item_and_in_no_other() {
        stand("---\nup:\n  - plain # see [[old]]\n  - \"[[old]]\"\n---\n", &["  - \"[["]);
        stand("---\nup:\n  - plain # or, \"[[old]]\"\n  - [[old]] # it\n---\n", &["  - [["]);
        stand("---\nup: # - [[old]]\n- a\n# - \"[[old]]\"\n- '[[old]]'\n---\n", &["- '[["]);
        stand("---\nup: [\"a \\\"[[old]]\\\" b\", \"[[old]]\"]\n---\n", &["b\", \"[["]);
        stand("---\nup: [\"a, [[b]]\", [[c]], 'it''s, \"[[old]]\"', '[[old]]']\n---\n", &["\", [[", "', '[["]);
        stand("+++\nup = [\n  'a', # see '[[old]]'\n  '[[old]]', # and, [[old]]\n]\n+++\n", &["  '[["]);
        stand("{\"title\": \"T\", \"up\": [\"a \\\"[[old]]\\\"\", \"[[old]]\"]}\n", &["\", \"[["]);
        stand("---\nup: \"[[old]]\" # [[old]]\ntext: |\n  [[old]]\n---\n", &["up: \"[[", "|\n  [["]);
        // Where it stands is not known: better none than another's.
        stand("---\nup: [\"[[o\\x6cd]]\", \"x\"]\n---\n", &[]);
    }
}
