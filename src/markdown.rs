//! The structure of markdown: where blocks begin, which headings are above a place, what the plain words are.
//!
//! Owns the parser's settings and the plain text it yields. Knows no budget, no model and no article.

mod html;
mod long_lines;
mod mentions;
mod outline;
mod plain;
#[cfg(test)]
pub(crate) mod sample;
pub(crate) mod sections;

pub(crate) use long_lines::neutralised;
pub(crate) use mentions::{Form, Link, Mentions, is_attachment, leads_elsewhere};
pub(crate) use outline::{Heading, Kind, Mark, Outline, Piece};
pub(crate) use plain::{PlainText, first_title};

/// Whether `c` is invisible: white space, a control character, or a byte order mark.
pub(crate) fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control() || c == '\u{feff}'
}

/// Length of the byte order mark that `text` begins with, or 0.
pub(crate) fn byte_order_mark(text: &str) -> usize {
    if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
}
