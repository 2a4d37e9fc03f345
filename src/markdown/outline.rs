//! The blocks of a markdown text, in order, read window by window.
//!
//! Owns where a block begins, how deep it is nested and which headings are sections. Knows nothing about chunks.

use std::{collections::VecDeque, ops::Range};

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd};

use super::{byte_order_mark, long_lines::neutralised};

/// How much is parsed at once, in bytes: the parser's tree takes up to sixty times the text, so it is never built
/// whole.
const WINDOW_BYTES: usize = 128 << 10;

/// A block longer than this, in bytes, is read in parts, as if another block began there.
const LONGEST_BLOCK: usize = 1 << 20;

/// A heading longer than this, in bytes, is text that happens to begin with `#`.
const LONGEST_HEADING: usize = 1000;

/// What follows next in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A heading that opens a section; those inside lists and quotations are plain blocks.
    Heading(Heading),
    /// The beginning of a block, nested or not.
    Block(Mark),
}

/// A heading at the outermost level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heading {
    /// 1 for the highest, 6 for the lowest.
    pub(crate) level: u8,
    /// Its words without markup, in one line; may be empty.
    pub(crate) text: String,
    /// Its range, from the beginning of its line, underline included.
    pub(crate) range: Range<usize>,
}

/// A place where a text may be cut before a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Where the block's first line begins.
    pub(crate) at: usize,
    /// 0 at the outermost level, one more for every list, item or quotation around it.
    pub(crate) depth: u32,
    /// How the block itself may be cut.
    pub(crate) kind: Kind,
}

/// How a block that does not fit is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// At sentences, then words.
    Prose,
    /// At lines: code, tables, HTML.
    Lines,
}

/// Iterates over the pieces of a text, from first to last.
///
/// A block is complete once another outermost block follows it, so each window ends before its last one, and the next
/// begins there; a block longer than a window doubles the window, up to a limit. Beyond that the block continues in the
/// next window as another one; the end of a fence is known, and its content is not parsed.
pub(crate) struct Outline<'a> {
    body: &'a str,
    window: usize,
    longest: usize,
    at: usize,
    /// The fence that is still open at `at`.
    fence: Option<Fence>,
    ready: VecDeque<Piece>,
}

impl<'a> Outline<'a> {
    /// Reads `body` from its beginning; skips a byte order mark.
    pub(crate) fn new(body: &'a str) -> Self {
        Self::with_window(body, WINDOW_BYTES, LONGEST_BLOCK)
    }

    fn with_window(body: &'a str, window: usize, longest: usize) -> Self {
        let (at, window) = (byte_order_mark(body), window.clamp(1, longest.max(1)));
        Self { body, window, longest, at, fence: None, ready: VecDeque::new() }
    }

    fn read_window(&mut self) {
        if let Some(fence) = self.fence.take() {
            self.ready.push_back(Piece::Block(Mark { at: self.at, depth: 0, kind: Kind::Lines }));
            self.at = fence.end(self.body, self.at);
            return;
        }
        let mut size = self.window;
        loop {
            let most = self.body.ceil_char_boundary(self.at.saturating_add(self.longest).min(self.body.len()));
            let end = line_end(self.body, self.at.saturating_add(size)).min(most);
            let mut pieces = Reader::new(&self.body[self.at..end], self.at).read();
            if end == self.body.len() {
                self.at = end;
                self.ready = pieces.into();
                return;
            }
            let last = pieces.iter().rposition(Piece::is_outermost).unwrap_or(0);
            if let Some(start) = pieces.get(last).map(Piece::start).filter(|&start| start > self.at) {
                pieces.truncate(last);
                self.at = start;
                self.ready = pieces.into();
                return;
            }
            if end == most {
                self.fence = Fence::at(&self.body[self.at..]);
                self.at = end;
                self.ready = pieces.into();
                return;
            }
            size = size.saturating_mul(2);
        }
    }
}

/// Three or more of one character that begin a block of code, and end it.
struct Fence {
    mark: u8,
    length: usize,
}

impl Fence {
    /// The fence that `text` begins with.
    fn at(text: &str) -> Option<Self> {
        let line = indented(text.as_bytes())?;
        let mark = *line.first().filter(|mark| matches!(mark, b'`' | b'~'))?;
        let length = line.iter().take_while(|byte| **byte == mark).count();
        (length >= 3).then_some(Self { mark, length })
    }

    /// Where the block ends: after the line that closes it. Its content begins at `from`.
    fn end(&self, body: &str, from: usize) -> usize {
        let mut at = line_end(body, from.saturating_sub(1));
        while at < body.len() {
            let next = line_end(body, at);
            let closes = indented(&body.as_bytes()[at..next]).is_some_and(|line| {
                let length = line.iter().take_while(|byte| **byte == self.mark).count();
                length >= self.length && line[length..].iter().all(u8::is_ascii_whitespace)
            });
            at = next;
            if closes {
                break;
            }
        }
        at
    }
}

/// The beginning of a text without up to three blanks before it.
fn indented(text: &[u8]) -> Option<&[u8]> {
    let blanks = text.iter().take(4).take_while(|byte| **byte == b' ').count();
    (blanks < 4).then(|| &text[blanks..])
}

impl Iterator for Outline<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        while self.ready.is_empty() && self.at < self.body.len() {
            self.read_window();
        }
        self.ready.pop_front()
    }
}

impl Piece {
    fn start(&self) -> usize {
        match self {
            Self::Heading(heading) => heading.range.start,
            Self::Block(mark) => mark.at,
        }
    }

    fn is_outermost(&self) -> bool {
        match self {
            Self::Heading(_) => true,
            Self::Block(mark) => mark.depth == 0,
        }
    }
}

/// The end of the line that contains byte `at`.
fn line_end(body: &str, at: usize) -> usize {
    let rest = body.as_bytes().get(at..).unwrap_or_default();
    rest.iter().position(|&byte| byte == b'\n').map_or(body.len(), |newline| at + newline + 1)
}

/// Reads one window.
struct Reader<'t> {
    text: &'t str,
    base: usize,
    depth: u32,
    lines: LineStarts<'t>,
    heading: Option<Heading>,
    pieces: Vec<Piece>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, base: usize) -> Self {
        Self { text, base, depth: 0, lines: LineStarts::new(text), heading: None, pieces: Vec::new() }
    }

    fn read(mut self) -> Vec<Piece> {
        let hidden = neutralised(self.text);
        for (event, range) in Parser::new_ext(&hidden, options()).into_offset_iter() {
            match event {
                Event::Start(tag) => self.open(&tag, range),
                Event::End(tag) => self.close(tag),
                Event::Text(text) | Event::Code(text) => self.add_to_heading(&text),
                Event::SoftBreak | Event::HardBreak => self.add_to_heading(&CowStr::Borrowed(" ")),
                Event::Rule => self.mark(Kind::Prose, range.start),
                _ => {}
            }
        }
        self.pieces
    }

    fn open(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Heading { level, .. } if self.depth == 0 && range.len() <= LONGEST_HEADING => {
                let start = self.lines.start_of(range.start) + self.base;
                let range = start..range.end + self.base;
                self.heading = Some(Heading { level: *level as u8, text: String::new(), range });
            }
            Tag::CodeBlock(_) | Tag::HtmlBlock | Tag::Table(_) => self.mark(Kind::Lines, range.start),
            Tag::Paragraph | Tag::Heading { .. } | Tag::BlockQuote(_) | Tag::List(_) | Tag::Item => {
                self.mark(Kind::Prose, range.start);
            }
            _ => {}
        }
        self.depth += 1;
    }

    fn close(&mut self, tag: TagEnd) {
        self.depth -= 1;
        if let (TagEnd::Heading(_), Some(mut heading)) = (tag, self.heading.take_if(|_| self.depth == 0)) {
            heading.text = heading.text.split_whitespace().collect::<Vec<_>>().join(" ");
            self.pieces.push(Piece::Heading(heading));
        }
    }

    /// Records a block. One that begins in the line of the block around it adds no place to cut, only how that one may
    /// be cut.
    fn mark(&mut self, kind: Kind, start: usize) {
        let at = self.lines.start_of(start) + self.base;
        match self.pieces.last_mut() {
            Some(Piece::Block(before)) if before.at == at => before.kind = kind,
            _ => self.pieces.push(Piece::Block(Mark { at, depth: self.depth, kind })),
        }
    }

    fn add_to_heading(&mut self, text: &CowStr<'_>) {
        if let Some(heading) = &mut self.heading {
            heading.text.push_str(text);
        }
    }
}

/// Finds the beginnings of lines for places in ascending order, in one pass over the text.
struct LineStarts<'t> {
    text: &'t str,
    seen: usize,
    start: usize,
}

impl<'t> LineStarts<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, seen: 0, start: 0 }
    }

    fn start_of(&mut self, place: usize) -> usize {
        let passed = self.text.as_bytes().get(self.seen..place).unwrap_or_default();
        if let Some(newline) = passed.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')) {
            self.start = self.seen + newline + 1;
        }
        self.seen = self.seen.max(place);
        self.start
    }
}

pub(super) fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_HEADING_ATTRIBUTES | Options::ENABLE_STRIKETHROUGH
}

#[cfg(test)]
mod tests;
