//! Cutting articles into the chunks that are embedded one by one.
//!
//! An article is cut at its headings, then between blocks, then inside the block that does not fit. Owns where it is
//! cut and what the model is given for each piece; measures through [`TokenCounter`] and knows no model.

mod breadcrumb;
mod changed;
mod clean;
mod inside;
mod limits;
mod measure;
mod section;
mod tokens;
mod window;

use std::sync::Arc;

use afterword_actors::embedder::{Chunk, Chunker, EmbedError, Source};

use crate::{articles::front_matter, markdown::is_blank};
use breadcrumb::Breadcrumb;
use clean::clean;
use measure::Measure;
use section::{Section, Sections};

pub use limits::{ChunkLimits, LimitsError};
pub use tokens::{ApproximateTokens, TokenCounter};

/// Cuts markdown by headings, then blocks, then sentences or lines, then words, then characters.
///
/// Each non-blank character of the body, behind its front matter, is in the text of exactly one chunk, except the
/// headings that have something below them: those are in the heading paths of the chunks below. A heading with nothing
/// below it is text of the section around it, so that nothing of an article is lost to search.
///
/// Chunks do not overlap. The heading path gives a piece its context at a lower cost than an overlap, and with an
/// overlap a change in one place would change the neighbouring chunks, which would then have to be embedded again. For
/// the same reason sections are cut independently: a change in one leaves the chunks of the others alone.
pub struct MarkdownChunker {
    counter: Arc<dyn TokenCounter>,
    limits: ChunkLimits,
}

impl MarkdownChunker {
    /// Makes a chunker that measures with `counter`.
    ///
    /// # Errors
    /// [`LimitsError`] if `limits` leave no room for text.
    pub fn new(counter: Arc<dyn TokenCounter>, limits: ChunkLimits) -> Result<Self, LimitsError> {
        limits.check()?;
        Ok(Self { counter, limits })
    }
}

impl Chunker for MarkdownChunker {
    fn chunk(&self, source: Source<'_>) -> Result<Vec<Chunk>, EmbedError> {
        let measure = Measure::new(&*self.counter, self.limits.room());
        let breadcrumb = Breadcrumb::new(source.title, &measure);
        // What front matter says is told apart from the text.
        let body = front_matter::said(source.body);
        let mut cutting = Cutting { body, limits: &self.limits, measure, chunks: Vec::new() };
        for section in Sections::new(body) {
            let prefix = breadcrumb.above(&section.path, &cutting.measure);
            cutting.cut(&section, &prefix)?;
        }
        if cutting.chunks.is_empty() && !breadcrumb.is_empty() {
            let input = cutting.measured(breadcrumb.alone(&cutting.measure));
            cutting.push(String::new(), String::new(), input)?;
        }
        Ok(cutting.chunks)
    }
}

/// One article being cut.
struct Cutting<'a> {
    body: &'a str,
    limits: &'a ChunkLimits,
    measure: Measure<'a>,
    chunks: Vec<Chunk>,
}

impl Cutting<'_> {
    fn cut(&mut self, section: &Section, prefix: &str) -> Result<(), EmbedError> {
        let end = section.range.end;
        let mut at = self.next_text(section.range.start, end);
        while at < end {
            let (cut, input) = self.fill(section, at, prefix)?;
            let text = self.body[at..cut].trim_end_matches(is_blank);
            if !text.is_empty() {
                self.push(section.name.clone(), text.to_owned(), input)?;
            }
            at = self.next_text(cut, end);
        }
        Ok(())
    }

    /// Returns as much text from `at` as fits below `prefix`, and the whole input of the model.
    ///
    /// The counts of pieces need not add up to that of the whole, so the whole is measured; if it is too long after
    /// all, the text is shortened by the difference.
    fn fill(&self, section: &Section, at: usize, prefix: &str) -> Result<(usize, Measured), EmbedError> {
        let mut room = self.measure.room.saturating_sub(self.measure.count(prefix));
        loop {
            let cut = window::end_of_chunk(self.body, section, at, room, &self.measure);
            let input = self.measured(join(prefix, &clean(self.body[at..cut].trim_end_matches(is_blank))));
            let excess = input.tokens.saturating_sub(self.limits.max_tokens);
            if excess == 0 {
                return Ok((cut, input));
            }
            if room == 0 {
                return Err(EmbedError::data(format!(
                    "one character at byte {at} of the article takes more than a chunk of {} tokens; \
                     raise embedding.max_tokens",
                    self.limits.max_tokens
                )));
            }
            room = room.saturating_sub(excess);
        }
    }

    fn measured(&self, text: String) -> Measured {
        Measured { tokens: self.measure.count(&text) + self.limits.reserved_tokens, text }
    }

    /// Where the next text begins: at its line if that is only indented, so that code and lists keep their shape.
    fn next_text(&self, from: usize, end: usize) -> usize {
        let blank = self.body[from..end].find(|c| !is_blank(c)).unwrap_or(end - from);
        let first = from + blank;
        let is_line_start = |at: usize| at == 0 || self.body.as_bytes()[at - 1] == b'\n';
        let line = self.body[from..first].rfind('\n').map_or(from, |newline| from + newline + 1);
        if first < end && is_line_start(line) && first - line <= LONGEST_INDENT { line } else { first }
    }

    fn push(&mut self, heading_path: String, text: String, input: Measured) -> Result<(), EmbedError> {
        if self.chunks.len() == self.limits.max_chunks {
            return Err(EmbedError::data(format!(
                "the article would give more than {} chunks of {} tokens; split it or raise embedding.max_chunks",
                self.limits.max_chunks, self.limits.max_tokens
            )));
        }
        let tokens = u32::try_from(input.tokens).unwrap_or(u32::MAX);
        self.chunks.push(Chunk { heading_path, text, input: input.text, tokens });
        Ok(())
    }
}

/// The input of the model, and its length including the added tokens.
struct Measured {
    text: String,
    tokens: usize,
}

/// Deeper indentation than this, in bytes, is dropped: it is layout, and it must not fill a chunk with blanks.
const LONGEST_INDENT: usize = 16;

/// Joins the model's input: title and headings, a blank line, the text.
fn join(prefix: &str, text: &str) -> String {
    if prefix.is_empty() { text.to_owned() } else { format!("{prefix}\n\n{text}") }
}

#[cfg(test)]
mod tests;
