//! Small pieces that several views show.

use maud::{Markup, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    articles::{EmbeddingState, EmbeddingStatus},
    time::Timestamp,
};

/// A moment; the script says how long ago it was.
pub(super) fn moment(at: Timestamp) -> Markup {
    let text = at.to_string();
    // 2023-11-14T22:13:20.123Z
    let shown = text.get(..16).unwrap_or(&text).replace('T', " ");
    html! { time datetime=(text) title={ (text) } { (shown) " UTC" } }
}

/// A number of things, by their name.
pub(super) fn count(number: i64, one: &str, many: &str) -> String {
    let name = if number == 1 { one } else { many };
    format!("{} {name}", with_separators(number))
}

/// A number that can be read: 1 234 567.
pub(super) fn with_separators(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        shown.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push('\u{202f}');
        }
        shown.push(digit);
    }
    shown
}

/// A size of a text. *Units:* bytes.
pub(super) fn size(bytes: i64) -> String {
    match bytes {
        ..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KB", bytes / 1024),
        1_048_576.. => format!("{:.1} MB", bytes as f64 / 1_048_576.0),
    }
}

/// The state of an article's embedding, in one word or two.
pub(super) fn embedding(status: &EmbeddingStatus) -> Markup {
    let (kind, said, more) = match status.status {
        EmbeddingState::Completed => ("good", "searchable", "found by its words and by its meaning"),
        EmbeddingState::Pending if status.searchable => {
            ("waiting", "update waits", "found by its older meaning until then")
        }
        EmbeddingState::Pending => ("waiting", "waits", "found by its words; its meaning is made soon"),
        EmbeddingState::Processing => ("working", "being embedded", "a worker is processing it"),
        EmbeddingState::Missing => ("waiting", "not embedded yet", "found by its words; the next sweep queues it"),
        EmbeddingState::Failed => ("bad", "failed", "found by its words only"),
        EmbeddingState::Skipped => ("quiet", "words only", "never embedded, as its author wished"),
    };
    html! { span.badge.(kind) title=(more) { (said) } }
}

/// The status in a list, where most are embedded and need no word.
pub(super) fn unless_searchable(status: &EmbeddingStatus) -> Markup {
    html! { @if status.status != EmbeddingState::Completed { " " (embedding(status)) } }
}

/// The state of a task or a run.
pub(super) fn status(status: &str) -> Markup {
    let kind = match status {
        "completed" | "running" | "idle" => "good",
        "processing" | "busy" | "queuing" | "draining" => "working",
        "pending" | "restarting" | "degraded" => "waiting",
        "failed" | "unresponsive" | "lost" => "bad",
        _ => "quiet",
    };
    html! { span.badge.(kind) { (status) } }
}

/// The text of an empty list.
pub(super) fn empty(said: &str) -> Markup {
    html! { p.empty { (said) } }
}

/// The folders above a place, each a link.
pub(super) fn crumbs(folder: &str) -> Markup {
    let parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    html! {
        nav.crumbs aria-label="Folder" {
            a href="/" { "All" }
            @for depth in 1..=parts.len() {
                " / " a dir="auto" href={ "/?" (query(&[("folder", &parts[..depth].join("/"))])) } { (parts[depth - 1]) }
            }
        }
    }
}

/// The part of an address after its `?`.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().filter(|(_, value)| !value.is_empty());
    pairs.map(|(name, value)| format!("{name}={}", percent_encode(value))).collect::<Vec<_>>().join("&")
}

/// A text as a part of an address.
pub(super) fn percent_encode(text: &str) -> String {
    /// Characters that need no escape in any part. *Source:* RFC 3986, 2.3.
    const UNRESERVED_STAY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, UNRESERVED_STAY).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(with_separators(0), "0");
        assert_eq!(with_separators(-1_234_567), "-1\u{202f}234\u{202f}567");
        assert_eq!(count(1, "task", "tasks"), "1 task");
    }

    #[test]
    fn no_text_becomes_a_part_of_an_address_that_it_is_not() {
        assert_eq!(query(&[("q", "a&b=c d/é"), ("folder", "")]), "q=a%26b%3Dc%20d%2F%C3%A9");
        assert!(!crumbs("\"><script>/x").into_string().contains("<script>"));
    }
}
