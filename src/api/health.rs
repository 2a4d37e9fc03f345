//! Health of the server and of its parts.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::Timestamp;

/// One part of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Part {
    /// Its health.
    pub state: State,
    /// When this state began.
    pub since: Timestamp,
    /// What is wrong, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The server as a whole, and every part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Report {
    /// The worst of all parts.
    pub state: State,
    /// `database`, `model`, `provider`, `queue`, `runtime` and `server`; `folders`, if the server keeps some in step.
    pub parts: BTreeMap<&'static str, Part>,
}

/// Health of the server or of one of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Working normally.
    Ready,
    /// Working, but something is missing or late.
    Degraded,
    /// Not working.
    Unready,
}
