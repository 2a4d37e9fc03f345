//! Where the links of a text lead: to articles of this page, to a heading, elsewhere, or nowhere.

use std::{collections::HashMap, ops::Range};

use percent_encoding::percent_decode_str;
use pulldown_cmark::{CowStr, Event, LinkType, Tag, TagEnd};

use crate::{
    api::OutgoingLink,
    articles::slug::Slug,
    markdown::{Link, leads_elsewhere},
};

/// The prefix of anchors: no text may name an element of the page.
pub(super) const ANCHOR: &str = "text-";
/// What is said of a link whose article does not exist.
const NO_ARTICLE: &str = "No article has this name";
/// What is said of a link to a picture or another file.
const NO_FILE: &str = "This file is not kept here";
/// What is said of links behind the last one that was resolved.
const NOT_RESOLVED: &str = "This link was not looked up";

/// The articles that the links of a text lead to.
#[derive(Default)]
pub(in crate::page) struct Destinations {
    /// Slugs by form and target; `None` if there is no such article.
    slugs: HashMap<(String, String), Option<String>>,
}

impl From<Vec<OutgoingLink>> for Destinations {
    fn from(links: Vec<OutgoingLink>) -> Self {
        Self { slugs: links.into_iter().map(|link| ((link.form, link.target), link.slug)).collect() }
    }
}

/// Where one link leads.
#[derive(Debug, PartialEq, Eq)]
enum LinkDestination {
    /// To where it says.
    AsWritten,
    /// To an address of this page.
    Here(String),
    /// To nothing, and why.
    Nowhere(&'static str),
}

impl Destinations {
    fn of(&self, kind: LinkType, address: &str, text: &str, range: Range<usize>) -> LinkDestination {
        if kind == LinkType::Email {
            return LinkDestination::AsWritten;
        }
        if let Some(heading) = address.strip_prefix('#') {
            return LinkDestination::Here(fragment(heading, kind));
        }
        match Link::of(kind, address, text, range) {
            Some(link) => match self.slugs.get(&(link.form.as_str().to_owned(), link.target)) {
                Some(Some(slug)) => LinkDestination::Here(format!("/articles/{slug}{}", fragment(&link.anchor, kind))),
                Some(None) => LinkDestination::Nowhere(NO_ARTICLE),
                None => LinkDestination::Nowhere(NOT_RESOLVED),
            },
            None if address.is_empty() || leads_elsewhere(address) => LinkDestination::AsWritten,
            None => LinkDestination::Nowhere(NO_FILE),
        }
    }
}

/// The address of a heading in a text, with its `#`: of `A#B` the last, of a block none.
fn fragment(heading: &str, kind: LinkType) -> String {
    let is_wiki = matches!(kind, LinkType::WikiLink { .. });
    let heading = if is_wiki { heading.into() } else { percent_decode_str(heading).decode_utf8_lossy() };
    match heading.rsplit('#').next().unwrap_or_default().trim() {
        "" => String::new(),
        block if block.starts_with('^') => String::new(),
        anchor if anchor.starts_with(ANCHOR) => format!("#{ANCHOR}{}", Slug::from_title(&anchor[ANCHOR.len()..])),
        heading => format!("#{ANCHOR}{}", Slug::from_title(heading)),
    }
}

/// Leads the links of one text, in the order of its events.
pub(super) struct LinkRewriter<'a> {
    destinations: &'a Destinations,
    /// The text as it is written.
    text: &'a str,
    /// The links and pictures that are open, and whether each leads nowhere.
    open: Vec<bool>,
}

impl<'a> LinkRewriter<'a> {
    pub(super) fn new(destinations: &'a Destinations, text: &'a str) -> Self {
        Self { destinations, text, open: Vec::new() }
    }

    /// Returns the event with its address replaced by where it leads; as HTML of this page, if it leads nowhere.
    pub(super) fn resolve<'event>(&mut self, event: Event<'event>, range: Range<usize>) -> LinkEvent<'event> {
        match event {
            Event::Start(Tag::Link { link_type, ref dest_url, ref title, ref id })
            | Event::Start(Tag::Image { link_type, ref dest_url, ref title, ref id }) => {
                let lead = self.destinations.of(link_type, dest_url, self.text, range);
                self.open.push(matches!(lead, LinkDestination::Nowhere(_)));
                match lead {
                    LinkDestination::AsWritten => LinkEvent::Of(event),
                    LinkDestination::Here(address) => {
                        let (dest_url, title, id) = (CowStr::from(address), title.clone(), id.clone());
                        LinkEvent::Of(Event::Start(Tag::Link { link_type: LinkType::Inline, dest_url, title, id }))
                    }
                    LinkDestination::Nowhere(why) => {
                        let class = super::code::CLASS;
                        LinkEvent::Ours(Event::InlineHtml(
                            format!("<span class=\"{class}lost\" title=\"{why}\">").into(),
                        ))
                    }
                }
            }
            Event::End(TagEnd::Link | TagEnd::Image) if self.open.pop() == Some(true) => {
                LinkEvent::Ours(Event::InlineHtml("</span>".into()))
            }
            other => LinkEvent::Of(other),
        }
    }
}

/// An event of a text, or HTML that this page made of it.
pub(super) enum LinkEvent<'event> {
    Of(Event<'event>),
    Ours(Event<'event>),
}
