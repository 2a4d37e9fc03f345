//! What a reranker is given of an article.

use crate::api::Passage;

/// Longest title, and longest chain of headings. *Units:* characters.
const MAX_HEAD_CHARS: usize = 200;

/// Separates the headings of a path.
const BETWEEN_HEADINGS: &str = " > ";

/// The title, the headings and the passage, each on its line.
pub(super) fn document(title: &str, passage: Passage) -> String {
    let Passage { heading_path, snippet, .. } = passage;
    // A chain of headings mostly begins with the title.
    let below = heading_path.strip_prefix(title);
    let is_said = below.is_some_and(|below| below.is_empty() || below.starts_with(BETWEEN_HEADINGS));
    let title = if is_said { "" } else { title };
    let parts = [clipped(title), clipped(&heading_path), snippet];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn clipped(text: &str) -> String {
    text.trim().chars().take(MAX_HEAD_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_is_said_once_and_nothing_is_too_long() {
        let passage = |heading_path: &str| Passage {
            heading_path: heading_path.to_owned(),
            snippet: "They dance.".to_owned(),
            ..Passage::default()
        };
        assert_eq!(document("Bees", passage("Bees > Dance")), "Bees > Dance\nThey dance.");
        assert_eq!(document("Bees", passage("Beesway > Dance")), "Bees\nBeesway > Dance\nThey dance.");
        assert_eq!(document("Bees", passage("Dance")), "Bees\nDance\nThey dance.");
        assert_eq!(document("Bees", Passage::default()), "Bees");
        assert!(document(&"ä".repeat(5_000), passage("Dance")).chars().count() < 300);
    }
}
