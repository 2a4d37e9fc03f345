//! A caller and what it may do.

use std::time::SystemTime;

use crate::api::Permission;

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// For the log: a token's name, `local`, or `subject:` and the subject of an issuer's token.
    pub name: String,
    /// What it may do.
    pub scope: Permission,
    /// The client that limits and sessions are counted for.
    pub who: Who,
    /// When it expires, if the token itself says so.
    pub until: Option<SystemTime>,
}

/// The identity of a client, for limits and sessions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Who {
    /// Every client on this machine while there is no token.
    Local,
    /// The owner of the token with this number.
    Token(i64),
    /// The subject that an issuer names.
    Subject(String),
}

/// A token that was not sent in the header: a door that accepts it elsewhere puts it into the request, for the guards.
#[derive(Clone)]
pub(crate) struct PresentedToken(pub(crate) String);

impl Caller {
    /// A client on this machine, which could as well use the command line.
    pub fn local() -> Self {
        Self { name: "local".to_owned(), scope: Permission::Admin, who: Who::Local, until: None }
    }

    /// The owner of a token.
    pub fn token(id: i64, name: String, scope: Permission) -> Self {
        Self { name, scope, who: Who::Token(id), until: None }
    }

    /// Whether it may do what needs `scope`.
    pub fn may(&self, scope: Permission) -> bool {
        self.scope >= scope
    }
}
