//! Why a caller was not let in.

use afterword_actors::store::StoreError;

/// Why a caller was not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No token, or one that is none of ours, expired or revoked. Which of these, a stranger is not told.
    #[error("the token is not valid")]
    Invalid,
    /// It is valid, and allows nothing here.
    #[error("the token is valid, and has no scope of this server")]
    NoScope,
    /// The issuer of the token cannot be asked for its keys.
    #[error("the issuer of the token cannot be reached; try again in a moment")]
    Issuer,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
