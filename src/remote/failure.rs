//! What a failure of the connection means. No secret is passed on: of the address only host and port.

use super::server::Server;

/// Why a request got no answer: for people.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no connection.
    Unreachable(String),
    /// The connection was too slow, or broke.
    Broken(String),
}

/// The failure of a request to `server` that got no answer.
pub(crate) fn failure(error: reqwest::Error, server: &Server) -> Failure {
    let Server { name, address, time } = server;
    let place = error.url().and_then(|url| Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?)));
    // The whole address may contain a password.
    let error = error.without_url();
    if error.is_connect() {
        let place = place.unwrap_or_else(|| (*address).to_owned());
        return Failure::Unreachable(if speaks_no_tls(&error) {
            format!("{name} {place} does not speak TLS; write http:// instead of https:// in {address}, if it is yours")
        } else if let Some(why) = distrusted(&error) {
            format!(
                "the certificate of {name} {place} is not trusted ({why}); if it is yours, give the certificate of its authority as \
                 SSL_CERT_FILE in the environment"
            )
        } else {
            format!("cannot reach {name} {place}: {}", causes(&error))
        });
    }
    if error.is_timeout() {
        return Failure::Broken(format!("{name} did not answer in time ({time})"));
    }
    Failure::Broken(format!("the connection to {name} broke: {}", causes(&error)))
}

/// Whether the server answered the first TLS message with something else.
fn speaks_no_tls(error: &reqwest::Error) -> bool {
    of_tls(error) == Some(&rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType))
}

/// Why the server's certificate is refused, if it is.
fn distrusted(error: &reqwest::Error) -> Option<String> {
    match of_tls(error)? {
        rustls::Error::InvalidCertificate(why) => Some(why.to_string()),
        _ => None,
    }
}

/// The failure of TLS that is behind it.
fn of_tls(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(found) = inner.downcast_ref() {
            return Some(found);
        }
        // An `io::Error` does not return the error it wraps as its source.
        let wrapped = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = match wrapped {
            Some(wrapped) => Some(wrapped as &(dyn std::error::Error + 'static)),
            None => inner.source(),
        };
    }
    None
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
