//! Markdown as HTML: rendered, then cleaned, so that nothing in it runs, loads or looks like the page around it.

mod addresses;
mod code;
mod footnotes;
mod foreign;
mod headings;
mod links;
mod render_budget;
mod shown_events;
#[cfg(test)]
mod tests;
mod weight;

use maud::{Markup, PreEscaped};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

pub(super) use self::{headings::Heading, links::Destinations};

use self::{
    code::Colours,
    footnotes::Footnotes,
    foreign::{CLEANER, harmless},
    headings::Headings,
    links::{LinkEvent, LinkRewriter},
    shown_events::ShownEvents,
};
use crate::{
    articles::front_matter::head,
    markdown::neutralised,
    offload::{self, Turn},
};

/// The most of a text that is shown at once. *Units:* bytes.
const MAX_SHOWN_BYTES: usize = 1 << 20;

/// A text as it is read.
pub(super) struct Rendered {
    pub(super) html: Markup,
    pub(super) headings: Vec<Heading>,
    /// Whether there is more.
    pub(super) is_cut: bool,
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
pub(super) fn beginning(body: &str) -> &str {
    &body[..body.floor_char_boundary(MAX_SHOWN_BYTES)]
}

/// Renders `body`, or the beginning of a long one; `destinations` are those of its links.
pub(super) async fn render(body: &str, destinations: Destinations) -> Rendered {
    let shown = beginning(body);
    let is_cut = shown.len() < body.len();
    // Colouring code takes longer than all the rest.
    let rendered = if shown.len() <= offload::SMALL_TEXT_BYTES && !shown.contains("```") && !shown.contains("~~~") {
        offload::show_here(|turn| render_now(shown, &destinations, Colours::new(), turn))
    } else {
        let shown = shown.to_owned();
        offload::show(move |turn| render_now(&shown, &destinations, Colours::new(), turn)).await
    };
    Rendered { is_cut: is_cut || rendered.is_cut, ..rendered }
}

fn render_now(body: &str, destinations: &Destinations, colours: Colours, turn: &Turn) -> Rendered {
    let RawHtml { html, headings, is_cut } = raw_html(body, destinations, colours, turn);
    Rendered { html: PreEscaped(CLEANER.clean(&html).to_string()), headings, is_cut }
}

/// A text as HTML that is not cleaned yet, and not too much to be cleaned.
struct RawHtml {
    html: String,
    headings: Vec<Heading>,
    is_cut: bool,
}

fn raw_html(body: &str, destinations: &Destinations, mut colours: Colours, turn: &Turn) -> RawHtml {
    let hidden = neutralised(body);
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_WIKILINKS;
    let (mut shown, mut headings, mut footnotes) = (ShownEvents::new(turn), Headings::default(), Footnotes::default());
    let mut fence: Option<(String, String)> = None;
    let mut guide = LinkRewriter::new(destinations, body);
    for (event, range) in Parser::new_ext(&hidden, options).into_offset_iter() {
        if shown.is_cut {
            break;
        }
        let event = match guide.resolve(harmless(as_written(event, body.get(range.clone()))), range) {
            LinkEvent::Of(event) => event,
            LinkEvent::Ours(event) => {
                shown.push_ours(event);
                continue;
            }
        };
        if let Some(footnote) = footnotes.render(&event) {
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
            Event::Start(Tag::Heading { level, .. }) => headings.begin(*level, &mut shown),
            Event::Text(text) | Event::Code(text) => headings.read(text),
            Event::End(TagEnd::Heading(_)) => headings.end(&mut shown),
            _ => {}
        }
        shown.push(here(event));
    }
    shown.end_text();
    RawHtml { is_cut: shown.is_cut, html: shown.html(), headings: headings.found }
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
