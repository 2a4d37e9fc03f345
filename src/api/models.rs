//! Which model is in use, and the progress of a change to another.

use serde::Serialize;
use utoipa::ToSchema;

use super::Timestamp;

/// Which model is in use, and which is to replace it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SetsStatus {
    /// The set that searches use; missing before anything was embedded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_use: Option<SetView>,
    /// The set that is being built; missing if none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub building: Option<Build>,
    /// The model that the settings of this host name.
    pub configured: String,
    /// Settings of this host that neither the set in use nor the one that is being built was made with: they take effect with
    /// a change of the model.
    pub not_in_effect: Vec<&'static str>,
    /// What keeps the running hosts from embedding.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trouble: Vec<String>,
    /// What a change to the settings of this host would send; missing if they are in effect, or nothing was embedded yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
}

/// About how much a change of model sends to the new one: as much as the set in use was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Estimate {
    /// Texts: chunks of articles.
    pub texts: i64,
    /// Tokens of all texts together, as the model in use counts them.
    pub tokens: i64,
}

/// The vectors of one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SetView {
    /// The number of the set.
    pub id: i64,
    /// The model's name at its provider.
    pub model: String,
    /// The provider of the vectors: `local`, `openai` or `scripted`.
    pub provider: String,
    /// Articles that are to be embedded.
    pub articles: i64,
    /// Articles that are embedded at their present text.
    pub embedded: i64,
}

/// The progress of a build.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Build {
    /// The vectors made so far.
    #[serde(flatten)]
    pub set: SetView,
    /// When it was begun; missing if an earlier version began it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began_at: Option<Timestamp>,
    /// Articles still to be embedded.
    pub open: i64,
    /// Articles that the set in use finds and this model could not embed: the change waits for them.
    pub failed: i64,
    /// Articles embedded per second in the last minute.
    pub per_second: f64,
    /// Time left at that rate; missing while nothing is embedded. *Units:* milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining_ms: Option<i64>,
    /// Why it stands still: the queue is paused, or no running host has the settings of its model; missing if neither is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_because: Option<String>,
}
