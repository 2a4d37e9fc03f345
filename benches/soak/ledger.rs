//! What has been saved, recorded beside the database, to compare with it at the end.

use std::collections::BTreeMap;

use afterword::{
    articles::{ArticleError, ArticlePatch, Articles, EmbeddingState, NewArticle, slug::Slug},
    chunking::{ApproximateTokens, ChunkLimits, MarkdownChunker},
};
use afterword_actors::{
    embedder::{Chunker, Source},
    store::{Database, sql::Sql},
};

use crate::{provider::Provider, random};

const TITLE: &str = "Soaked";
/// Most articles at a time.
const MAX_ARTICLES: usize = 400;

struct Entry {
    body: String,
    skip: bool,
}

/// Makes changes and remembers them.
pub(super) struct Ledger {
    articles: Articles,
    entries: BTreeMap<String, Entry>,
    made: u64,
    pub(super) changes: u64,
}

impl Ledger {
    pub(super) fn new(articles: Articles) -> Self {
        Self { articles, entries: BTreeMap::new(), made: 0, changes: 0 }
    }

    pub(super) fn articles(&self) -> usize {
        self.entries.len()
    }

    pub(super) async fn change_something(&mut self) {
        self.changes += 1;
        let result = match random(100) {
            0..30 if self.entries.len() < MAX_ARTICLES => self.create().await,
            0..85 => self.edit().await,
            85..92 => self.rename().await,
            92..95 => self.toggle_skip().await,
            95.. if self.entries.len() > MAX_ARTICLES / 2 => self.delete().await,
            _ => self.create().await,
        };
        result.expect("a save that is accepted");
    }

    async fn create(&mut self) -> Result<(), ArticleError> {
        self.made += 1;
        let slug = format!("article-{}", self.made);
        let body = self.text();
        let new = NewArticle {
            title: TITLE.to_owned(),
            body: body.clone(),
            slug: Slug::parse(&slug).ok(),
            ..NewArticle::default()
        };
        self.articles.create(new).await?;
        self.entries.insert(slug, Entry { body, skip: false });
        Ok(())
    }

    async fn edit(&mut self) -> Result<(), ArticleError> {
        let Some(slug) = self.any() else { return Ok(()) };
        let body = self.text();
        self.articles.update(&slug, ArticlePatch { body: Some(body.clone()), ..ArticlePatch::default() }).await?;
        self.entries.entry(slug).and_modify(|entry| entry.body = body);
        Ok(())
    }

    async fn rename(&mut self) -> Result<(), ArticleError> {
        let Some(slug) = self.any() else { return Ok(()) };
        self.made += 1;
        let to = format!("renamed-{}", self.made);
        self.articles.rename(&slug, Slug::parse(&to).expect("a slug"), None).await?;
        if let Some(entry) = self.entries.remove(&slug) {
            self.entries.insert(to, entry);
        }
        Ok(())
    }

    async fn toggle_skip(&mut self) -> Result<(), ArticleError> {
        let Some(slug) = self.any() else { return Ok(()) };
        let skip = !self.entries[&slug].skip;
        self.articles.update(&slug, ArticlePatch { skip_embedding: Some(skip), ..ArticlePatch::default() }).await?;
        self.entries.entry(slug).and_modify(|entry| entry.skip = skip);
        Ok(())
    }

    async fn delete(&mut self) -> Result<(), ArticleError> {
        let Some(slug) = self.any() else { return Ok(()) };
        self.articles.delete(&slug, None).await?;
        self.entries.remove(&slug);
        Ok(())
    }

    fn any(&self) -> Option<String> {
        let count = u64::try_from(self.entries.len()).ok().filter(|count| *count > 0)?;
        self.entries.keys().nth(usize::try_from(random(count)).unwrap_or_default()).cloned()
    }

    /// Several sections, some of which are repeated in other texts.
    fn text(&self) -> String {
        let section = || format!("## Part {}\n\n{}\n\n", random(50), format!("words {} ", random(200)).repeat(40));
        (0..=random(4)).map(|_| section()).collect()
    }

    /// Returns everything that is not as it should be.
    pub(super) async fn faults(&self, database: &Database, provider: &Provider, model: &str) -> Vec<String> {
        let mut faults = Vec::new();
        for (slug, entry) in &self.entries {
            match self.articles.read(slug).await {
                Err(error) => faults.push(format!("{slug} is lost: {error}")),
                Ok(article) if article.body != entry.body => faults.push(format!("{slug} has an older text")),
                Ok(article) => {
                    let expected = if entry.skip { EmbeddingState::Skipped } else { EmbeddingState::Completed };
                    let found = &article.embedding;
                    if found.status != expected || found.stale {
                        faults.push(format!("{slug} is {found:?}, not {expected:?}"));
                    } else if !entry.skip {
                        faults.extend(wrong_vectors(database, provider, model, slug, entry).await);
                    }
                }
            }
        }
        faults
    }
}

/// The stored chunks must be those of the text, with the vectors the provider gives for them.
async fn wrong_vectors(
    database: &Database,
    provider: &Provider,
    model: &str,
    slug: &str,
    entry: &Entry,
) -> Option<String> {
    let sql = "SELECT c.text, c.vector FROM article_chunks c JOIN articles a ON a.id = c.article_id
               JOIN embedding_models m ON m.id = c.model_id
               WHERE a.slug = $1 AND m.state = 'active' ORDER BY c.position";
    let rows = database.reader().rows::<(String, Vec<u8>)>(sql, [slug.into()]).await.expect("chunks");
    let limits = ChunkLimits::new(afterword::config::Embedding::default().max_tokens);
    let chunker = MarkdownChunker::new(std::sync::Arc::new(ApproximateTokens), limits).expect("limits");
    let chunks = chunker.chunk(Source { title: TITLE, body: &entry.body }).expect("chunks");
    if rows.len() != chunks.len() {
        return Some(format!("{slug} has {} chunks, and {} are expected", rows.len(), chunks.len()));
    }
    let differs = rows.iter().zip(&chunks).position(|((text, vector), chunk)| {
        let stored = vector.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
        *text != chunk.text
            || stored
                .zip(provider.vector_of(model, &chunk.input))
                .any(|(stored, wanted)| (stored - wanted).abs() > 1e-4)
    });
    differs.map(|position| format!("{slug}: chunk {position} is of another text"))
}
