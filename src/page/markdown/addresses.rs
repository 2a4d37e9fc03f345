//! Addresses that stand in a text and are not written as links.

use linkify::{LinkFinder, LinkKind};
use pulldown_cmark::{CowStr, Event, LinkType, Tag, TagEnd};

/// Schemes of addresses that become links.
const SCHEMES: [&str; 2] = ["http://", "https://"];

/// `text` as events, in which each address is a link.
pub(super) fn link_addresses(text: String) -> Vec<Event<'static>> {
    if !text.contains("://") {
        return vec![Event::Text(text.into())];
    }
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    let mut events = Vec::new();
    for span in finder.spans(&text) {
        let piece: CowStr<'static> = span.as_str().to_owned().into();
        let is_address = span.kind().is_some() && SCHEMES.iter().any(|scheme| begins_with(&piece, scheme));
        if is_address {
            let (dest_url, title, id) = (piece.clone(), CowStr::Borrowed(""), CowStr::Borrowed(""));
            events.push(Event::Start(Tag::Link { link_type: LinkType::Autolink, dest_url, title, id }));
            events.push(Event::Text(piece));
            events.push(Event::End(TagEnd::Link));
        } else {
            events.push(Event::Text(piece));
        }
    }
    events
}

fn begins_with(text: &str, scheme: &str) -> bool {
    text.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
}
