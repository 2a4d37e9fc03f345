//! Who may come in, and what they may do: tokens with scopes.
//!
//! A token is shown once, when it is made. What is stored is its hash, with a salt of its own; it is compared in constant
//! time. The secret has 256 random bits, so a fast hash is enough: there is nothing to guess. Tokens of an issuer of one's
//! own are believed if the settings name it.

mod caller;
mod error;
mod issuer;
mod secret;
mod tokens;

pub(crate) use caller::Presented;
pub use caller::{Caller, Who};
pub use error::AuthError;
pub use tokens::{NewToken, Token, TokenError, Tokens};

pub use crate::api::{Permission, UnknownPermission};
