//! A caller and what it may do.

use std::time::SystemTime;

use crate::api::Permission;

/// Whoever calls through a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// For the log: a token's name, or `local`.
    pub name: String,
    /// What it may do.
    pub scope: Permission,
    /// Whose share it takes, and whose sessions are its own.
    pub who: Who,
    /// Until when, where the token itself says so.
    pub until: Option<SystemTime>,
}

/// Whom a caller is taken for; other callers are others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Who {
    /// All who come from this machine while there is no token.
    Local,
    /// The holder of the token of this number.
    Token(i64),
    /// Whom an issuer names so.
    Subject(String),
}

/// A token that was presented otherwise than by the header: a door that knows how puts it into the request, for the guards.
#[derive(Clone)]
pub(crate) struct Presented(pub(crate) String);

impl Caller {
    /// Somebody on this machine, who could as well use the command line.
    pub fn local() -> Self {
        Self { name: "local".to_owned(), scope: Permission::Admin, who: Who::Local, until: None }
    }

    /// The holder of a token.
    pub fn token(id: i64, name: String, scope: Permission) -> Self {
        Self { name, scope, who: Who::Token(id), until: None }
    }

    /// Whether it may do what needs `scope`.
    pub fn may(&self, scope: Permission) -> bool {
        self.scope >= scope
    }
}
