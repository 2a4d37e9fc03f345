//! Why a caller was not authenticated.

use afterword_actors::store::StoreError;

/// Why a caller was not authenticated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// There is no token, or it is unknown, expired or revoked. The caller is not told which.
    #[error("the token is not valid")]
    Invalid,
    /// It is valid, but has no scope of this server.
    #[error("the token is valid, and has no scope of this server")]
    NoScope,
    /// The issuer of the token cannot be asked for its keys.
    #[error("the issuer of the token cannot be reached; try again in a moment")]
    Issuer,
    /// An error of the database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
