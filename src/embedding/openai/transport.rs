//! What a failure of the connection means. Nothing secret passes: no address but host and port.

use afterword_actors::embedder::EmbedError;

/// The request did not come to an answer.
pub(super) fn failure(error: reqwest::Error) -> EmbedError {
    let server = error.url().and_then(|url| Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?)));
    // The whole address may hold a password.
    let error = error.without_url();
    if error.is_connect() {
        let server = server.unwrap_or_else(|| "embedding.openai.base_url".to_owned());
        return EmbedError::unavailable(format!("cannot reach the embedding server {server}: {}", causes(&error)));
    }
    if error.is_timeout() {
        return EmbedError::transient("the embedding server did not answer in time (embedding.openai.timeout)");
    }
    EmbedError::transient(format!("the connection to the embedding server broke: {}", causes(&error)))
}

fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text
}
