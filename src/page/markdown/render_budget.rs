//! How much of a text is shown: so many pieces, nested so deep, and as long as it may take.

use pulldown_cmark::{Event, Tag, TagEnd};

use crate::offload::Turn;

/// Pieces of a text that are shown; what follows is cut off. A character that HTML has to write as a name is one as
/// well.
const MAX_PIECES: usize = 100_000;
/// Quotations, lists and emphasis within each other; what is deeper loses its frame. What reads the page looks through
/// all that is open at each place.
const MAX_NESTING: usize = 48;

/// Steps of writing the text again. What writes HTML looks from each character that may have to be written as a name to
/// the end of the text around it. *Units:* bytes.
const MAX_STEPS: usize = 1 << 30;

/// What is left of the room for one text.
pub(super) struct RenderBudget<'turn> {
    pieces: usize,
    steps: usize,
    turn: &'turn Turn,
    /// The frames that are open, and whether each is shown.
    open: Vec<(TagEnd, bool)>,
    /// The text since the last frame began or ended.
    run: Run,
}

/// A text, and how many of its characters are looked at when it is written.
#[derive(Clone, Copy, Default)]
struct Run {
    length: usize,
    looked_at: usize,
}

/// What becomes of an event.
pub(super) enum EventOutcome<'event> {
    /// It is shown.
    Shown(Event<'event>),
    /// Only what is in it is shown.
    Without,
    /// Nothing more is shown; these close what is open.
    Full(Vec<Event<'event>>),
}

impl<'turn> RenderBudget<'turn> {
    pub(super) fn new(turn: &'turn Turn) -> Self {
        Self { pieces: MAX_PIECES, steps: MAX_STEPS, turn, open: Vec::new(), run: Run::default() }
    }

    pub(super) fn place<'event>(&mut self, event: Event<'event>) -> EventOutcome<'event> {
        if self.turn.is_over() || !self.takes(&event) {
            let mut last: Vec<_> = self.beginning(&event).into_iter().collect();
            let ends = self.open.drain(..).rev().filter(|(_, is_shown)| *is_shown);
            last.extend(ends.map(|(end, _)| Event::End(end)));
            return EventOutcome::Full(last);
        }
        match &event {
            Event::Start(tag) => {
                let is_shown = self.open.len() < MAX_NESTING;
                self.open.push((tag.to_end(), is_shown));
                if is_shown { EventOutcome::Shown(event) } else { EventOutcome::Without }
            }
            Event::End(_) => match self.open.pop() {
                Some((_, false)) => EventOutcome::Without,
                _ => EventOutcome::Shown(event),
            },
            _ => EventOutcome::Shown(event),
        }
    }

    /// Takes what `event` needs, if it is left.
    fn takes(&mut self, event: &Event<'_>) -> bool {
        let (names, run) = match event {
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                (named(text), self.run.and(Run::of(text)))
            }
            Event::Start(Tag::Link { dest_url, title, .. }) => (0, Run::of(dest_url).and(Run::of(title))),
            Event::Start(_) | Event::End(_) => (0, Run::default()),
            _ => (0, self.run),
        };
        let (pieces, steps) = (1 + names, run.steps().saturating_sub(self.run.steps()));
        if pieces > self.pieces || steps > self.steps {
            return false;
        }
        (self.pieces, self.steps) = (self.pieces - pieces, self.steps - steps);
        self.run = if matches!(event, Event::Start(_)) { Run::default() } else { run };
        true
    }

    /// The beginning of a text that there is no room for.
    fn beginning<'event>(&self, event: &Event<'_>) -> Option<Event<'event>> {
        let Event::Text(text) = event else { return None };
        let names = self.pieces.min(self.steps / text.len().max(1));
        let mut looked_at = text.bytes().enumerate().filter(|(_, byte)| is_looked_at(*byte) || is_named(*byte));
        let end = looked_at.nth(names).map_or(text.len(), |(at, _)| at);
        Some(Event::Text(text[..end].to_owned().into()))
    }
}

impl Run {
    fn of(text: &str) -> Self {
        Self { length: text.len(), looked_at: text.bytes().filter(|byte| is_looked_at(*byte)).count() }
    }

    fn and(self, next: Self) -> Self {
        Self { length: self.length + next.length, looked_at: self.looked_at + next.looked_at }
    }

    fn steps(self) -> usize {
        self.length.saturating_mul(self.looked_at)
    }
}

/// Characters that HTML writes as names.
fn is_named(byte: u8) -> bool {
    matches!(byte, b'<' | b'>' | b'&')
}

/// Beginnings of characters from where the end of the text is looked for.
fn is_looked_at(byte: u8) -> bool {
    matches!(byte, b'&' | 0xC2)
}

fn named(text: &str) -> usize {
    text.bytes().filter(|byte| is_named(*byte)).count()
}
