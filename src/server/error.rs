//! Why the server did not start, or stopped.

use std::io;

use afterword_actors::store::StoreError;

use crate::host::HostError;

/// Why the server did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another with server.bind")]
    Bind {
        /// The configured address.
        address: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Other machines can reach it, and there is no token to authenticate with.
    #[error(
        "{0} can be reached from other machines, and there is no token yet, so anyone could use it; make one \
         with `afterword token create NAME`, or listen on 127.0.0.1 without server.public_url"
    )]
    Open(String),
    /// An error of the database, the back end or the runtime.
    #[error(transparent)]
    Host(#[from] HostError),
    /// An error of the database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An error of the socket.
    #[error("the server failed: {0}")]
    Io(#[from] io::Error),
}
