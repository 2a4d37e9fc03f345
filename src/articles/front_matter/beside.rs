//! Front matter in two places: at the beginning of a text, and beside the text.
//!
//! The text's own block counts first, key by key; what stands beside it counts for the keys that the block does not
//! name. So a text stays as its author sent it, and what was set without it is not lost when it is sent again.

use std::{borrow::Cow, collections::HashSet};

use super::{
    Document, Setting,
    block::{self, Block, Syntax},
    entry::{Entry, Value},
    given, head, keys, named,
    setting::{with_new, without_keys},
};

/// Returns what stays beside a text that was `before` and is `after` now: not the keys that its block names, and not
/// those that its block named before, which were removed with it. A block that stays leaves everything beside it as it
/// is.
pub fn kept<'b>(beside: &'b str, before: &str, after: &str) -> Cow<'b, str> {
    if beside.is_empty() || before == after {
        return Cow::Borrowed(beside);
    }
    let (former, present) = (head(before), head(after));
    if former == present {
        return Cow::Borrowed(beside);
    }
    let gone: HashSet<String> = keys(former).into_iter().chain(keys(present)).collect();
    if !keys(beside).iter().any(|key| gone.contains(key)) {
        return Cow::Borrowed(beside);
    }
    let rest = without_keys(beside, |key| gone.contains(&named(key)));
    Cow::Owned(if keys(&rest).is_empty() { String::new() } else { rest })
}

/// Returns both as one block, and the text behind it; as two if something beside the text cannot be moved as it is.
pub fn joined(beside: &str, text: &str) -> Document {
    let Document { head, body } = Document::split(text);
    if head.is_empty() {
        return Document { head: beside.to_owned(), body };
    }
    if beside.is_empty() {
        return Document { head, body };
    }
    let own = keys(&head);
    match with_lines(&head, beside, &own).or_else(|| with_values(&head, beside, &own)) {
        Some(head) => Document { head, body },
        None => Document { head: beside.to_owned(), body: text.to_owned() },
    }
}

/// Returns `head` with the lines of another block of YAML behind its own, except those of its `own` keys: comments and
/// keys below keys go along.
fn with_lines(head: &str, beside: &str, own: &HashSet<String>) -> Option<String> {
    let (block, other) = (block::find(head)?, block::find(beside)?);
    if [block.syntax, other.syntax] != [Syntax::Yaml; 2] {
        return None;
    }
    let rest = without_keys(beside, |key| own.contains(&named(key)));
    let inner = block::find(&rest).map_or("", |left| &rest[rest.find('\n').map_or(0, |end| end + 1)..left.room]);
    let end = block::line_end(head);
    let lines: String = inner.lines().map(|line| format!("{line}{end}")).collect();
    let whole = [&head[..block.room], &lines, &head[block.room..]].concat();
    let all: Vec<_> = given(head).into_iter().chain(given(&rest)).collect();
    (super::length(&whole) == whole.len() && given(&whole) == all).then_some(whole)
}

/// Returns `head` with the values of another block, in whichever language; `None` if one has no simple form, or if the
/// block says anything besides: a comment, a table, the same key once more.
fn with_values(head: &str, beside: &str, own: &HashSet<String>) -> Option<String> {
    let block = block::find(beside)?;
    let is_missing = |key: &str| !own.contains(&named(key));
    let missing: Vec<_> = given(beside).into_iter().filter(|given| is_missing(&given.key)).collect();
    let wanted = block.entries.iter().filter(|entry| is_missing(&entry.key)).count();
    if missing.len() != wanted || !holds_only_values(beside, &block) {
        return None;
    }
    let missing: Vec<_> = missing.iter().map(|given| (given.key.as_str(), Setting::of(given))).collect();
    Some(with_new(head, &missing))
}

/// Whether nothing but keys and their values is between the fences of `text`, which is this block.
fn holds_only_values(text: &str, block: &Block) -> bool {
    let is_blank = |from: usize, to: usize| text.get(from..to).is_none_or(|part| part.trim().is_empty());
    if block.syntax == Syntax::Json {
        let end = block.entries.last().map_or(block.room, |last| last.range.end);
        return text[end..block.end].chars().all(|c| c.is_whitespace() || "}-.".contains(c));
    }
    let mut rest = text.find('\n').map_or(block.end, |newline| newline + 1);
    for entry in &block.entries {
        let line = text[..entry.range.start].rfind('\n').map_or(0, |newline| newline + 1);
        if !is_blank(rest, line) || is_commented(text, entry) {
            return false;
        }
        rest = entry.range.end;
    }
    let fence = text[..block.end].trim_end().rfind('\n').map_or(0, |newline| newline + 1);
    is_blank(rest, fence)
}

/// Whether there may be comments among the items of a list. On one line is no room for them.
fn is_commented(text: &str, entry: &Entry) -> bool {
    let source = &text[entry.range.clone()];
    matches!(entry.value, Value::List { .. }) && source.contains('\n') && source.contains('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_of_the_text_replaces_the_keys_that_it_names_or_named() {
        let beside = "---\n# mine\ntags: [a]\nstatus: done\n---\n";
        assert_eq!(kept(beside, "text", "other"), beside);
        assert_eq!(kept(beside, "---\ntags: [x]\n---\nold", "---\ntags: [x]\n---\nnew"), beside);
        let status = "---\n# mine\nstatus: done\n---\n";
        assert_eq!(kept(beside, "text", "---\nTag: q\n---\ntext"), status);
        assert_eq!(kept(beside, "---\ntags: [a]\n---\ntext", "text"), status);
        assert_eq!(kept(beside, "", "---\ntags:\nstatus: open\n---\n"), "", "nothing is left");
        let toml = "+++\ntags = [\n \"a\",\n]\nstatus = 'x'\n+++\n";
        assert_eq!(kept(toml, "", "---\ntags: [b]\n---\n"), "+++\nstatus = 'x'\n+++\n");
        let many: String = (0..50_000).map(|n| format!("key{n}: {n}\n")).collect();
        let many = format!("---\n{many}---\n");
        assert_eq!(kept(&many, "", &many), "", "in one pass");
    }

    #[test]
    fn two_blocks_become_one_without_a_change_of_the_text() {
        let beside = "---\nstatus: done\ntags: [a]\nrating: 4\ncode: \"007\"\nlist: [x, \"y, z\"]\n---\n";
        let found = joined(beside, "---\r\n# own\r\ntags: [q]\r\n---\r\nText");
        let head =
            "---\r\n# own\r\ntags: [q]\r\nstatus: done\r\nrating: 4\r\ncode: \"007\"\r\nlist: [x, \"y, z\"]\r\n---\r\n";
        assert_eq!((found.head.as_str(), found.body.as_str()), (head, "Text"));
        assert_eq!(joined(beside, "Text"), Document { head: beside.to_owned(), body: "Text".to_owned() });
        let nested = "---\n# mine\nmenu:\n  main: 1\n---\n";
        let whole = "---\ntags: [q]\n---\nText";
        assert_eq!(joined(nested, whole).head, "---\ntags: [q]\n# mine\nmenu:\n  main: 1\n---\n", "with its comments");
        for (beside, whole) in
            [(nested, "+++\ntags = ['q']\n+++\nText"), ("+++\nstatus = 'x'\n[menu]\na = 1\n+++\n", whole)]
        {
            let both = Document { head: beside.to_owned(), body: whole.to_owned() };
            assert_eq!(joined(beside, whole), both, "nothing is lost");
        }
        let toml = joined(beside, "+++\ntags = ['q']\n[menu]\na = 1\n+++\nText").head;
        assert!(
            toml.contains("status = \"done\"\nrating = 4\ncode = \"007\"\n") && toml.ends_with("[menu]\na = 1\n+++\n")
        );
        let whole = "---\ntitle: T\n---\nText";
        assert_eq!(joined("", whole), Document::split(whole));
        for beside in [
            "+++\n# do not publish before May\nstatus = 'draft'\n+++\n",
            "+++\nstatus = 'draft' # not before May\n+++\n",
            "+++\nstatus = 'draft'\n\n# not before May\n+++\n",
            "+++\nlist = [\n  'a', # first\n  'b',\n]\n+++\n",
            "+++\nstatus = 'draft'\nnot before May\n+++\n",
            "+++\n# not before May\ntitle = 'T'\n+++\n",
            "+++\nstatus = 'draft'\nstatus = 'done'\n+++\n",
            "---\n{\"status\": \"draft\"}\n# not before May\n---\n",
        ] {
            let both = Document { head: beside.to_owned(), body: whole.to_owned() };
            assert_eq!(joined(beside, whole), both, "nothing is lost");
        }
        let yaml = "---\nstatus: draft # not before May\n---\n";
        let toml = "+++\ntitle = 'T'\n+++\nText";
        assert_eq!(joined(yaml, toml), Document { head: yaml.to_owned(), body: toml.to_owned() });
        let spaced = joined("+++\n\nstatus = 'draft'\nlist = [\n  'a',\n  'b',\n]\n\n+++\n", whole);
        assert_eq!(spaced.head, "---\ntitle: T\nstatus: draft\nlist: [a, b]\n---\n");
        let json = joined("---\nstatus: done\nrating: 4\n---\n", "{\n  \"tags\": [\"q\"]\n}\nText").head;
        assert_eq!(json, "{\n  \"status\": \"done\",\n  \"rating\": 4,\n  \"tags\": [\"q\"]\n}\n");
    }
}
