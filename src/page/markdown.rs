//! Markdown as HTML: rendered, then cleaned, so that nothing in it runs, loads or looks like the page around it.

mod code;
mod links;

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use ammonia::Builder;
use maud::{Markup, PreEscaped};
use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

pub(super) use self::links::Destinations;

use self::{
    code::Colours,
    links::{ANCHOR, Guide, Led},
};
use crate::{
    articles::{front_matter::head, slug::Slug},
    markdown::neutralised,
    offload,
};

/// The most of a text that is shown at once. *Units:* bytes.
const SHOWN: usize = 1 << 20;
/// Headings of a table of contents.
const HEADINGS: usize = 200;

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

/// Elements that are opened again in the paragraphs that follow, if they were not closed.
const REOPENED: [&str; 14] =
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];
/// Most elements that a text may have by that; one that may have more is shown with its HTML as text.
const MAX_REOPENED: usize = 200_000;

/// The part of a text that is shown: all, or the beginning of a long one.
pub(super) fn shown(body: &str) -> &str {
    &body[..body.floor_char_boundary(SHOWN)]
}

/// Renders `body`, or the beginning of a long one; `destinations` are those of its links.
pub(super) async fn render(body: &str, destinations: Destinations) -> Rendered {
    let shown = shown(body);
    let is_cut = shown.len() < body.len();
    // Colouring code takes longer than all the rest.
    if shown.len() <= offload::SMALL && !shown.contains("```") && !shown.contains("~~~") {
        return rendered(shown, is_cut, &destinations, Colours::new());
    }
    let shown = shown.to_owned();
    offload::show(move || rendered(&shown, is_cut, &destinations, Colours::new())).await
}

fn rendered(body: &str, is_cut: bool, destinations: &Destinations, mut colours: Colours) -> Rendered {
    let hidden = neutralised(body);
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_WIKILINKS;
    let mut headings = Vec::new();
    let mut events = Vec::new();
    let mut anchors: HashMap<String, usize> = HashMap::new();
    let mut open: Option<(usize, u8, String)> = None;
    let mut fence: Option<(String, String)> = None;
    let mut ours = HashSet::new();
    let mut guide = Guide::new(destinations, body);
    for (event, range) in Parser::new_ext(&hidden, options).into_offset_iter() {
        let event = match guide.led(harmless(as_written(event, body.get(range.clone()))), range) {
            Led::Of(event) => event,
            Led::Ours(event) => {
                ours.insert(events.len());
                event
            }
        };
        match &event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if code::is_known(info) => {
                fence = Some((info.to_string(), String::new()));
            }
            Event::Text(text) if let Some((_, code)) = &mut fence => {
                code.push_str(text);
                continue;
            }
            Event::End(TagEnd::CodeBlock) if let Some((info, code)) = fence.take() => {
                events.push(match colours.paint(&info, &code) {
                    Some(painted) => {
                        ours.insert(events.len());
                        Event::InlineHtml(painted.into())
                    }
                    None => Event::Text(code.into()),
                });
            }
            Event::Start(Tag::Heading { level, .. }) => open = Some((events.len(), *level as u8, String::new())),
            Event::Text(text) | Event::Code(text) => {
                if let Some((_, _, said)) = &mut open {
                    said.push_str(text);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some((at, level, text)) = open.take() {
                    let anchor = anchor(&text, &mut anchors);
                    if let Some(Event::Start(Tag::Heading { id, .. })) = events.get_mut(at) {
                        *id = Some(CowStr::from(anchor.clone()));
                    }
                    if headings.len() < HEADINGS && !text.trim().is_empty() {
                        headings.push(Heading { level, text, anchor });
                    }
                }
            }
            _ => {}
        }
        events.push(here(event));
    }
    if is_bomb(&events, &ours) {
        for (_, event) in events.iter_mut().enumerate().filter(|(at, _)| !ours.contains(at)) {
            if let Event::Html(raw) | Event::InlineHtml(raw) = event {
                *event = Event::Text(std::mem::replace(raw, CowStr::Borrowed("")));
            }
        }
    }
    let mut html = String::with_capacity(body.len() * 3 / 2);
    pulldown_cmark::html::push_html(&mut html, events.into_iter());
    Rendered { html: PreEscaped(CLEANER.clean(&html).to_string()), headings, is_cut }
}

/// Whether the HTML in a text would become a thousand times as large: a browser, and whatever reads HTML as one does, opens
/// all emphasis that was not closed again in each paragraph that follows.
fn is_bomb(events: &[Event<'_>], ours: &HashSet<usize>) -> bool {
    let (mut opened, mut blocks) = (0_usize, 0_usize);
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Html(raw) | Event::InlineHtml(raw) if !ours.contains(&at) => {
                for tag in raw.split('<').skip(1) {
                    let name = tag.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
                    let is_reopened = REOPENED.iter().any(|reopened| name.eq_ignore_ascii_case(reopened));
                    opened += usize::from(is_reopened);
                    blocks += 1;
                }
            }
            Event::Start(_) => blocks += 1,
            _ => {}
        }
    }
    opened.saturating_mul(blocks) > MAX_REOPENED
}

/// The parser's copy of a text may hide marks of a very long line: what stands there is shown as it was written.
fn as_written<'text>(event: Event<'text>, written: Option<&'text str>) -> Event<'text> {
    match (event, written) {
        (Event::Text(parsed), Some(written)) if written.len() == parsed.len() => Event::Text(written.into()),
        (event, _) => event,
    }
}

/// Elements that would hide what stands behind their tag, to a text's end if they are not closed: what is in them is no
/// text of a page. Their tags are shown as they are written (the tag filter of GitHub, and three more).
const HIDING: [&str; 15] = [
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
fn harmless(event: Event<'_>) -> Event<'_> {
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

/// A picture would be fetched from elsewhere, and tell there who reads: it becomes a link. The page has the title for
/// the highest heading, so those of a text are one lower.
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

/// The elements that a text may have. Nothing that looks like a part of the page: no forms, no styles, and no classes but
/// those of coloured code.
static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
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
    for heading in ["h1", "h2", "h3", "h4", "h5", "h6"] {
        cleaner.add_tag_attributes(heading, ["id"]);
    }
    cleaner.attribute_filter(|_, attribute, value| match attribute {
        // Raw HTML may bring an id, which would be an element of the page for a script or a link.
        "id" => value.starts_with(ANCHOR).then(|| value.into()),
        "class" => value.split_whitespace().all(|class| class.starts_with(code::CLASS)).then(|| value.into()),
        _ => Some(value.into()),
    });
    cleaner
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::OutgoingLink;

    fn html(body: &str) -> String {
        html_with(body, Destinations::default())
    }

    fn html_with(body: &str, destinations: Destinations) -> String {
        rendered(body, false, &destinations, Colours::patient()).html.into_string()
    }

    fn link(form: &str, target: &str, slug: Option<&str>) -> OutgoingLink {
        let (target, slug) = (target.to_owned(), slug.map(str::to_owned));
        OutgoingLink { target, anchor: String::new(), form: form.to_owned(), slug, title: None }
    }

    #[test]
    fn links_lead_to_articles_and_say_if_they_lead_nowhere() {
        let known = || {
            Destinations::from(vec![
                link("wiki", "The Guide", Some("guide")),
                link("wiki", "handbook", Some("handbook")),
                link("path", "../a/handbook.md", Some("handbook")),
                link("address", "handbook", Some("handbook")),
                link("wiki", "Nowhere", None),
                link("path", "gone.md", None),
            ])
        };
        for (written, shown) in [
            ("[[The Guide]]", "<a href=\"/articles/guide\" rel=\"noopener noreferrer nofollow\">The Guide</a>"),
            (
                "[[handbook#Tides|tides]]",
                "<a href=\"/articles/handbook#text-tides\" rel=\"noopener noreferrer nofollow\">tides</a>",
            ),
            ("[[handbook#A#High Tides|x]]", "href=\"/articles/handbook#text-high-tides\""),
            ("[[handbook#^block|x]]", "href=\"/articles/handbook\""),
            ("![[handbook]]", "href=\"/articles/handbook\""),
            ("[x](../a/handbook.md#high%20tides)", "href=\"/articles/handbook#text-high-tides\""),
            ("[x](article://handbook)", "href=\"/articles/handbook\""),
            ("<article://handbook>", "href=\"/articles/handbook\""),
            ("[x](#tides) and [[#Neap Tides]]", "href=\"#text-tides\""),
            ("[[#Neap Tides]]", "href=\"#text-neap-tides\""),
            ("[x](#text-tides)", "href=\"#text-tides\""),
            ("[[Nowhere]]", "<span class=\"c-lost\" title=\"No article has this name\">Nowhere</span>"),
            ("[*x*](gone.md)", "title=\"No article has this name\"><em>x</em></span>"),
            ("![chart](chart.png)", "title=\"This file is not kept here\">chart</span>"),
            ("[[never looked up]]", "too many links"),
            ("[x](https://example.org/a.md)", "href=\"https://example.org/a.md\""),
            ("<someone@example.org>", "href=\"mailto:someone@example.org\""),
            ("`[[The Guide]]`", "<code>[[The Guide]]</code>"),
            ("```\n[[The Guide]]\n```", "[[The Guide]]"),
            ("    [[The Guide]]", "[[The Guide]]"),
            ("[[<img src=x onerror=window.ran=1>]]", "&lt;img src=x onerror=window.ran=1&gt;"),
        ] {
            let html = html_with(written, known());
            assert!(html.contains(shown), "{written}: {html}");
            assert!(!html.contains("<img"), "{written}: {html}");
        }
        for code in ["`[[The Guide]]`", "```\n[[The Guide]]\n```"] {
            assert!(!html_with(code, known()).contains("href"), "{code}");
        }
    }

    #[test]
    fn nothing_of_a_long_line_is_replaced() {
        let line = format!("{} a_b & c!", "word ".repeat(10_000));
        assert!(html(&line).contains("a_b &amp; c!"));
    }

    #[test]
    fn emphasis_that_is_never_closed_makes_no_text_a_thousand_times_as_large() {
        let opened: String = (0..2_000).map(|number| format!("<b title={number}>\n")).collect();
        let bomb = format!("text {opened}{}", "\n\nx".repeat(5_000));
        assert!(html(&bomb).len() < 10 * bomb.len());
        let hidden = format!("<span class=\"source\">{}", bomb.replace("\n\n", "\n<p>"));
        assert!(html(&hidden).len() < 10 * hidden.len());
        assert!(html("Some <b>bold</b> text.\n\n```rust\nfn main() {}\n```\n").contains("<b>bold</b>"));
    }

    #[test]
    fn a_tag_in_prose_hides_nothing() {
        let named = [
            "a",
            "abbr",
            "article",
            "aside",
            "audio",
            "base",
            "blockquote",
            "body",
            "button",
            "canvas",
            "caption",
            "center",
            "col",
            "colgroup",
            "datalist",
            "dd",
            "del",
            "details",
            "dialog",
            "div",
            "dl",
            "embed",
            "fieldset",
            "font",
            "footer",
            "form",
            "frame",
            "head",
            "header",
            "html",
            "image",
            "img",
            "input",
            "legend",
            "li",
            "link",
            "listing",
            "main",
            "map",
            "marquee",
            "menu",
            "meta",
            "nav",
            "object",
            "ol",
            "optgroup",
            "option",
            "output",
            "p",
            "param",
            "picture",
            "pre",
            "progress",
            "ruby",
            "section",
            "slot",
            "source",
            "summary",
            "table",
            "tbody",
            "td",
            "tfoot",
            "th",
            "thead",
            "tr",
            "track",
            "ul",
            "video",
            "x-y",
        ];
        for name in named.into_iter().chain(HIDING) {
            let shown = html(&format!("FIRST\n\nuse the <{name}> tag here.\n\nSECOND\n\n# HEADING\n"));
            for kept in ["FIRST", "tag here", "<p>SECOND</p>", "<h2 id=\"text-heading\">HEADING</h2>"] {
                assert!(shown.contains(kept), "{name} hides {kept}: {shown}");
            }
            // Some of them begin a block of HTML that goes on to the end: it is shown as it is.
            for tag in [format!("<{name} a=b>"), format!("<{}/>", name.to_uppercase())] {
                let shown = html(&format!("FIRST\n\n{tag} tag here.\n\nSECOND\n\n# HEADING\n"));
                for kept in ["FIRST", "tag here", "SECOND", "HEADING"] {
                    assert!(shown.contains(kept), "{tag} hides {kept}: {shown}");
                }
            }
        }
        assert!(html("the <script> tag").contains("the &lt;script&gt; tag"), "{}", html("the <script> tag"));
        assert!(html("`<script>` and <b>bold</b>").contains("<b>bold</b>"));
    }

    #[test]
    fn a_title_is_said_once() {
        assert_eq!(after_title("\n# Tides #\n\nThe moon.", "Tides"), "\nThe moon.");
        assert_eq!(after_title("# Tides", "Tides"), "");
        for other in ["# Ebb\n", "## Tides\n", "Tides\n", "#Tides\n"] {
            assert_eq!(after_title(other, "Tides"), other);
        }
    }

    #[test]
    fn headings_have_anchors_of_their_own_and_make_the_contents() {
        let shown =
            rendered("# A *b*\n\n## A b\n\n## `c` d\n\n#\n", false, &Destinations::default(), Colours::patient());
        let headings: Vec<_> = shown.headings.iter().map(|heading| (heading.level, heading.anchor.as_str())).collect();
        assert_eq!(headings, [(1, "text-a-b"), (2, "text-a-b-2"), (2, "text-c-d")]);
        assert!(shown.html.into_string().contains("<h3 id=\"text-c-d\">"));
    }

    #[test]
    fn nothing_in_a_text_runs_or_loads() {
        for payload in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "![x](http://evil.example/p.png)",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "<svg onload=alert(1)><a xlink:href='javascript:alert(1)'>x</a></svg>",
            "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
            "<math><mtext></p><style><img src=x onerror=alert(1)></style>",
            "<a href=\"jav&#x09;ascript:alert(1)\">x</a>",
            "<form action=/logout method=post><button>x</button></form>",
            "<style>body{display:none}</style>",
            "<link rel=stylesheet href=//evil.example>",
            "<meta http-equiv=refresh content='0;url=//evil.example'>",
            "<base href=//evil.example>",
            "<p id=main class=danger style='position:fixed'>x</p>",
            "<object data=x></object><embed src=x>",
            "```\n</code></pre><script>alert(1)</script>\n```",
        ] {
            let shown = html(payload);
            for bad in [
                "<script",
                "<img",
                "onerror=",
                "onload=",
                "javascript:",
                "<svg",
                "<iframe",
                "<form",
                "<button",
                "<style",
                "<link",
                "<meta",
                "<base",
                "<object",
                "<embed",
                "style=",
                "class=",
                "id=\"main\"",
                "data:text",
                "src=",
            ] {
                let lower = shown.to_lowercase();
                let tags: String =
                    lower.split('<').skip(1).map(|tag| format!("<{}", tag.split('>').next().unwrap_or(tag))).collect();
                assert!(!tags.contains(bad), "{payload:?} became {shown:?}, which has {bad}");
            }
        }
    }

    #[test]
    fn code_is_coloured_if_its_language_is_known() {
        let shown = html("```rust\nfn f() {} // <b>\n```\n\n```nothing\nfn f() {}\n```\n\n    fn f() {}\n");
        assert_eq!(shown.matches("<pre").count(), 3, "{shown}");
        assert_eq!(shown.matches("class=\"c-source c-rust\"").count(), 1, "{shown}");
        assert!(shown.contains("&lt;b&gt;") && !shown.contains("<b>"), "{shown}");
    }

    #[test]
    fn a_text_names_no_class_but_those_of_code() {
        assert!(!html("<span class=\"c-keyword danger\">x</span>").contains("danger"));
        assert!(!html("<p class=\"c-keyword\">x</p>").contains("class"));
    }

    #[test]
    fn what_is_harmless_stays() {
        let text = "| a |\n|---|\n| 1 |\n\n- [x] done\n\n~~old~~ [l](https://a.b) [r](/articles/x) <kbd>K</kbd>";
        let shown = html_with(text, Destinations::from(vec![link("path", "/articles/x", Some("x"))]));
        for kept in [
            "<table tabindex=\"0\">",
            "type=\"checkbox\"",
            "<del>old</del>",
            "href=\"https://a.b\"",
            "href=\"/articles/x\"",
            "<kbd>K</kbd>",
        ] {
            assert!(shown.contains(kept), "{kept}: {shown}");
        }
    }
}
