//! What the runtime asks of a model: cut an article into chunks, turn texts into vectors.
//!
//! Owns the two traits and their values. Knows no model, no HTTP and no file: the host brings those.

mod error;
mod identity;
mod readiness;
mod vector;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

pub use error::{EmbedError, ErrorKind, Fault, UnknownErrorKind};
pub use identity::ModelIdentity;
pub use readiness::Readiness;
pub use vector::{Vector, VectorError};

/// Turns texts into vectors.
///
/// An implementation is shared by every worker and by searches; it bounds its own concurrency and keeps
/// [`Purpose::Query`] apart from [`Purpose::Document`], so that a long backfill never delays a search.
#[async_trait]
pub trait Embedder: Send + Sync + 'static {
    /// Which model this is; known without any input or output, and constant for one value.
    fn identity(&self) -> &ModelIdentity;

    /// How much one call to [`Embedder::embed`] may carry.
    fn limits(&self) -> BatchLimits;

    /// How many calls for documents are worth making at the same time. They carry texts of all articles that are being
    /// processed, so that each is as full as [`Embedder::limits`] allows. `None`: each article is embedded by calls of
    /// its own, one after the other, and as many articles at once as there are slots.
    fn requests(&self) -> Option<usize> {
        None
    }

    /// Waits until one more call for documents may be made, for a provider that limits their number. The texts of that
    /// call are chosen afterwards, so that it is as full as it can be. `None`: a call may be made at any time. A call
    /// without this wait waits by itself.
    fn turn(&self) -> Option<BoxFuture<'static, ()>> {
        None
    }

    /// Embeds `texts` for `purpose`; the prefixes of [`ModelIdentity`] are added here, not by the caller.
    ///
    /// *Shape:* `texts.len() × dimension`, in the order of `texts`; every vector has unit length.
    ///
    /// # Errors
    /// [`EmbedError`], classified once, here, where the cause is known.
    async fn embed(&self, texts: &[String], purpose: Purpose) -> Result<Vec<Vector>, EmbedError>;

    /// How many tokens the model needs for a word of `text`; `None` if it does not say. English takes about 1.2 in a
    /// model of English; a language that a model does not know takes several.
    fn tokens_per_word(&self, _text: &str) -> Option<f64> {
        None
    }

    /// The state of loading as it changes; `None` for a model that can be used at any time. Nothing is claimed, and no
    /// attempt spent, before it is [`Readiness::Ready`].
    fn readiness(&self) -> Option<watch::Receiver<Readiness>> {
        None
    }

    /// Checks whether the provider as a whole works, by embedding one short harmless text.
    ///
    /// # Errors
    /// The [`EmbedError`] of that attempt.
    async fn probe(&self) -> Result<(), EmbedError> {
        self.embed(&["probe".to_owned()], Purpose::Document).await.map(drop)
    }
}

/// Cuts an article into the chunks that are embedded one by one.
pub trait Chunker: Send + Sync + 'static {
    /// Cuts `source`; the result is empty only if the article contains no text at all, title included.
    ///
    /// Blocking: the caller runs it off the async threads.
    ///
    /// # Errors
    /// [`EmbedError`] with [`ErrorKind::Data`] if this text cannot be cut, or [`Fault::Provider`] while the
    /// tokenizer is still being fetched.
    fn chunk(&self, source: Source<'_>) -> Result<Vec<Chunk>, EmbedError>;
}

/// An embedder and the chunker that measures in its tokens.
#[derive(Clone)]
pub struct Model {
    /// Makes the vectors.
    pub embedder: Arc<dyn Embedder>,
    /// Makes the chunks.
    pub chunker: Arc<dyn Chunker>,
}

/// The text of an article as it is given to a [`Chunker`].
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The article's title, plain text.
    pub title: &'a str,
    /// The article's body, markdown.
    pub body: &'a str,
}

/// One piece of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Headings from the outermost to the innermost, joined by `" > "`; empty above the first heading.
    pub heading_path: String,
    /// The piece itself, as it is in the body.
    pub text: String,
    /// What the model is given: title and heading path, a blank line, then `text`.
    pub input: String,
    /// Length of `input` in the model's tokens, special tokens included.
    pub tokens: u32,
}

/// Why a text is embedded; some models want another prefix for questions than for documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A chunk of an article.
    Document,
    /// A search.
    Query,
}

/// How much one call may carry; whichever limit is met first ends the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Most texts in a call, at least 1.
    pub texts: usize,
    /// Most tokens in a call; a single text longer than this goes alone.
    pub tokens: usize,
}
