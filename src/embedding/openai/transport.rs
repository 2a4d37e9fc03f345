//! What a failure of the connection means. No secret is passed on: of the address only host and port.

use afterword_actors::embedder::EmbedError;

/// The failure of a request that got no answer.
pub(super) fn failure(error: reqwest::Error) -> EmbedError {
    let server = error.url().and_then(|url| Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?)));
    // The whole address may contain a password.
    let error = error.without_url();
    if error.is_connect() {
        let server = server.unwrap_or_else(|| "embedding.openai.base_url".to_owned());
        if speaks_no_tls(&error) {
            return EmbedError::unavailable(format!(
                "the embedding server {server} does not speak TLS; write http:// instead of https:// in \
                 embedding.openai.base_url, if it is yours"
            ));
        }
        return EmbedError::unavailable(format!("cannot reach the embedding server {server}: {}", causes(&error)));
    }
    if error.is_timeout() {
        return EmbedError::transient("the embedding server did not answer in time (embedding.openai.timeout)");
    }
    EmbedError::transient(format!("the connection to the embedding server broke: {}", causes(&error)))
}

/// Whether the server answered the first TLS message with something else.
fn speaks_no_tls(error: &reqwest::Error) -> bool {
    let answered = rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType);
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if inner.downcast_ref() == Some(&answered) {
            return true;
        }
        // An `io::Error` does not return the error it wraps as its source.
        let wrapped = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = match wrapped {
            Some(wrapped) => Some(wrapped as &(dyn std::error::Error + 'static)),
            None => inner.source(),
        };
    }
    false
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
