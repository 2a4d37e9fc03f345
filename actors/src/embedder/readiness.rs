//! The state of a model that has to be fetched or loaded before it can be used.

/// The state of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It is being fetched or loaded; the progress, for people.
    Loading(String),
    /// It can be used.
    Ready,
    /// It cannot be used, for this reason; that may change.
    Failed(String),
}
