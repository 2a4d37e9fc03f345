//! Why the server did not start, or did not go on.

use std::io;

use afterword_actors::store::StoreError;

use crate::host::HostError;

/// Why the server did not start, or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address.
    #[error("cannot listen on {address}: {source}; choose another with server.bind")]
    Bind {
        /// That was asked for.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// Beyond this machine, and nobody would be asked who they are.
    #[error(
        "{0} can be reached from other machines, and there is no token yet, so that anybody could come in; make one \
         with `afterword token create NAME`, or listen on 127.0.0.1 without server.public_url"
    )]
    Open(String),
    /// Database, back end or runtime.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The socket.
    #[error("the server failed: {0}")]
    Io(#[from] io::Error),
}
