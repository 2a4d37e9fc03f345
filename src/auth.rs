//! Authentication of callers, and what they may do: tokens with scopes.
//!
//! A token is shown once, when it is made. Only its hash is stored, with a salt of its own; it is compared in constant
//! time. The secret has 256 random bits, so a fast hash is enough: it cannot be guessed. Tokens of an external issuer
//! are accepted if the settings name it.

mod caller;
mod error;
mod issuer;
mod secret;
mod tokens;

pub(crate) use caller::PresentedToken;
pub use caller::{Caller, Who};
pub use error::AuthError;
pub use tokens::{NewToken, Token, TokenError, Tokens};

pub use crate::api::{Permission, UnknownPermission};
