//! The headings of a text: their anchors, and the table of contents.

use std::collections::HashMap;

use pulldown_cmark::{CowStr, Event, HeadingLevel, Tag};

use super::{links::ANCHOR, shown_events::ShownEvents};
use crate::articles::slug::Slug;

/// Headings of a table of contents.
const MAX_HEADINGS: usize = 200;

/// A heading of a text.
pub(in crate::page) struct Heading {
    pub(in crate::page) level: u8,
    pub(in crate::page) text: String,
    pub(in crate::page) anchor: String,
}

/// The headings that were read so far.
#[derive(Default)]
pub(super) struct Headings {
    /// For the table of contents.
    pub(super) found: Vec<Heading>,
    /// How often an anchor would have been given, by the anchor.
    taken: HashMap<String, usize>,
    open: Option<OpenHeading>,
}

/// A heading whose end was not read yet.
struct OpenHeading {
    /// Where its beginning is among the events that are shown.
    at: usize,
    level: HeadingLevel,
    text: String,
}

impl Headings {
    pub(super) fn begin(&mut self, level: HeadingLevel, shown: &mut ShownEvents<'_, '_>) {
        shown.end_text();
        self.open = Some(OpenHeading { at: shown.events.len(), level, text: String::new() });
    }

    /// Text, of which it is part if a heading is open.
    pub(super) fn read(&mut self, text: &str) {
        if let Some(open) = &mut self.open {
            open.text.push_str(text);
        }
    }

    pub(super) fn end(&mut self, shown: &mut ShownEvents<'_, '_>) {
        let Some(OpenHeading { at, level, text }) = self.open.take() else { return };
        let anchor = self.anchor(&text);
        if let Some(Event::Start(Tag::Heading { id, .. })) = shown.events.get_mut(at) {
            *id = Some(CowStr::from(anchor.clone()));
        }
        if self.found.len() < MAX_HEADINGS && !text.trim().is_empty() {
            self.found.push(Heading { level: level as u8, text, anchor });
        }
    }

    fn anchor(&mut self, text: &str) -> String {
        let slug = Slug::from_title(text).to_string();
        let times = self.taken.entry(slug.clone()).or_default();
        *times += 1;
        if *times == 1 { format!("{ANCHOR}{slug}") } else { format!("{ANCHOR}{slug}-{times}") }
    }
}
