//! How far a model is that has to be fetched or loaded before it can be used.

/// How far a model is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It is being fetched or loaded; for people, how far.
    Loading(String),
    /// It can be used.
    Ready,
    /// It cannot be used, for this reason; perhaps later.
    Failed(String),
}
