//! How many articles are found by their meaning.

use maud::{Markup, html};

use super::snapshot::Snapshot;
use crate::{
    page::pieces::{count, with_separators},
    queue::{Coverage, FolderCoverage},
    time::duration,
};

/// Folders that are shown.
const MAX_FOLDERS: usize = 12;

/// A part of the bar: its class, its name, and its number.
type Part = (&'static str, &'static str, i64);

pub(super) fn show(seen: &Snapshot) -> Markup {
    let coverage = &seen.numbers.coverage;
    let failed = i64::try_from(seen.failed.len()).unwrap_or_default().min(coverage.missing);
    let parts = [
        ("good", "searchable", coverage.embedded),
        ("working", "at an older text", coverage.stale),
        ("waiting", "not yet", coverage.missing - failed),
        ("bad", "failed", failed),
        ("quiet", "by words only, as wished", coverage.skipped),
    ];
    let open = coverage.stale + coverage.missing - failed;
    html! {
        @if coverage.articles == 0 {
            p.empty { "There is no article yet." }
        } @else {
            (bar(&parts, coverage.articles))
            ul.legend {
                @for (kind, name, number) in parts.iter().filter(|(_, _, number)| *number > 0) {
                    li class=(kind) { (with_separators(*number)) " " (name) }
                }
            }
            p.quiet {
                "Of " (count(coverage.articles, "article", "articles")) "; as it was counted a moment ago."
                @if let Some(left) = time_left(seen, open) { " About " (left) " left." }
            }
            @if seen.folders.len() > 1 { (by_folder(&seen.folders)) }
        }
    }
}

fn by_folder(folders: &[FolderCoverage]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="By folder" { table.list {
            caption.unseen { "What is searchable, by folder" }
            thead { tr { th { "Folder" } th.figure { "Articles" } th.figure { "Searchable" } th.figure { "Still to do" } } }
            tbody {
                @for FolderCoverage { folder, coverage } in folders.iter().take(MAX_FOLDERS) {
                    tr {
                        th scope="row" dir="auto" { @if folder.is_empty() { "in no folder" } @else { (folder) } }
                        td.figure { (with_separators(coverage.articles)) }
                        td.figure { (with_separators(coverage.embedded)) }
                        td.figure { (with_separators(to_do(coverage))) }
                    }
                }
            }
        } }
        @if folders.len() > MAX_FOLDERS {
            p.quiet { "The " (MAX_FOLDERS) " with the most to do, of " (folders.len()) " folders." }
        }
    }
}

fn to_do(coverage: &Coverage) -> i64 {
    coverage.stale + coverage.missing
}

/// The time until the `open` articles are embedded, at the rate of the last five minutes.
fn time_left(seen: &Snapshot, open: i64) -> Option<String> {
    let rate = *seen.numbers.throughput_per_second.get("5m")?;
    (open > 0 && rate > 0.0).then(|| duration((open as f64 / rate * 1000.0) as i64))
}

fn bar(parts: &[Part], all: i64) -> Markup {
    let share = |number: i64| number.max(0) as f64 * 1000.0 / all.max(1) as f64;
    let mut x = 0.0;
    let mut pieces = Vec::new();
    for (kind, name, number) in parts.iter().filter(|(_, _, number)| *number > 0) {
        pieces.push((kind, name, number, x, share(*number)));
        x += share(*number);
    }
    let said: Vec<_> = pieces.iter().map(|(_, name, number, ..)| format!("{number} {name}")).collect();
    html! {
        svg.bar viewBox="0 0 1000 28" preserveAspectRatio="none" role="img" aria-label=(said.join(", ")) {
            @for (kind, _, _, x, width) in &pieces {
                rect class=(kind) x=(format!("{x:.1}")) y="0" width=(format!("{width:.1}")) height="28" {}
            }
        }
    }
}
