//! How well a part works.

use serde::Serialize;
use utoipa::ToSchema;

/// Health of the server or of one of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Working normally.
    Ready,
    /// It serves, but something is missing or late.
    Degraded,
    /// It does not serve.
    Unready,
}
