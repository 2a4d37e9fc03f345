//! Words that say nothing where others say something. They are in the index, for phrases and for questions that hold no
//! others.

/// English, and what is left of its short forms (`author's`, `don't`).
pub(super) const ENGLISH: &[&str] = &[
    "a", "about", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because", "been",
    "being", "both", "but", "by", "can", "cannot", "could", "d", "did", "do", "does", "don", "each", "few", "for",
    "from", "further", "get", "gets", "got", "had", "has", "have", "he", "her", "here", "him", "his", "how", "i", "if",
    "in", "into", "is", "it", "its", "itself", "just", "ll", "m", "me", "more", "most", "much", "must", "my", "no",
    "not", "now", "of", "on", "only", "or", "other", "our", "own", "re", "s", "same", "she", "should", "so", "some",
    "still", "such", "t", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those",
    "to", "too", "us", "ve", "very", "was", "we", "were", "what", "when", "where", "which", "who", "whom", "whose",
    "why", "will", "with", "would", "you", "your",
];

/// Whether a folded English word is one.
pub(super) fn is_one(word: &str) -> bool {
    ENGLISH.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_in_order() {
        assert!(ENGLISH.is_sorted());
        assert!(is_one("the") && is_one("t") && !is_one("rust"));
    }
}
