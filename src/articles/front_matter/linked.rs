//! Links in properties, as Obsidian writes them: `up: "[[tides]]"`, alone or as one of a list.

use std::ops::Range;

use super::{
    block::{self, Block, Syntax},
    entry::{Entry, Value},
    named,
};
use crate::markdown::Link;

/// Returns the links of the front matter `head`, without those of keys that `is_passed_over` names, in their order. Each is a
/// value by itself: a text that has brackets somewhere is none.
pub(crate) fn links(head: &str, is_passed_over: impl Fn(&str) -> bool) -> Vec<Link> {
    if !head.contains("[[") {
        return Vec::new();
    }
    let Some(Block { entries, syntax, .. }) = block::find(head) else { return Vec::new() };
    let own = entries.iter().filter(|entry| !is_passed_over(&named(&entry.key)));
    own.flat_map(|entry| of_entry(head, entry, syntax)).collect()
}

fn of_entry(head: &str, entry: &Entry, syntax: Syntax) -> Vec<Link> {
    let values = match &entry.value {
        Value::Text(text) => std::slice::from_ref(text),
        Value::List { items, source: _ } => items,
        Value::Empty | Value::Other => &[],
    };
    let (mut links, mut rest) = (Vec::new(), entry.range.start);
    for value in values {
        // With escapes it stands there otherwise.
        let written = value.trim();
        let at = place_of(head, rest..entry.range.end, written);
        rest = at.map_or(rest, |at| at + written.len());
        // Without quotes, only people who write YAML mean a link by it.
        if let Some(inner) = between(written).filter(|_| value.is_quoted() || syntax == Syntax::Yaml) {
            links.extend(Link::of_wiki(inner, at.map(|at| at + 2)));
        }
    }
    links
}

/// Where a value stands in a part of the front matter, if not in a comment.
fn place_of(head: &str, part: Range<usize>, value: &str) -> Option<usize> {
    let is_comment = |at: usize| {
        let line = head[..at].rfind('\n').map_or(0, |end| end + 1);
        head[line..at].trim_start().starts_with('#')
    };
    head[part.clone()].match_indices(value).map(|(found, _)| part.start + found).find(|at| !is_comment(*at))
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
}
