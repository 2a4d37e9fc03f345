//! The client for one server.

use reqwest::{Client, ClientBuilder, header};

use crate::{config::Secret, secrets};

/// The key has characters that no header may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnusableKey;

/// A client that shows `key` to its server and to no other: a key must not follow a redirect.
///
/// # Errors
/// [`UnusableKey`]
pub(crate) fn client(key: &Secret) -> Result<ClientBuilder, UnusableKey> {
    // Only the first call in the process has an effect; all calls pass the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut headers = header::HeaderMap::new();
    if let Some(key) = key.expose() {
        // A server may repeat it.
        secrets::keep(key);
        let mut value = header::HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| UnusableKey)?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    Ok(Client::builder().default_headers(headers).tcp_nodelay(true).redirect(reqwest::redirect::Policy::none()))
}
