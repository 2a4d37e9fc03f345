//! What a save may bring.

use bytesize::ByteSize;

use crate::config::{rules::Rules, section::section};

section! {
    /// Limits of an article.
    Articles {
        /// Largest body.
        max_size: ByteSize = ByteSize::mib(64),
        /// Longest title, in characters.
        max_title: usize = 300,
    }
}

impl Articles {
    pub(in crate::config) fn check(&self, rules: &mut Rules) {
        rules.check(self.max_size.as_u64() >= 1024, "articles.max_size", "must be at least 1KiB");
        rules.at_least_one(self.max_title as u64, "articles.max_title");
    }
}
