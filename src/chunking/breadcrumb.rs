//! The line above a chunk's text that says where in the article the text is.
//!
//! Owns how title and headings are put together and shortened. Knows no body.

use super::{clean::clean, measure::Measure};

/// Separates the headings of a path.
const HEADING_SEPARATOR: &str = " > ";

/// At most one part in this many of a chunk is title and headings: the text matters more.
const LARGEST_SHARE: usize = 4;

/// Replaces what was left out.
const ELLIPSIS: &str = "…";

/// An article's title, and the headings put after it.
pub(super) struct Breadcrumb {
    title: String,
}

impl Breadcrumb {
    /// Takes `title` in one line. Of a title longer than a chunk only the beginning is kept.
    pub(super) fn new(title: &str, measure: &Measure<'_>) -> Self {
        let title = clean(title.trim_matches(crate::markdown::is_blank)).into_owned();
        Self { title: one_line(&shortened(&title, measure.room, measure)) }
    }

    /// Whether there is no title.
    pub(super) fn is_empty(&self) -> bool {
        self.title.is_empty()
    }

    /// Returns the title as the whole input, for an article without a body.
    pub(super) fn alone(&self, measure: &Measure<'_>) -> String {
        shortened(&self.title, measure.room, measure)
    }

    /// Returns title and `path` in one line; if too long, without the outer headings, then with title and heading cut
    /// short.
    pub(super) fn above(&self, path: &[String], measure: &Measure<'_>) -> String {
        let room = measure.room / LARGEST_SHARE;
        let mut parts = self.parts(path);
        let mut line = parts.join(HEADING_SEPARATOR);
        let outermost = usize::from(!self.is_empty());
        if parts.len() > outermost + 1 && measure.count(&line) > room {
            parts.insert(outermost, ELLIPSIS.to_owned());
            while parts.len() > outermost + 2 && measure.count(&line) > room {
                parts.remove(outermost + 1);
                line = parts.join(HEADING_SEPARATOR);
            }
        }
        let mut share = room / parts.len().max(1);
        while measure.count(&line) > room {
            if share == 0 {
                return String::new();
            }
            line = parts.iter().map(|part| shortened(part, share, measure)).collect::<Vec<_>>().join(HEADING_SEPARATOR);
            share -= 1;
        }
        line
    }

    /// Many articles repeat their title as the first heading; it is used once.
    fn parts(&self, path: &[String]) -> Vec<String> {
        let lines = path.iter().map(|heading| one_line(&clean(heading)));
        let mut headings: Vec<String> = lines.filter(|heading| !heading.is_empty()).collect();
        if headings.first().is_some_and(|first| first.to_lowercase() == self.title.to_lowercase()) {
            headings.remove(0);
        }
        if !self.is_empty() {
            headings.insert(0, self.title.clone());
        }
        headings
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the words at the beginning of `text` that take at most `room` tokens; part of the first word if it takes
/// more.
fn shortened(text: &str, room: usize, measure: &Measure<'_>) -> String {
    let fits = measure.longest_fit(text, room);
    if fits == text.len() {
        return text.to_owned();
    }
    let mut end = fits;
    loop {
        let kept = text[..end].rfind(char::is_whitespace).unwrap_or(end);
        let line = format!("{}{ELLIPSIS}", text[..kept].trim_end());
        if kept == 0 || measure.count(&line) <= room {
            return line;
        }
        end = text.floor_char_boundary(kept.min(end - 1));
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::{chunking::ApproximateTokens, markdown::sample};

    fn above(title: &str, path: &[&str], room: usize) -> String {
        let measure = Measure::new(&ApproximateTokens, room);
        let path: Vec<String> = path.iter().map(|&heading| heading.to_owned()).collect();
        Breadcrumb::new(title, &measure).above(&path, &measure)
    }

    #[test]
    fn title_and_headings_make_one_line_and_a_repeated_title_is_said_once() {
        assert_eq!(above(" The\nBook ", &["Ownership", "References"], 254), "The Book > Ownership > References");
        assert_eq!(above("Ownership", &["OWNERSHIP", "References"], 254), "Ownership > References");
        assert_eq!(above("", &["References"], 254), "References");
        assert_eq!(above("", &[], 254), "");
    }

    #[test]
    fn outer_headings_go_first_when_the_line_is_too_long() {
        let long = "words upon words";
        assert_eq!(above("Title", &[long, long, "inner"], 28), "Title > … > inner");
        let both = above(&"title ".repeat(50), &["outer", &"inner ".repeat(50)], 100);
        assert!(both.starts_with("title title") && both.contains("… > inner inner") && both.ends_with('…'), "{both}");
    }

    proptest! {
        #[test]
        fn it_takes_no_more_than_its_share(title in sample::anything(), path in vec(sample::anything(), 0..6), room in 24_usize..300) {
            let measure = Measure::new(&ApproximateTokens, room);
            let breadcrumb = Breadcrumb::new(&title, &measure);
            let line = breadcrumb.above(&path, &measure);
            prop_assert!(measure.count(&line) <= room / LARGEST_SHARE, "{line}");
            prop_assert!(!line.contains(char::is_control));
            prop_assert!(measure.count(&breadcrumb.alone(&measure)) <= room);
        }
    }
}
