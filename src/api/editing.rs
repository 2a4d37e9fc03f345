//! Changes of a part of an article: the requests and the answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::EmbeddingStatus;

/// What happens to a change that was made for an earlier revision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// It is refused, and the refusal shows what has changed since.
    #[default]
    Refuse,
    /// It is applied to the newest text if that still has what it changes as it was, or both change different lines, and else
    /// refused.
    Merge,
}

/// One change of a part of a text.
#[derive(Debug, Clone, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskedEdit {
    pub(crate) action: EditAction,
    /// a heading, or the headings down to it: Guide > Tides
    pub(crate) section: Option<String>,
    /// markdown to insert; for replace_text what replaces the found text
    pub(crate) text: Option<String>,
    /// for replace_text: the exact text
    pub(crate) find: Option<String>,
    /// how often it must be there; default 1
    pub(crate) count: Option<usize>,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EditAction {
    Append,
    Prepend,
    ReplaceSection,
    InsertBefore,
    InsertAfter,
    DeleteSection,
    ReplaceText,
}

/// The chunks of an article after a change of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema, JsonSchema)]
pub struct ChangedChunks {
    /// All chunks.
    pub total: usize,
    /// New chunks, which have to be embedded.
    pub to_embed: usize,
}

/// An article after its edits: what changed, never the whole text.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EditAnswer {
    /// Its present slug.
    pub slug: String,
    /// Its new revision.
    pub revision: i64,
    /// false: the edits made no difference, and nothing was saved
    pub changed: bool,
    /// true: merged with what others have saved since
    pub merged: bool,
    /// changed lines with some around them, as diff -u shows them
    pub changes: String,
    /// The state of its embedding.
    pub embedding: EmbeddingStatus,
    /// Missing until a local model's files are there, and for very large texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunks: Option<ChangedChunks>,
}
