//! Why the article service refuses something, in words that say what to do next.

use afterword_actors::store::StoreError;

use super::{
    editing::EditError,
    slug::{Slug, SlugError},
};

/// A refused request. Nothing was saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArticleError {
    /// No article has or had this name.
    #[error("there is no article \"{slug}\"{}", suggestion.as_ref().map(|s| format!("; did you mean \"{s}\"?")).unwrap_or_default())]
    NotFound {
        /// The requested name.
        slug: String,
        /// A similar one that exists.
        suggestion: Option<String>,
        /// A name that restores the last deleted article of this name. It is told only to those who may restore it.
        deleted: Option<String>,
    },
    /// The slug is taken.
    #[error(
        "the article \"{slug}\" (\"{title}\") exists already; {}",
        if *same_title { "update it, or choose another slug" } else { "it has another title, so choose another slug" }
    )]
    Exists {
        /// The existing article's slug.
        slug: String,
        /// The existing article's title.
        title: String,
        /// Whether the new one has the same title, and is perhaps meant to be that article.
        same_title: bool,
    },
    /// The name is a former name of another article, which keeps working.
    #[error("\"{slug}\" is a former name of the article \"{present}\", and still leads to it; choose another slug")]
    FormerName {
        /// The requested name.
        slug: String,
        /// The slug of the article it leads to.
        present: String,
    },
    /// The article was saved in between.
    #[error(
        "the article \"{slug}\" is at revision {present}, not {expected}; read it again and apply your change to that{}",
        changed.as_ref().map(|changed| format!(". Since then:\n{changed}")).unwrap_or_default()
    )]
    Conflict {
        /// The article's slug.
        slug: String,
        /// The revision that the caller expects.
        expected: i64,
        /// The present revision.
        present: i64,
        /// What has changed since then: in the text as `diff -u` shows it, and what else; `None` if that is unknown.
        changed: Option<String>,
    },
    /// A part cannot be changed as requested.
    #[error("{0}; nothing was saved")]
    Edit(#[from] EditError),
    /// There is no such revision.
    #[error("the article \"{slug}\" has no revision {revision}; see its history")]
    NoRevision {
        /// The article's slug.
        slug: String,
        /// The requested revision.
        revision: i64,
    },
    /// There is no earlier revision to go back to.
    #[error(
        "the article \"{slug}\" has never been changed; there is nothing to undo{}",
        deleted.as_ref().map(|name| format!(
            "; a deleted article had this name before, and restoring \"{name}\" brings it back beside this one"
        )).unwrap_or_default()
    )]
    NoPast {
        /// The article's slug.
        slug: String,
        /// A name that restores a deleted article which had this slug.
        deleted: Option<String>,
    },
    /// What is to be brought back is there.
    #[error("the article \"{slug}\" is not deleted; nothing was changed")]
    NotDeleted {
        /// The article's slug.
        slug: String,
    },
    /// The key was used before, for another request.
    #[error("the idempotency key \"{key}\" was used before to create another article; use a new key for a new article")]
    KeyReused {
        /// The key.
        key: String,
    },
    /// The key was used before, and what it created was deleted.
    #[error(
        "the article that was created with the idempotency key \"{key}\" has been deleted; restore \"{name}\", or use a new key \
         to create it anew"
    )]
    KeyOfDeleted {
        /// The key.
        key: String,
        /// A name that restores the article.
        name: String,
    },
    /// A field has an invalid value.
    #[error("{field}: {message}")]
    Invalid {
        /// The field's name.
        field: &'static str,
        /// What is wrong and what to do.
        message: String,
    },
    /// The body is too long.
    #[error("the body has {size} bytes, and at most {limit} are allowed; split it, or raise articles.max_size")]
    TooLarge {
        /// Size of the body. *Units:* bytes.
        size: u64,
        /// The largest allowed size. *Units:* bytes.
        limit: u64,
    },
    /// An error of the database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ArticleError {
    pub(crate) fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { field, message: message.into() }
    }

    pub(crate) fn not_found(slug: &str) -> Self {
        Self::NotFound { slug: slug.to_owned(), suggestion: None, deleted: None }
    }
}

impl From<SlugError> for ArticleError {
    fn from(error: SlugError) -> Self {
        Self::invalid("slug", error.to_string())
    }
}

impl From<&Slug> for ArticleError {
    fn from(slug: &Slug) -> Self {
        Self::not_found(slug.as_ref())
    }
}
