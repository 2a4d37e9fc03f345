//! The chunks of articles that searches have shown, kept from one search to the next: most searches are about few
//! articles.
//!
//! They are never believed without a look at what the database notes of the article's vectors: the same note is the
//! same chunks.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, OnceLock},
};

use afterword_actors::embedder::Vector;
use quick_cache::{Weighter, sync::Cache};

use super::snippet::{self, Window};
use crate::{
    articles::VectorsNote,
    fulltext::{Languages, Match, Matcher, ReadTexts},
    markdown::PlainText,
};

/// Articles that are kept, if they are of usual length.
const MAX_KEPT: usize = 1_000;
/// What is kept in all. *Units:* bytes.
const MAX_BYTES: u64 = 32 << 20;
/// What a chunk takes beside its text and its vector, once its line and its words have been read: some bytes for each
/// of the text's.
const READ_COSTS: usize = 5;
/// A longer chunk is read as markdown only around the place that is shown, and its words are looked for in its markup,
/// too. *Units:* bytes.
const MAX_WHOLE_CHUNK_BYTES: usize = 4 << 10;

/// Chunks as they were embedded once, read by the stems of some languages.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Edition {
    pub(super) vectors: VectorsNote,
    languages: u64,
}

/// Chunks of one article.
#[derive(Default)]
pub(super) struct Chunks {
    pub(super) all: Box<[Chunk]>,
    /// The words of their headings and of their texts as they are shown, in turns.
    words: OnceLock<ReadTexts>,
}

/// A chunk of an article.
pub(super) struct Chunk {
    pub(super) id: i64,
    pub(super) heading_path: String,
    pub(super) text: String,
    /// `None` if it is damaged.
    pub(super) vector: Option<Vector>,
    /// The text without its marks, as it is shown.
    line: OnceLock<String>,
}

/// What is found in a chunk.
pub(super) struct FoundIn {
    pub(super) heading_path: Vec<Match>,
    pub(super) text: Vec<Match>,
}

impl FoundIn {
    /// Whether it is anything.
    pub(super) fn has_words(&self) -> bool {
        !self.heading_path.is_empty() || !self.text.is_empty()
    }
}

/// The chunks of articles.
pub(super) struct Texts {
    kept: Cache<Edition, Arc<Chunks>, Bytes>,
}

impl Default for Texts {
    fn default() -> Self {
        Self { kept: Cache::with_weighter(MAX_KEPT, MAX_BYTES, Bytes) }
    }
}

impl Texts {
    /// Returns the chunks of this edition, if they were read before.
    pub(super) fn of(&self, edition: &Edition) -> Option<Arc<Chunks>> {
        self.kept.get(edition)
    }

    /// Keeps chunks that were read after the edition.
    pub(super) fn keep(&self, edition: Edition, chunks: Arc<Chunks>) {
        self.kept.insert(edition, chunks);
    }
}

impl Edition {
    /// Of these vectors, with words by these languages.
    pub(super) fn of(vectors: VectorsNote, languages: &Languages) -> Self {
        let mut hasher = DefaultHasher::new();
        languages.names().for_each(|name| name.hash(&mut hasher));
        Self { vectors, languages: hasher.finish() }
    }
}

impl Chunks {
    pub(super) fn new(chunks: Vec<Chunk>) -> Self {
        Self { all: chunks.into(), words: OnceLock::new() }
    }

    /// Finds terms in what is shown of each chunk: targets of links and comments are read by nobody.
    pub(super) fn find(&self, matcher: &Matcher) -> Vec<FoundIn> {
        let found = |chunk: &Chunk| FoundIn {
            heading_path: matcher.find(&chunk.heading_path).0,
            text: matcher.find(chunk.searched()).0,
        };
        self.all.iter().map(found).collect()
    }

    /// The same after reading all words once: that takes longer, and pays when terms are looked for again.
    pub(super) fn find_again(&self, matcher: &Matcher) -> Vec<FoundIn> {
        let texts: Vec<_> = self.all.iter().flat_map(|chunk| [chunk.heading_path.as_str(), chunk.searched()]).collect();
        let words = self.words.get_or_init(|| ReadTexts::of(texts.iter().copied(), matcher.languages()));
        let mut found = matcher.find_in(&texts, words).into_iter();
        let next = || Some(FoundIn { heading_path: found.next()?, text: found.next()? });
        std::iter::from_fn(next).collect()
    }
}

impl Chunk {
    pub(super) fn new(id: i64, heading_path: String, text: String, vector: &[u8]) -> Self {
        Self { id, heading_path, text, vector: Vector::from_bytes(vector).ok(), line: OnceLock::new() }
    }

    /// What terms are looked for in.
    fn searched(&self) -> &str {
        if self.is_long() { &self.text } else { self.line.get_or_init(|| PlainText::read(&self.text).text) }
    }

    fn is_long(&self) -> bool {
        self.text.len() > MAX_WHOLE_CHUNK_BYTES
    }

    /// Returns its best place for the terms, of which these were `found` in it, as one plain line of at most `width`
    /// characters, and where they stand in it.
    pub(super) fn shown(&self, found: &FoundIn, matcher: &Matcher, width: usize) -> (String, Vec<(usize, usize)>) {
        if self.is_long() {
            let shown = snippet::snippet(&self.text, matcher, width);
            return (shown.text, shown.matches);
        }
        let Window { text, matches, .. } = snippet::window(self.searched(), &found.text, matcher, width);
        (text, matches)
    }
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Edition, Arc<Chunks>> for Bytes {
    fn weight(&self, _: &Edition, chunks: &Arc<Chunks>) -> u64 {
        let size = |chunk: &Chunk| {
            let vector = chunk.vector.as_ref().map_or(0, |vector| size_of_val(vector.as_slice()));
            size_of::<Chunk>() + (chunk.text.len() + chunk.heading_path.len()) * (1 + READ_COSTS) + vector
        };
        (size_of::<Edition>() + chunks.all.iter().map(size).sum::<usize>()) as u64
    }
}
