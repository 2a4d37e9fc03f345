//! Markdown as HTML: rendered, then cleaned, so that nothing in it runs, loads or looks like the page around it.

mod addresses;
mod code;
mod footnotes;
mod foreign;
mod links;
mod render_budget;
#[cfg(test)]
mod tests;
mod weight;

use std::collections::{HashMap, HashSet};

use maud::{Markup, PreEscaped};
use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

pub(super) use self::links::Destinations;

use self::{
    code::Colours,
    footnotes::Footnotes,
    foreign::{CLEANER, harmless},
    links::{ANCHOR, LinkEvent, LinkRewriter},
    render_budget::{EventOutcome, RenderBudget},
    weight::is_too_heavy,
};
use crate::{
    articles::{front_matter::head, slug::Slug},
    markdown::neutralised,
    offload::{self, Turn},
};

/// The most of a text that is shown at once. *Units:* bytes.
const MAX_SHOWN_BYTES: usize = 1 << 20;
/// Headings of a table of contents.
const MAX_HEADINGS: usize = 200;

/// A text as it is read.
pub(super) struct Rendered {
    pub(super) html: Markup,
    pub(super) headings: Vec<Heading>,
    /// Whether there is more.
    pub(super) is_cut: bool,
}

/// A heading of it.
pub(super) struct Heading {
    pub(super) level: u8,
    pub(super) text: String,
    pub(super) anchor: String,
}

/// Returns `body` without front matter at its beginning.
pub(super) fn after_front_matter(body: &str) -> &str {
    &body[head(body).len()..]
}

/// `body` without a first heading that says the title once more, which stands above it already.
pub(super) fn after_title<'body>(body: &'body str, title: &str) -> &'body str {
    let Some(heading) = body.trim_start().strip_prefix("# ") else { return body };
    let (heading, rest) = heading.split_once('\n').unwrap_or((heading, ""));
    if heading.trim().trim_end_matches('#').trim_end() == title { rest } else { body }
}

/// The part of a text that is shown: all, or the beginning of a long one.
pub(super) fn shown(body: &str) -> &str {
    &body[..body.floor_char_boundary(MAX_SHOWN_BYTES)]
}

/// Renders `body`, or the beginning of a long one; `destinations` are those of its links.
pub(super) async fn render(body: &str, destinations: Destinations) -> Rendered {
    let shown = shown(body);
    let is_cut = shown.len() < body.len();
    // Colouring code takes longer than all the rest.
    let rendered = if shown.len() <= offload::SMALL_TEXT_BYTES && !shown.contains("```") && !shown.contains("~~~") {
        offload::show_here(|turn| rendered(shown, &destinations, Colours::new(), turn))
    } else {
        let shown = shown.to_owned();
        offload::show(move |turn| rendered(&shown, &destinations, Colours::new(), turn)).await
    };
    Rendered { is_cut: is_cut || rendered.is_cut, ..rendered }
}

fn rendered(body: &str, destinations: &Destinations, colours: Colours, turn: &Turn) -> Rendered {
    let RawHtml { html, headings, is_cut } = written(body, destinations, colours, turn);
    Rendered { html: PreEscaped(CLEANER.clean(&html).to_string()), headings, is_cut }
}

/// A text as HTML that is not cleaned yet, and not too much to be cleaned.
struct RawHtml {
    html: String,
    headings: Vec<Heading>,
    is_cut: bool,
}

fn written(body: &str, destinations: &Destinations, mut colours: Colours, turn: &Turn) -> RawHtml {
    let hidden = neutralised(body);
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_WIKILINKS;
    let mut headings = Vec::new();
    let mut shown = ShownEvents {
        events: Vec::new(),
        ours: HashSet::new(),
        room: RenderBudget::new(turn),
        text: String::new(),
        literal: 0,
        is_cut: false,
    };
    let mut footnotes = Footnotes::default();
    let mut anchors: HashMap<String, usize> = HashMap::new();
    let mut open: Option<(usize, u8, String)> = None;
    let mut fence: Option<(String, String)> = None;
    let mut guide = LinkRewriter::new(destinations, body);
    for (event, range) in Parser::new_ext(&hidden, options).into_offset_iter() {
        if shown.is_cut {
            break;
        }
        let event = match guide.led(harmless(as_written(event, body.get(range.clone()))), range) {
            LinkEvent::Of(event) => event,
            LinkEvent::Ours(event) => {
                shown.push_ours(event);
                continue;
            }
        };
        if let Some(footnote) = footnotes.shown(&event) {
            shown.push_ours(footnote);
            continue;
        }
        match &event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if code::is_known(info) => {
                fence = Some((info.to_string(), String::new()));
            }
            Event::Text(text) if let Some((_, code)) = &mut fence => {
                code.push_str(text);
                continue;
            }
            Event::End(TagEnd::CodeBlock) if let Some((info, code)) = fence.take() => {
                match colours.paint(&info, &code) {
                    Some(painted) => shown.push_ours(Event::InlineHtml(painted.into())),
                    None => shown.push(Event::Text(code.into())),
                }
            }
            Event::Start(Tag::Heading { level, .. }) => {
                shown.end_text();
                open = Some((shown.events.len(), *level as u8, String::new()));
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some((_, _, said)) = &mut open {
                    said.push_str(text);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some((at, level, text)) = open.take() {
                    let anchor = anchor(&text, &mut anchors);
                    if let Some(Event::Start(Tag::Heading { id, .. })) = shown.events.get_mut(at) {
                        *id = Some(CowStr::from(anchor.clone()));
                    }
                    if headings.len() < MAX_HEADINGS && !text.trim().is_empty() {
                        headings.push(Heading { level, text, anchor });
                    }
                }
            }
            _ => {}
        }
        shown.push(here(event));
    }
    shown.end_text();
    RawHtml { is_cut: shown.is_cut, html: shown.html(), headings }
}

/// The events of a text that are shown.
struct ShownEvents<'event, 'turn> {
    events: Vec<Event<'event>>,
    /// Those that this page made.
    ours: HashSet<usize>,
    room: RenderBudget<'turn>,
    /// The text since the last other event: the parser may have it in pieces, even of one address.
    text: String,
    /// Links and code that are open: an address in them is no link.
    literal: usize,
    is_cut: bool,
}

impl<'event> ShownEvents<'event, '_> {
    fn push(&mut self, event: Event<'event>) {
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

    fn end_text(&mut self) {
        if self.text.is_empty() {
            return;
        }
        for event in addresses::linked(std::mem::take(&mut self.text)) {
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
    fn push_ours(&mut self, event: Event<'event>) {
        self.end_text();
        let at = self.events.len();
        self.push(event);
        if !self.is_cut {
            self.ours.insert(at);
        }
    }

    /// Returns it as HTML; what the text brings of it as text, if it would be too much.
    fn html(mut self) -> String {
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

/// The parser's copy of a text may hide marks of a very long line: what stands there is shown as it was written.
fn as_written<'text>(event: Event<'text>, written: Option<&'text str>) -> Event<'text> {
    match (event, written) {
        (Event::Text(parsed), Some(written)) if written.len() == parsed.len() => Event::Text(written.into()),
        (event, _) => event,
    }
}

/// Fits an event into the page. A picture becomes a link, because fetching it would tell its server who reads. Headings
/// move down one level, because the highest is the title.
fn here(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        Event::End(TagEnd::Image) => Event::End(TagEnd::Link),
        Event::Start(Tag::Heading { level, id, classes: _, attrs: _ }) => {
            Event::Start(Tag::Heading { level: lower(level), id, classes: Vec::new(), attrs: Vec::new() })
        }
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lower(level))),
        other => other,
    }
}

fn lower(level: HeadingLevel) -> HeadingLevel {
    HeadingLevel::try_from(level as usize + 1).unwrap_or(HeadingLevel::H6)
}

fn anchor(text: &str, taken: &mut HashMap<String, usize>) -> String {
    let slug = Slug::from_title(text).to_string();
    let times = taken.entry(slug.clone()).or_default();
    *times += 1;
    if *times == 1 { format!("{ANCHOR}{slug}") } else { format!("{ANCHOR}{slug}-{times}") }
}
