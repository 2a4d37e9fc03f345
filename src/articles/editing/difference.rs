//! The difference between two texts, and merging two changes of one text. By lines.

use std::{fmt::Write, time::Duration};

use similar::{ChangeTag, TextDiff, TextMerge};

/// Lines that are shown around a change.
const CONTEXT_LINES: usize = 2;
/// A longer difference is cut. *Units:* bytes.
const MAX_DIFFERENCE_BYTES: usize = 3_000;
/// A longer line is cut. *Units:* characters.
const LONGEST_LINE: usize = 400;
/// After this long, larger pieces are reported as changed than necessary.
const DIFF_TIMEOUT: Duration = Duration::from_millis(300);
/// Longer texts are not merged: people must look at them. *Units:* bytes.
const LONGEST_MERGED: usize = 8 << 20;

/// Returns the changed lines with some around them, as `diff -u` shows them; cut if there are many. Empty if nothing
/// differs.
pub fn unified(before: &str, after: &str) -> String {
    let diff = TextDiff::configure().timeout(DIFF_TIMEOUT).diff_lines(before, after);
    let mut text = String::new();
    for hunk in diff.unified_diff().context_radius(CONTEXT_LINES).iter_hunks() {
        line(&mut text, "", &hunk.header().to_string());
        for change in hunk.iter_changes() {
            let sign = match change.tag() {
                ChangeTag::Equal => " ",
                ChangeTag::Delete => "-",
                ChangeTag::Insert => "+",
            };
            line(&mut text, sign, change.value());
            if text.len() > MAX_DIFFERENCE_BYTES {
                text.truncate(text.floor_char_boundary(MAX_DIFFERENCE_BYTES));
                text.push_str("…\n");
                return text;
            }
        }
    }
    text
}

fn line(to: &mut String, sign: &str, value: &str) {
    let value = value.trim_end_matches(['\n', '\r']);
    let cut = value.char_indices().nth(LONGEST_LINE).map_or(value.len(), |(at, _)| at);
    let rest = if cut < value.len() { "…" } else { "" };
    // Writing to a string cannot fail.
    let _ = writeln!(to, "{sign}{}{rest}", &value[..cut]);
}

/// Merges two changes of `base`; `None` if they change the same lines, or lines next to each other.
pub fn merge(base: &str, ours: &str, theirs: &str) -> Option<String> {
    if ours == theirs || base == theirs {
        return Some(ours.to_owned());
    }
    if base == ours {
        return Some(theirs.to_owned());
    }
    if base.len().max(ours.len()).max(theirs.len()) > LONGEST_MERGED {
        return None;
    }
    let merged = TextMerge::from_lines(base, ours, theirs);
    (!merged.is_conflicted()).then(|| merged.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_difference_shows_the_changed_lines_and_some_around_them() {
        let before: String = (1..=9).map(|n| format!("line {n}\n")).collect();
        let after = before.replace("line 5\n", "line five\nand more\n");
        let shown = unified(&before, &after);
        assert_eq!(shown, "@@ -3,5 +3,6 @@\n line 3\n line 4\n-line 5\n+line five\n+and more\n line 6\n line 7\n");
        assert_eq!(unified(&before, &before), "");
        let long = unified("", &"word\n".repeat(10_000));
        assert!(long.len() < MAX_DIFFERENCE_BYTES + 10 && long.ends_with("…\n"));
    }

    #[test]
    fn changes_of_different_lines_go_together_and_of_the_same_do_not() {
        let base = "a\nb\nc\nd\ne\n";
        assert_eq!(merge(base, "A\nb\nc\nd\ne\n", "a\nb\nc\nd\nE\n").as_deref(), Some("A\nb\nc\nd\nE\n"));
        assert_eq!(merge(base, "a\nB\nc\nd\ne\n", "a\nX\nc\nd\ne\n"), None);
        assert_eq!(merge("a\r\nb\r\nc", "A\r\nb\r\nc", "a\r\nb\r\nc").as_deref(), Some("A\r\nb\r\nc"));
    }

    proptest! {
        /// Every line of either side is there, unless the other removed it; nothing else is.
        #[test]
        fn a_merge_loses_and_invents_no_line(
            base in proptest::collection::vec("[a-e]", 0..12),
            ours in proptest::collection::vec((0_usize..12, "[f-j]"), 0..3),
            theirs in proptest::collection::vec((0_usize..12, "[k-o]"), 0..3),
        ) {
            let with = |changes: &[(usize, String)]| {
                let mut lines = base.clone();
                for (at, line) in changes {
                    let at = (*at).min(lines.len());
                    lines.insert(at, line.clone());
                }
                lines.iter().map(|line| format!("{line}\n")).collect::<String>()
            };
            let (text, one, other) = (with(&[]), with(&ours), with(&theirs));
            if let Some(merged) = merge(&text, &one, &other) {
                let mut lines: Vec<_> = merged.lines().collect();
                let mut expected: Vec<_> =
                    base.iter().chain(ours.iter().map(|(_, line)| line)).chain(theirs.iter().map(|(_, line)| line)).collect();
                lines.sort_unstable();
                expected.sort_unstable();
                prop_assert_eq!(lines, expected);
            }
        }
    }
}
