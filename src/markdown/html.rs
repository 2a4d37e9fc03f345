//! The text of HTML in a markdown text: what stands between tags. It is read line by line, as it comes.

use std::ops::Range;

/// Elements whose content is no text.
const NO_TEXT: [&str; 2] = ["script", "style"];

/// How far HTML has been read.
#[derive(Debug, Default)]
pub(super) enum Html {
    #[default]
    Text,
    /// In a tag, perhaps in a value in quotation marks.
    Tag {
        quote: Option<u8>,
        opens: Option<&'static str>,
    },
    Comment,
    /// In an element whose content is no text.
    Hidden(&'static str),
}

impl Html {
    /// Returns where text stands in the next part.
    pub(super) fn texts(&mut self, part: &str) -> Vec<Range<usize>> {
        let (mut texts, mut at) = (Vec::new(), 0);
        while at < part.len() {
            let rest = &part[at..];
            let (next, length) = match self {
                Self::Text => {
                    let length = tag(rest).unwrap_or(rest.len());
                    if length > 0 {
                        texts.push(at..at + length);
                    }
                    (opened(&rest[length..]), length)
                }
                Self::Comment => ended(rest, "-->", Self::Text, Self::Comment),
                Self::Hidden(name) => {
                    let name: &'static str = name;
                    let end = hidden_end(rest, name);
                    match end {
                        Some(end) => (Self::Tag { quote: None, opens: None }, end),
                        None => (Self::Hidden(name), rest.len()),
                    }
                }
                Self::Tag { quote, opens } => in_tag(rest, *quote, *opens),
            };
            *self = next;
            at += length;
        }
        texts
    }
}

/// Where the next tag or comment begins: a sign before anything else is text.
fn tag(text: &str) -> Option<usize> {
    let begins = |(at, _): &(usize, &str)| {
        let next = text.as_bytes().get(at + 1);
        next.is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, b'/' | b'!' | b'?'))
    };
    text.match_indices('<').find(begins).map(|(at, _)| at)
}

/// What begins with `text`.
fn opened(text: &str) -> Html {
    if text.is_empty() {
        return Html::Text;
    }
    if text.starts_with("<!--") {
        return Html::Comment;
    }
    let opens = NO_TEXT.into_iter().find(|name| {
        text.get(1..=name.len()).is_some_and(|written| written.eq_ignore_ascii_case(name))
            && !text.as_bytes().get(name.len() + 1).is_some_and(u8::is_ascii_alphanumeric)
    });
    Html::Tag { quote: None, opens }
}

/// Where an element ends, whatever it holds.
fn hidden_end(text: &str, name: &str) -> Option<usize> {
    let closes = |(at, _): &(usize, &str)| {
        text.get(at + 2..at + 2 + name.len()).is_some_and(|written| written.eq_ignore_ascii_case(name))
    };
    text.match_indices("</").find(closes).map(|(at, _)| at)
}

fn ended(text: &str, end: &str, then: Html, otherwise: Html) -> (Html, usize) {
    match text.find(end) {
        Some(at) => (then, at + end.len()),
        None => (otherwise, text.len()),
    }
}

/// The rest of a tag: what follows it, and how long it is.
fn in_tag(text: &str, mut quote: Option<u8>, opens: Option<&'static str>) -> (Html, usize) {
    for (at, byte) in text.bytes().enumerate() {
        match (byte, quote) {
            (b'>', None) => return (opens.map_or(Html::Text, Html::Hidden), at + 1),
            (b'"' | b'\'', None) => quote = Some(byte),
            (byte, Some(open)) if byte == open => quote = None,
            _ => {}
        }
    }
    (Html::Tag { quote, opens }, text.len())
}
