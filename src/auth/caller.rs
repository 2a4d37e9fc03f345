//! A caller and what it may do.

use std::{fmt, str::FromStr, time::SystemTime};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a caller may do; each scope includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Read and search.
    Read,
    /// Save, rename, delete and restore articles.
    Write,
    /// Manage the queue, bulk runs and everything else.
    Admin,
}

/// A name that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown scope \"{0}\"; one of: read, write, admin")]
pub struct UnknownScope(String);

impl Scope {
    /// Every value, the least first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// The name used in the database and in every answer.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name).ok_or_else(|| UnknownScope(name.to_owned()))
    }
}

/// Whoever calls through a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// For the log: a token's name, or `local`.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
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
        Self { name: "local".to_owned(), scope: Scope::Admin, who: Who::Local, until: None }
    }

    /// The holder of a token.
    pub fn token(id: i64, name: String, scope: Scope) -> Self {
        Self { name, scope, who: Who::Token(id), until: None }
    }

    /// Whether it may do what needs `scope`.
    pub fn may(&self, scope: Scope) -> bool {
        self.scope >= scope
    }
}
