use super::{foreign::HIDING, weight::is_too_heavy, *};
use crate::{api::OutgoingLink, offload::show_here};

fn html(body: &str) -> String {
    html_with(body, Destinations::default())
}

fn html_with(body: &str, destinations: Destinations) -> String {
    show_here(|turn| render_now(body, &destinations, Colours::patient(), turn)).html.into_string()
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
        ("[[never looked up]]", "This link was not looked up"),
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

/// How many elements and named characters HTML has, and how deep its deepest element stands.
fn size(html: &str) -> (usize, usize) {
    let (mut depth, mut deepest, mut pieces) = (0_usize, 0, html.matches('&').count());
    for tag in html.split('<').skip(1) {
        match tag.starts_with('/') {
            true => depth = depth.saturating_sub(1),
            false => (depth, pieces) = (depth + 1, pieces + 1),
        }
        deepest = deepest.max(depth);
    }
    (pieces, deepest)
}

#[test]
fn no_text_makes_a_page_that_takes_long() {
    let attributes: String = (0..20_000).map(|number| format!(" a{number}")).collect();
    let bombs = [
        "<div>".repeat(3_200),
        "<div>".repeat(200_000),
        "<ul><li>".repeat(2_000),
        "<ul><li>".repeat(100_000),
        "&".repeat(1_000_000),
        "<".repeat(1_000_000),
        "&amp;".repeat(200_000),
        "\u{b0}".repeat(500_000),
        format!("[x](/{})\n", "&".repeat(100_000)),
        "x & y < z\n".repeat(100_000),
        "```\n".to_owned() + &"&".repeat(1_000_000),
        ">".repeat(1_000) + "x\n",
        format!("{}\n", ">".repeat(1_000)).repeat(1_000),
        (0..400).map(|depth| format!("{}- x\n", "  ".repeat(depth))).collect(),
        "1. ".repeat(300) + "x",
        "*".repeat(8_000) + "x" + &"*".repeat(8_000),
        "x\n\n".repeat(300_000),
        "|a".repeat(500) + "\n" + &"|-".repeat(500) + "\n" + &"|\n".repeat(2_000),
        format!("<p{attributes}>\n"),
        format!("text <kbd{attributes}>\n"),
        "<table>x<br>".repeat(50_000),
        "> <table><td>\n\n".repeat(20_000),
        "<p><b title=x>\n\n".repeat(20_000),
    ];
    for bomb in bombs {
        let kind: String = bomb.chars().take(20).collect();
        let made = show_here(|turn| raw_html(beginning(&bomb), &Destinations::default(), Colours::patient(), turn));
        assert!(!is_too_heavy(&made.html), "{kind:?}");
        let (pieces, deepest) = size(&made.html);
        assert!(pieces <= 300_000 && deepest <= 4_100, "{kind:?}: {pieces} pieces, {deepest} deep");
    }
}

#[test]
fn a_text_with_too_many_pieces_is_cut_and_says_so() {
    let long = "one & two\n\n".repeat(80_000);
    let shown = show_here(|turn| render_now(&long, &Destinations::default(), Colours::patient(), turn));
    assert!(shown.is_cut);
    let html = shown.html.into_string();
    assert!(
        html.starts_with("<p>one &amp; two</p>\n") && html.trim_end().ends_with("</p>"),
        "{}",
        &html[html.len() - 40..]
    );
    let nested = format!("{}deep\n\nafter", "> ".repeat(200));
    let html = html_with(&nested, Destinations::default());
    assert!(html.contains("deep") && html.contains("<p>after</p>"), "{html}");
    assert!(html.matches("<blockquote>").count() < 60);
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
fn addresses_are_links_where_they_are_not_part_of_something_else() {
    let link = |address: &str| format!("<a href=\"{address}\" rel=\"noopener noreferrer nofollow\">{address}</a>");
    for (written, address) in [
        ("See https://example.org/a_b_c.", "https://example.org/a_b_c"),
        ("(http://example.org/x_(y))", "http://example.org/x_(y)"),
        ("- https://example.org/*x*", "https://example.org/"),
        ("## At https://example.org", "https://example.org"),
    ] {
        let shown = html(written);
        assert!(shown.contains(&link(address)), "{written}: {shown}");
    }
    for written in [
        "`https://example.org`",
        "    https://example.org",
        "```\nhttps://example.org\n```",
        "ftp://example.org",
        "javascript://x",
    ] {
        assert!(!html(written).contains("<a "), "{written}");
    }
    assert_eq!(html("[https://a.example](https://b.example)").matches("<a ").count(), 1);
    assert_eq!(html("<https://a.example>").matches("<a ").count(), 1);
    assert!(html("https://a.example/?a=1&b=<i>").contains("href=\"https://a.example/?a=1&amp;b=\""));
}

#[test]
fn a_footnote_leads_there_and_back() {
    let shown = html("One[^a], two[^b], one again[^a].\n\n[^b]: Second.\n\n[^a]: First.\n\n[^c]: Unused.\n");
    for part in [
        "<sup id=\"text-ref_1\"><a href=\"#text-note_1\"",
        "<div id=\"text-note_2\"><sup>2</sup>",
        "href=\"#text-ref_2\"",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(shown.matches("id=\"text-ref_1\"").count(), 1, "{shown}");
    assert_eq!(shown.matches("Back to the text").count(), 2, "{shown}");
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
    let text = "# A *b*\n\n## A b\n\n## `c` d\n\n#\n";
    let shown = show_here(|turn| render_now(text, &Destinations::default(), Colours::patient(), turn));
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
