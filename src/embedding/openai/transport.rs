//! What a failure of the connection means.

use afterword_actors::embedder::EmbedError;

use crate::remote::{self, Failure, Server};

const SERVER: Server =
    Server { name: "the embedding server", address: "embedding.openai.base_url", time: "embedding.openai.timeout" };

/// The failure of a request that got no answer.
pub(super) fn failure(error: reqwest::Error) -> EmbedError {
    match remote::failure(error, &SERVER) {
        Failure::Unreachable(message) => EmbedError::unavailable(message),
        Failure::Broken(message) => EmbedError::transient(message),
    }
}
