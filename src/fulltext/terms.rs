//! Terms in one text: those of a megabyte are 200,000.

/// Terms in their order, each as often as it occurs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Terms {
    /// Each behind a space but the first; none holds one.
    text: String,
    count: usize,
}

impl Terms {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), count: 0 }
    }

    pub(super) fn push(&mut self, term: &str) {
        if self.count > 0 {
            self.text.push(' ');
        }
        self.text.push_str(term);
        self.count += 1;
    }

    pub(super) fn append(&mut self, other: &Self) {
        if other.count > 0 {
            self.push(&other.text);
            self.count += other.count - 1;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.text.split_terminator(' ')
    }

    /// Separated by spaces.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_keep_their_order_and_number() {
        let mut terms = Terms::default();
        terms.append(&Terms::default());
        assert_eq!((terms.len(), terms.iter().count()), (0, 0));
        terms.push("a");
        let mut others = Terms::default();
        others.push("b");
        others.push("¶");
        terms.append(&others);
        assert_eq!((terms.len(), terms.iter().collect::<Vec<_>>()), (3, vec!["a", "b", "¶"]));
        assert_eq!(terms.into_text(), "a b ¶");
    }
}
