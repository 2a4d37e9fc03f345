//! Which layout a folder has: from the names in it.

use std::collections::HashSet;

use super::{super::place, jekyll, layout::Layout, logseq, notion};

/// Of so many files in a hundred that are called as Notion calls them, it follows that it has exported them.
const NOTION_NAMES_PERCENT: usize = 90;

/// Files that are there besides, of Logseq and of Jekyll.
pub(in crate::files) const MARKERS: [&str; 2] = ["logseq/config.edn", "_config.yml"];

/// Returns the layout of a folder with these markdown files, by their places in their source, and with these `others`.
pub(in crate::files) fn recognise(files: &[String], others: &HashSet<&str>) -> Layout {
    let named = files.iter().filter(|file| notion::has_id(file)).count();
    let has = |wanted: fn(&str) -> bool| files.iter().any(|file| wanted(file));
    let is_graph = others.contains(MARKERS[0])
        // Days with hyphens are in other programs' journals, too.
        || has(|file| file.starts_with("pages/")) && has(|file| logseq::day(file).is_some() && file.contains('_'));
    let is_site = has(|file| jekyll::is_of(file, "_posts") && jekyll::split_date(place::name(file)).is_some())
        || others.contains(MARKERS[1]) && has(|file| jekyll::is_of(file, "_drafts"));
    if named > 0 && named * 100 >= files.len() * NOTION_NAMES_PERCENT {
        Layout::Notion
    } else if is_graph {
        Layout::Logseq
    } else if is_site {
        Layout::Jekyll
    } else {
        Layout::Plain
    }
}
