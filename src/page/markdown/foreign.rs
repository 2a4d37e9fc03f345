//! The HTML that a text brings: what of it is shown as text, and what is left after cleaning.

use std::{collections::HashSet, sync::LazyLock};

use ammonia::Builder;
use pulldown_cmark::Event;

use super::{code, links::ANCHOR};

/// Elements that would hide what stands behind their tag, to a text's end if they are not closed: what is in them is no
/// text of a page. Their tags are shown as they are written (the tag filter of GitHub, and three more).
pub(super) const HIDING: [&str; 15] = [
    "frameset",
    "iframe",
    "math",
    "noembed",
    "noframes",
    "noscript",
    "plaintext",
    "script",
    "select",
    "style",
    "svg",
    "template",
    "textarea",
    "title",
    "xmp",
];

/// HTML without tags that hide what follows.
pub(super) fn harmless(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(raw) if hides(&raw) => Event::Html(escaped(&raw).into()),
        Event::InlineHtml(raw) if hides(&raw) => Event::InlineHtml(escaped(&raw).into()),
        other => other,
    }
}

fn hides(raw: &str) -> bool {
    raw.split('<').skip(1).any(is_hiding)
}

/// Whether the tag after a `<` hides what follows it.
fn is_hiding(tag: &str) -> bool {
    let tag = tag.strip_prefix('/').unwrap_or(tag);
    let name = tag.split(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')).next().unwrap_or_default();
    HIDING.iter().any(|hiding| name.eq_ignore_ascii_case(hiding))
}

fn escaped(raw: &str) -> String {
    let mut pieces = raw.split('<');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for tag in pieces {
        text.push_str(if is_hiding(tag) { "&lt;" } else { "<" });
        text.push_str(tag);
    }
    text
}

/// The elements that a text may have. Nothing that looks like a part of the page: no forms, no styles, and no classes
/// but those of coloured code.
pub(super) static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut cleaner = Builder::default();
    cleaner
        .rm_tags(["img", "map", "area", "article", "aside", "header", "footer", "nav", "section", "figure"])
        .add_tags(["input"])
        .add_tag_attributes("input", ["checked", "disabled"])
        .set_tag_attribute_value("input", "type", "checkbox")
        .set_tag_attribute_value("input", "disabled", "")
        .set_tag_attribute_value("input", "aria-label", "done")
        .add_tag_attributes("span", ["class"])
        .set_tag_attribute_value("pre", "tabindex", "0")
        .set_tag_attribute_value("table", "tabindex", "0")
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .link_rel(Some("noopener noreferrer nofollow"));
    // What a link of the text may lead to: headings, and both ends of a footnote.
    for place in ["h1", "h2", "h3", "h4", "h5", "h6", "sup", "div"] {
        cleaner.add_tag_attributes(place, ["id"]);
    }
    cleaner.attribute_filter(|_, attribute, value| match attribute {
        // Raw HTML may bring an id, which would be an element of the page for a script or a link.
        "id" => value.starts_with(ANCHOR).then(|| value.into()),
        "class" => value.split_whitespace().all(|class| class.starts_with(code::CLASS)).then(|| value.into()),
        _ => Some(value.into()),
    });
    cleaner
});
