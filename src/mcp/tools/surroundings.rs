//! What is around an article: the nearest, and links in both directions. As many as there is room for, and how many
//! more there are.

use super::answers::MAX_TITLE_CHARS;
use crate::{
    api::{Backlink, OutgoingLink, SearchAnswer},
    mcp::budget,
};

/// Most links that are looked at in each direction; of more it is said that there are more.
pub(super) const LOOKED_AT: u32 = 200;
/// Room for the line that says how many more there are. *Units:* bytes.
const MORE_LINE_BYTES: usize = 80;

/// Lists of articles around one.
pub(super) struct Surroundings {
    pub(super) nearest: List,
    pub(super) links_to: List,
    pub(super) linked_from: List,
}

/// Lines below a name.
pub(super) struct List {
    name: &'static str,
    lines: Vec<String>,
    /// Whether there are perhaps more than these.
    is_beginning: bool,
    /// Where the rest is.
    rest: &'static str,
}

impl Surroundings {
    /// Returns the lists in half of `room`, and in what the text beside them, which wants `text`, leaves of the other
    /// half. *Units:* bytes within JSON.
    pub(super) fn within(&self, room: usize, text: usize) -> String {
        let room = (room / 2).max(room.saturating_sub(text + 2));
        // The nearest first: they are few, and many links would leave them no room.
        let nearest = self.nearest.within(room);
        let room = room.saturating_sub(budget::length(&nearest) + 2);
        let half = (room / 2).max(room.saturating_sub(self.linked_from.length() + 2));
        let links_to = self.links_to.within(half);
        let linked_from = self.linked_from.within(room.saturating_sub(budget::length(&links_to) + 2));
        [nearest, links_to, linked_from].join("\n")
    }
}

impl List {
    fn length(&self) -> usize {
        budget::length(self.name) + 3 + self.lines.iter().map(|line| budget::length(line) + 2).sum::<usize>()
    }

    fn within(&self, room: usize) -> String {
        if self.lines.is_empty() {
            return format!("{}:\n- nothing", self.name);
        }
        let is_whole = self.length() <= room && !self.is_beginning;
        let mut left = room.saturating_sub(budget::length(self.name) + 3 + if is_whole { 0 } else { MORE_LINE_BYTES });
        let fits = |line: &&String| {
            let fits = budget::length(line) + 2 <= left;
            left = left.saturating_sub(budget::length(line) + 2);
            fits
        };
        let shown: Vec<&String> = self.lines.iter().take_while(fits).collect();
        let hidden = self.lines.len() - shown.len();
        let least = if self.is_beginning { "at least " } else { "" };
        let more = match (hidden, self.is_beginning) {
            (0, false) => None,
            (0, true) => Some(format!("- and perhaps more{}", self.rest)),
            (hidden, _) => Some(format!("- and {least}{hidden} more{}", self.rest)),
        };
        let lines: Vec<&str> = shown.into_iter().map(String::as_str).chain(more.as_deref()).collect();
        format!("{}:\n{}", self.name, lines.join("\n"))
    }
}

fn line(slug: &str, title: &str) -> String {
    format!("- {slug}: {}", budget::clip(title, MAX_TITLE_CHARS))
}

pub(super) fn links_to(links: &[OutgoingLink]) -> List {
    let mut lines: Vec<String> = Vec::new();
    for link in links {
        let line = match &link.slug {
            Some(slug) => line(slug, link.title.as_deref().unwrap_or_default()),
            None => format!("- (nowhere): {}", budget::clip(&link.target, MAX_TITLE_CHARS)),
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    List { name: "links to", lines, is_beginning: links.len() >= LOOKED_AT as usize, rest: "" }
}

pub(super) fn linked_from(backlinks: &[Backlink]) -> List {
    let lines = backlinks.iter().map(|link| line(&link.slug, &link.title)).collect();
    let rest = "; list_folders of linked_from:SLUG has all";
    List { name: "linked from", lines, is_beginning: backlinks.len() >= LOOKED_AT as usize, rest }
}

pub(super) fn nearest(found: &SearchAnswer) -> List {
    let lines = found.hits.iter().map(|hit| line(&hit.slug, &hit.title)).collect();
    let name = if found.degraded.is_some() { "nearest (by words alone)" } else { "nearest" };
    List { name, lines, is_beginning: false, rest: "" }
}
