//! Footnotes: the number in the text leads to the note, and the note back.

use std::collections::HashMap;

use pulldown_cmark::{CowStr, Event, Tag, TagEnd};

use super::links::ANCHOR;

/// The footnotes of one text, by the order in which they are first named.
#[derive(Default)]
pub(super) struct Footnotes {
    numbers: HashMap<String, usize>,
    /// How often each was referred to.
    references: HashMap<usize, usize>,
    open: Vec<usize>,
}

impl Footnotes {
    /// Returns what is shown for a reference, or for the beginning or the end of a note; `None` for any other event. No
    /// heading has an anchor with `_`.
    pub(super) fn render(&mut self, event: &Event<'_>) -> Option<Event<'static>> {
        let html = match event {
            Event::FootnoteReference(label) => {
                let number = self.number(label);
                let times = self.references.entry(number).or_default();
                *times += 1;
                // The note leads back to the first.
                let id = if *times == 1 { format!(" id=\"{ANCHOR}ref_{number}\"") } else { String::new() };
                return Some(Event::InlineHtml(
                    format!("<sup{id}><a href=\"#{ANCHOR}note_{number}\">{number}</a></sup>").into(),
                ));
            }
            Event::Start(Tag::FootnoteDefinition(label)) => {
                let number = self.number(label);
                self.open.push(number);
                format!("<div id=\"{ANCHOR}note_{number}\"><sup>{number}</sup> ")
            }
            Event::End(TagEnd::FootnoteDefinition) => match self.open.pop() {
                Some(number) if self.references.contains_key(&number) => {
                    format!(" <a href=\"#{ANCHOR}ref_{number}\" title=\"Back to the text\">↩</a></div>\n")
                }
                _ => "</div>\n".to_owned(),
            },
            _ => return None,
        };
        Some(Event::Html(CowStr::from(html)))
    }

    fn number(&mut self, label: &str) -> usize {
        let next = self.numbers.len() + 1;
        *self.numbers.entry(label.to_owned()).or_insert(next)
    }
}
