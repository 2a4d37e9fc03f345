//! Why an embedding failed, and whether the text or the provider is to blame.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

/// A failed embedding, classified where the cause was seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EmbedError {
    /// What sort of failure this is; decides whether it is tried again.
    pub kind: ErrorKind,
    /// Whether this text is to blame or the provider as a whole.
    pub fault: Fault,
    /// For people: lower case, what failed and what to do about it, no secrets.
    pub message: String,
    /// How long the provider asks to be left alone (HTTP `Retry-After`).
    pub retry_after: Option<Duration>,
    /// How long the request that failed took from the moment it was sent, without its wait for a turn; `None` if the
    /// whole call was that request.
    pub took: Option<Duration>,
}

impl EmbedError {
    /// A failure that may pass by itself and has no clear cause: time-out, 5xx, dropped connection.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Transient, Fault::Unclear, message)
    }

    /// The provider is away or asks for a pause: refused connection, 429, model still loading.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Transient, Fault::Provider, message)
    }

    /// A person has to fix the settings: 401, 403, quota, unknown model, wrong dimension.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, Fault::Provider, message)
    }

    /// The model behind the name is not the one that made the stored vectors.
    pub(crate) fn other_model(answered: u32, stored: u32) -> Self {
        Self::config(format!(
            "the provider answered vectors of {answered} numbers, but the index has vectors of {stored}: another model \
             is behind the same name, or another length is asked for; bring back the former one, or change to a model \
             that has another name at the provider"
        ))
    }

    /// This text cannot be embedded, now or later.
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, Fault::Document, message)
    }

    /// This machine is short of memory or disk.
    pub fn resource(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Resource, Fault::Unclear, message)
    }

    /// A panic while this text was being processed.
    pub fn crashed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Crashed, Fault::Document, message)
    }

    /// The same failure, not to be tried again before `delay`.
    #[must_use]
    pub fn retry_after(mut self, delay: Option<Duration>) -> Self {
        self.retry_after = delay;
        self
    }

    /// The same failure, of a request that took this long from the moment it was sent.
    #[must_use]
    pub fn took(mut self, time: Duration) -> Self {
        self.took = Some(time);
        self
    }

    /// The same failure, of a probe: a provider that refuses a harmless text refuses for a reason that no text can
    /// change.
    pub(crate) fn refuses_everything(self) -> Self {
        match self.kind {
            ErrorKind::Data => {
                let Self { message, retry_after, .. } = self;
                Self::config(format!("even a harmless text is refused: {message}")).retry_after(retry_after)
            }
            ErrorKind::Transient | ErrorKind::Config | ErrorKind::Resource | ErrorKind::Crashed => self,
        }
    }

    fn new(kind: ErrorKind, fault: Fault, message: impl Into<String>) -> Self {
        Self { kind, fault, message: message.into(), retry_after: None, took: None }
    }
}

/// What sort of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorKind {
    /// May pass by itself: time-out, 429, 5xx, 424.
    Transient,
    /// A person has to fix the settings.
    Config,
    /// This text cannot be embedded; it is not tried again.
    Data,
    /// Memory or disk ran short.
    Resource,
    /// The worker panicked or was killed.
    Crashed,
}

impl ErrorKind {
    /// The name used in the database and in every answer.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Config => "config",
            Self::Data => "data",
            Self::Resource => "resource",
            Self::Crashed => "crashed",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is not an [`ErrorKind`].
#[derive(Debug, thiserror::Error)]
#[error("unknown error kind \"{0}\"")]
pub struct UnknownErrorKind(String);

impl FromStr for ErrorKind {
    type Err = UnknownErrorKind;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Transient, Self::Config, Self::Data, Self::Resource, Self::Crashed]
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| UnknownErrorKind(name.to_owned()))
    }
}

/// What is to blame, which decides whether the document's attempts are spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The provider as a whole: the attempt does not count and the circuit opens.
    Provider,
    /// This text: the attempt is spent.
    Document,
    /// Not known from the failure alone: one [`super::Embedder::probe`] decides.
    Unclear,
}
