//! The words of a markdown text without its markup.
//!
//! Owns what counts as words (text and code, and the text of HTML; no link targets, no tags). Knows nothing of
//! searches.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::{Heading, Outline, Piece, html::Html, is_blank, long_lines::neutralised, outline::options};

/// A markdown text as one plain line.
#[derive(Debug, Default)]
pub(crate) struct PlainText {
    /// The line: white space is single spaces, a heading ends in a colon.
    pub(crate) text: String,
    /// Where each run of `text` begins, and where it is in the markdown; ascending.
    origins: Vec<(usize, usize)>,
    gap: bool,
}

impl PlainText {
    /// Reads `body`.
    pub(crate) fn read(body: &str) -> Self {
        let mut plain = Self::default();
        let hidden = neutralised(body);
        let mut html = Html::default();
        for (event, range) in Parser::new_ext(&hidden, options()).into_offset_iter() {
            match event {
                Event::Text(text) | Event::Code(text) => plain.push(body, &text, &range),
                Event::Start(Tag::HtmlBlock) => html = Html::default(),
                Event::Html(markup) => {
                    let written = body.get(range.clone()).filter(|written| written.len() == markup.len());
                    for part in html.texts(written.unwrap_or_default()) {
                        plain.gap = true;
                        let at = range.start + part.start..range.start + part.end;
                        plain.push(body, &markup[part], &at);
                    }
                    plain.gap = true;
                }
                Event::SoftBreak | Event::HardBreak => plain.gap = true,
                Event::End(TagEnd::Heading(_)) => plain.end_heading(),
                Event::End(tag) if is_block(tag) => plain.gap = true,
                _ => {}
            }
        }
        plain
    }

    /// Returns where in the markdown byte `at` of the plain line comes from, exact to the run of text it is in.
    pub(crate) fn origin(&self, at: usize) -> usize {
        let run = self.origins.partition_point(|&(start, _)| start <= at);
        run.checked_sub(1).and_then(|run| self.origins.get(run)).map_or(0, |&(_, origin)| origin)
    }

    /// Text that is unchanged in the body is read from there, since the parser's copy may be neutralised.
    fn push(&mut self, body: &str, parsed: &str, range: &std::ops::Range<usize>) {
        let written = body.get(range.clone()).filter(|written| written.len() == parsed.len());
        let mut is_first = true;
        for c in written.unwrap_or(parsed).chars() {
            if is_blank(c) {
                self.gap = true;
                continue;
            }
            if std::mem::take(&mut self.gap) && !self.text.is_empty() {
                self.text.push(' ');
            }
            if std::mem::take(&mut is_first) {
                self.origins.push((self.text.len(), range.start));
            }
            self.text.push(c);
        }
    }

    fn end_heading(&mut self) {
        if self.text.ends_with(char::is_alphanumeric) {
            self.text.push(':');
        }
        self.gap = true;
    }
}

/// Whether the end of `tag` separates words.
fn is_block(tag: TagEnd) -> bool {
    !matches!(tag, TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image)
}

/// Returns the first heading of the highest level, else the first heading at all.
pub(crate) fn first_title(body: &str) -> Option<Heading> {
    let mut first = None;
    for piece in Outline::new(body) {
        match piece {
            Piece::Heading(heading) if heading.text.is_empty() => {}
            Piece::Heading(heading) if heading.level == 1 => return Some(heading),
            Piece::Heading(heading) => first = first.or(Some(heading)),
            Piece::Block(_) => {}
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::markdown::sample;

    #[test]
    fn markup_goes_and_words_stay() {
        let body = "# A *title*\n\nSee [the book](http://x.y \"t\"),\nit's **bo**ld &amp; `a*b`<br>.\n\n```rust\nfn f() {}\n```\n\n| x | y |\n|---|---|\n| 1 | 2 |\n";
        let plain = PlainText::read(body);
        assert_eq!(plain.text, "A title: See the book, it's bold & a*b. fn f() {} x y 1 2");
        let at = plain.text.find("fn f").expect("code is kept");
        assert_eq!(&body[plain.origin(at)..][..4], "fn f");
    }

    #[test]
    fn an_article_of_html_is_its_text() {
        let body = "<div class=\"a > b\">\n<h1>Tide</h1><p>High\nwater</p>\n<script>\nno(1 < 2);\n</script>\n<!-- nor\nthis -->\n\
                    <style>p { no: 1 }</style> at <b>noon</b>\n</div>\n\n<p>Low water, 3 < 4</p>\n\n# Then\n";
        let plain = PlainText::read(body);
        assert_eq!(plain.text, "Tide High water at noon Low water, 3 < 4 Then:");
        let at = plain.text.find("noon").expect("its text");
        assert_eq!(&body[plain.origin(at)..][..4], "noon");
    }

    #[test]
    fn a_title_inside_a_code_fence_is_none() {
        let first = |body: &str| first_title(body).map(|heading| (heading.level, heading.text));
        assert_eq!(first("```\n# no\n```\n## two\n\n#\n\n# Yes `it` is #\n"), Some((1, "Yes it is".to_owned())));
        assert_eq!(first("## two\ntext"), Some((2, "two".to_owned())));
        assert_eq!(first("text"), None);
    }

    proptest! {
        #[test]
        fn it_is_one_line_and_its_origins_lie_in_the_body(body in sample::anything()) {
            let plain = PlainText::read(&body);
            prop_assert!(!plain.text.contains(char::is_control) && !plain.text.contains("  "), "{:?}", plain.text);
            for (at, _) in plain.text.char_indices() {
                prop_assert!(body.is_char_boundary(plain.origin(at)));
            }
        }
    }
}
