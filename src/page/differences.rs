//! The difference of two texts, line by line.

use std::time::Duration;

use maud::{Markup, html};
use similar::{ChangeTag, TextDiff};

use crate::offload;

/// Unchanged lines that are shown around a change.
const CONTEXT_LINES: usize = 3;
/// Longer texts are not compared. *Units:* bytes, of both together.
const MAX_COMPARED_BYTES: usize = 4 << 20;
/// Lines that are shown.
const MAX_LINES: usize = 3_000;
/// After this time the rest is shown as one difference.
const DIFF_TIMEOUT: Duration = Duration::from_millis(500);

/// Shows the changes from `old` to `new`; `name` tells them from others on the same page.
pub(super) async fn differences(name: &'static str, old: &str, new: &str) -> Markup {
    if old == new {
        return html! { p.empty { "The text is the same." } };
    }
    if old.len() + new.len() > MAX_COMPARED_BYTES {
        return html! { p.empty { "The texts are too long to be compared here." } };
    }
    if old.len() + new.len() <= offload::SMALL_TEXT_BYTES {
        return lines(name, old, new);
    }
    let (old, new) = (old.to_owned(), new.to_owned());
    offload::show(move |_| lines(name, &old, &new)).await
}

fn lines(name: &str, old: &str, new: &str) -> Markup {
    let difference = TextDiff::configure().timeout(DIFF_TIMEOUT).diff_lines(old, new);
    let mut left = MAX_LINES;
    let mut groups: Vec<Vec<(ChangeTag, &str)>> = Vec::new();
    for group in difference.grouped_ops(CONTEXT_LINES) {
        let changes = group.iter().flat_map(|op| difference.iter_changes(op)).take(left);
        let changes: Vec<_> = changes.map(|change| (change.tag(), change.value())).collect();
        left -= changes.len();
        groups.push(changes);
    }
    html! {
        div.difference role="region" aria-label=(name) tabindex="0" {
            table {
                @for (at, group) in groups.iter().filter(|group| !group.is_empty()).enumerate() {
                    tbody {
                        @if at > 0 { tr { td.gap colspan="2" { "…" } } }
                        @for (tag, text) in group { (line(*tag, text)) }
                    }
                }
            }
            @if left == 0 { p.quiet { "More follows, which is not shown." } }
        }
    }
}

fn line(tag: ChangeTag, text: &str) -> Markup {
    let text = text.trim_end_matches(['\n', '\r']);
    match tag {
        ChangeTag::Equal => html! { tr { td.sign { } td { (text) } } },
        ChangeTag::Delete => {
            html! { tr.gone { td.sign { span aria-label="removed" role="img" { "−" } } td { del { (text) } } } }
        }
        ChangeTag::Insert => {
            html! { tr.new { td.sign { span aria-label="added" role="img" { "+" } } td { ins { (text) } } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_went_and_what_came_is_told_and_is_text() {
        let shown = differences("Differences", "a\n<b>x</b>\nc\n", "a\n<script>\nc\n").await.into_string();
        assert!(
            shown.contains("<del>&lt;b&gt;x&lt;/b&gt;</del>") && shown.contains("<ins>&lt;script&gt;</ins>"),
            "{shown}"
        );
        assert!(differences("Differences", "a", "a").await.into_string().contains("the same"));
    }

    #[tokio::test]
    async fn long_texts_end() {
        let (old, new) = ("old\n".repeat(200_000), "new\n".repeat(200_000));
        assert!(differences("Differences", &old, &new).await.into_string().len() < 2 << 20);
    }
}
