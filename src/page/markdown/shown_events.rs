//! The events of a text that are shown: as many as the page has room for, and as HTML if that is not too much work.

use std::collections::HashSet;

use pulldown_cmark::{CowStr, Event, Tag, TagEnd};

use super::{
    addresses,
    render_budget::{EventOutcome, RenderBudget},
    weight::is_too_heavy,
};
use crate::offload::Turn;

/// The events of a text that are shown.
pub(super) struct ShownEvents<'event, 'turn> {
    pub(super) events: Vec<Event<'event>>,
    /// Those that this page made.
    ours: HashSet<usize>,
    room: RenderBudget<'turn>,
    /// The text since the last other event: the parser may have it in pieces, even of one address.
    text: String,
    /// Links and code that are open: an address in them is no link.
    literal: usize,
    pub(super) is_cut: bool,
}

impl<'event, 'turn> ShownEvents<'event, 'turn> {
    pub(super) fn new(turn: &'turn Turn) -> Self {
        Self {
            events: Vec::new(),
            ours: HashSet::new(),
            room: RenderBudget::new(turn),
            text: String::new(),
            literal: 0,
            is_cut: false,
        }
    }

    pub(super) fn push(&mut self, event: Event<'event>) {
        if let (Event::Text(text), 0) = (&event, self.literal) {
            self.text.push_str(text);
            return;
        }
        self.end_text();
        match &event {
            Event::Start(Tag::Link { .. } | Tag::CodeBlock(_)) => self.literal += 1,
            Event::End(TagEnd::Link | TagEnd::CodeBlock) => self.literal = self.literal.saturating_sub(1),
            _ => {}
        }
        self.place(event);
    }

    pub(super) fn end_text(&mut self) {
        if self.text.is_empty() {
            return;
        }
        for event in addresses::link_addresses(std::mem::take(&mut self.text)) {
            self.place(event);
        }
    }

    fn place(&mut self, event: Event<'event>) {
        if self.is_cut {
            return;
        }
        match self.room.place(event) {
            EventOutcome::Shown(event) => self.events.push(event),
            EventOutcome::Without => {}
            EventOutcome::Full(last) => {
                self.events.extend(last);
                self.is_cut = true;
            }
        }
    }

    /// The same for HTML that this page made.
    pub(super) fn push_ours(&mut self, event: Event<'event>) {
        self.end_text();
        let at = self.events.len();
        self.push(event);
        if !self.is_cut {
            self.ours.insert(at);
        }
    }

    /// Returns it as HTML; what the text brings of it as text, if it would be too much.
    pub(super) fn html(mut self) -> String {
        let html = as_html(self.events.iter().cloned());
        if !is_too_heavy(&html) {
            return html;
        }
        for (_, event) in self.events.iter_mut().enumerate().filter(|(at, _)| !self.ours.contains(at)) {
            if let Event::Html(raw) | Event::InlineHtml(raw) = event {
                *event = Event::Text(std::mem::replace(raw, CowStr::Borrowed("")));
            }
        }
        as_html(self.events.into_iter())
    }
}

fn as_html<'event>(events: impl Iterator<Item = Event<'event>>) -> String {
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, events);
    html
}
