//! How much work a text's HTML makes for what cleans it, counted beforehand: a few kilobytes of nested elements, of
//! attributes or of emphasis that is never closed take seconds.

use std::cell::RefCell;

use html5ever::{
    LocalName,
    tendril::StrTendril,
    tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts},
};

/// Most work that HTML may make; what makes more is shown as text. A text of a megabyte makes about a million.
const MAX_WORK: usize = 8_000_000;
/// HTML is read in pieces of this size, up to one that is too much. *Units:* bytes.
const PIECE_BYTES: usize = 4 << 10;
/// A tag that is not finished after so many places where an attribute may begin is too much. A picture as `data:` is
/// long, and one attribute.
const MAX_TAG_PLACES: usize = 16_000;

/// Whether cleaning `html` would take too long.
pub(super) fn is_too_heavy(html: &str) -> bool {
    work(html) > MAX_WORK
}

/// Returns the work that `html` makes, or more; no more is counted once it is too much.
fn work(html: &str) -> usize {
    let (input, tokenizer) = (BufferQueue::default(), Tokenizer::new(CostSink::default(), TokenizerOpts::default()));
    let (mut rest, mut counted, mut silent) = (html, 0, 0);
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE_BYTES));
        input.push_back(StrTendril::from_slice(piece));
        let _ = tokenizer.feed(&input);
        let RenderCost { work, tokens, .. } = *tokenizer.sink.0.borrow();
        let begins = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'"' | b'\'');
        silent =
            if tokens == counted { silent + piece.as_bytes().iter().filter(|byte| begins(byte)).count() } else { 0 };
        if work > MAX_WORK || silent > MAX_TAG_PLACES {
            return usize::MAX;
        }
        (rest, counted) = (after, tokens);
    }
    tokenizer.end();
    tokenizer.sink.0.borrow().work
}

#[derive(Default)]
struct CostSink(RefCell<RenderCost>);

impl TokenSink for CostSink {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut counted = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => counted.start(&tag),
            Token::TagToken(tag) => counted.end(&tag.name),
            Token::CharacterTokens(text) => counted.step(!text.trim_ascii().is_empty()),
            _ => counted.step(false),
        }
        TokenSinkResult::Continue
    }
}

/// What was counted so far. An element counts as open until it has certainly been closed: where HTML's rules for what
/// is nested wrongly would have to be followed, it stays open, and the count is too high.
#[derive(Default)]
struct RenderCost {
    work: usize,
    tokens: usize,
    open: Vec<LocalName>,
    /// Emphasis that is open, or will be opened again in what follows.
    emphasis: usize,
    tables: usize,
    is_in_cell: bool,
    /// Attributes that tags brought for the whole document.
    of_document: usize,
}

impl RenderCost {
    /// A step looks through all that is open, and may open all emphasis again. What stands in a table, but in no cell
    /// of it, is moved before the table, which is looked for among all that was read.
    fn step(&mut self, is_moved: bool) {
        self.tokens += 1;
        let depth = 1 + self.open.len() + self.emphasis;
        self.work = self.work.saturating_add(depth.saturating_mul(1 + self.emphasis));
        if is_moved && self.tables > 0 && !self.is_in_cell {
            self.work = self.work.saturating_add(self.tokens);
        }
    }

    fn start(&mut self, tag: &Tag) {
        let name = &*tag.name;
        // Each is compared with those before it.
        self.work = self.work.saturating_add(tag.attrs.len().saturating_mul(tag.attrs.len()));
        self.step(!is_of_table(name));
        if matches!(name, "html" | "body") {
            // Those of the document so far are gone through for each such tag, which opens nothing.
            self.of_document += tag.attrs.len();
            self.work = self.work.saturating_add(self.of_document);
            return;
        }
        if is_void(name) {
            return;
        }
        while self.open.last().is_some_and(|last| is_ended_by(last, name)) {
            self.pop();
        }
        self.emphasis += usize::from(is_emphasis(name));
        self.tables += usize::from(name == "table");
        if is_of_table(name) {
            self.is_in_cell = matches!(name, "td" | "th" | "caption");
        }
        self.open.push(tag.name.clone());
    }

    fn end(&mut self, name: &LocalName) {
        self.step(!is_of_table(name));
        if is_of_table(name) {
            self.is_in_cell = false;
        }
        if &**name == "table" && self.open.contains(name) {
            // A table ends the rows and cells in it.
            while self.open.last().is_some_and(|last| last != name && is_of_table(last)) {
                self.pop();
            }
        }
        if self.open.last() == Some(name) {
            self.emphasis -= usize::from(is_emphasis(name));
            self.pop();
        } else if is_emphasis(name) {
            // What is in it is moved.
            self.work = self.work.saturating_add(self.tokens);
        }
    }

    fn pop(&mut self) {
        self.tables -= usize::from(self.open.pop().is_some_and(|name| &*name == "table"));
    }
}

/// Whether an innermost `open` element ends where `next` begins.
fn is_ended_by(open: &str, next: &str) -> bool {
    match open {
        "p" => matches!(
            next,
            "p" | "div" | "ul" | "ol" | "dl" | "pre" | "blockquote" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6"
        ),
        "li" => next == "li",
        "dd" | "dt" => matches!(next, "dd" | "dt"),
        "td" | "th" => matches!(next, "td" | "th" | "tr" | "tbody" | "thead" | "tfoot"),
        "tr" => matches!(next, "tr" | "tbody" | "thead" | "tfoot"),
        "tbody" | "thead" | "tfoot" => matches!(next, "tbody" | "thead" | "tfoot"),
        _ => false,
    }
}

/// Elements that are opened again in the paragraphs that follow, if they were not closed.
fn is_emphasis(name: &str) -> bool {
    matches!(
        name,
        "a" | "b" | "big" | "code" | "em" | "font" | "i" | "nobr" | "s" | "small" | "strike" | "strong" | "tt" | "u"
    )
}

fn is_of_table(name: &str) -> bool {
    matches!(name, "table" | "tbody" | "thead" | "tfoot" | "tr" | "td" | "th" | "caption" | "colgroup" | "col")
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

#[cfg(test)]
mod tests {
    use ammonia::Builder;
    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 22] = [
        "a",
        "b",
        "blockquote",
        "br",
        "caption",
        "code",
        "dd",
        "div",
        "dt",
        "h1",
        "hr",
        "i",
        "li",
        "ol",
        "p",
        "span",
        "sub",
        "table",
        "tbody",
        "td",
        "tr",
        "ul",
    ];

    /// How deep each tag of well-formed HTML stands, in sum: what reading it really took, as far as it is left.
    fn nested(html: &str) -> usize {
        let (mut depth, mut sum) = (0_usize, 0);
        for tag in html.split('<').skip(1) {
            sum += depth;
            match tag.strip_prefix('/') {
                Some(_) => depth -= 1,
                None if is_void(tag.split(['>', ' ']).next().unwrap_or_default()) => {}
                None => depth += 1,
            }
        }
        sum
    }

    fn cleaned(html: &str) -> String {
        Builder::default().tags(NAMES.into()).link_rel(None).clean(html).to_string()
    }

    fn tag() -> impl Strategy<Value = String> {
        (proptest::sample::select(&NAMES[..]), 0_u8..5).prop_map(|(name, kind)| match kind {
            0 | 1 => format!("<{name}>"),
            2 | 3 => format!("</{name}>"),
            _ => format!("<{name}>x</{name}> y "),
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_less_is_counted_than_is_done(tags in proptest::collection::vec(tag(), 1..60), times in 1_usize..6) {
            let html = tags.concat().repeat(times);
            // Rows and bodies that a table implies: three elements for one.
            prop_assert!(4 * work(&html) >= nested(&cleaned(&html)), "{html}: {}", work(&html));
        }
    }

    #[test]
    fn bombs_are_too_heavy_and_texts_are_not() {
        let many = |unit: &str| unit.repeat(20_000);
        let attributes: String = (0..20_000).map(|number| format!(" a{number}")).collect();
        for (name, bomb) in [
            ("nested", many("<div>")),
            ("lists", many("<ul><li>")),
            ("mixed", many("<div><p><span>")),
            ("wrongly closed", many("<div><span></div>")),
            ("unknown", many("<x-y>")),
            ("cells", many("<table><td><div></td>")),
            ("moved", format!("<table>{}", many("<br>"))),
            ("words before a table", format!("<table>{}", many("x<!-- -->"))),
            ("emphasis", many("<b title=x><p>")),
            ("attributes", format!("<p{attributes}>")),
            ("quoted", format!("<p a=\">\" {attributes}>")),
            ("a comment", format!("<!-- {}", many("<p> "))),
        ] {
            assert!(is_too_heavy(&bomb), "{name}: {}", work(&bomb));
        }
        for (name, text) in [
            ("paragraphs", many("<p>Some <b>bold</b> <a href=\"/x\">text</a>.</p>\n")),
            ("a table", format!("<table>{}</table>", many("<tr><td>1</td><td>2</td></tr>\n"))),
            ("a table without ends", format!("<table>{}</table>", many("<tr><td>1<td>2\n"))),
            ("a list without ends", format!("<ul>{}</ul>", many("<li>one\n"))),
            ("words", many("some words &amp; others ")),
        ] {
            assert!(!is_too_heavy(&text), "{name}: {}", work(&text));
        }
        let sloppy = "<ul><li>one<li>two</ul><table><tr><td>1</table>\n".repeat(500);
        assert!(!is_too_heavy(&sloppy), "{}", work(&sloppy));
    }
}
