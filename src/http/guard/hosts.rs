//! Which names this server answers to, and which web pages may call it: a foreign page must not reach it by pointing
//! its own name here (DNS rebinding), nor through the browser of a person who has access.

use std::{
    collections::HashSet,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::Response,
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::{config::Server, http::problem::Problem};

/// How long a browser may remember that it may call.
const PREFLIGHT_HOLDS: Duration = Duration::from_secs(600);

/// Allowed names and origins.
pub(in crate::http) struct Policy {
    bind: IpAddr,
    names: HashSet<String>,
    origins: HashSet<String>,
    /// The address that clients see, if it is set; without a trailing slash.
    public_url: Option<String>,
}

impl Policy {
    pub(in crate::http) fn new(bind: IpAddr, server: &Server) -> Self {
        let public_url = Some(server.public_url.trim_end_matches('/').to_owned()).filter(|url| !url.is_empty());
        let public_name = public_url.as_deref().and_then(authority).map(|authority| name(authority).to_owned());
        let names = server.allowed_hosts.iter().map(|host| name(host).to_owned()).chain(public_name);
        Self {
            bind,
            names: names.map(|name| name.to_lowercase()).collect(),
            origins: server.allowed_origins.iter().map(|origin| origin.to_lowercase()).collect(),
            public_url,
        }
    }

    /// Returns the server's own address, as the client sees it. The name has been checked before.
    pub(in crate::http) fn base(&self, headers: &HeaderMap, uri: &Uri) -> String {
        let here = || format!("http://{}", host_of(headers, uri).unwrap_or("localhost"));
        self.public_url.clone().unwrap_or_else(here)
    }

    /// Whether only this machine reaches the server. One with a public address is reached through a proxy.
    pub(in crate::http) fn is_local(&self) -> bool {
        self.bind.is_loopback() && self.public_url.is_none()
    }

    /// Whether the host is allowed: an address cannot be made to point elsewhere, a name can.
    fn allows_host(&self, host: &str) -> bool {
        let name = name(host).to_lowercase();
        match name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(address) => address.is_loopback() || !self.bind.is_loopback(),
            Err(_) => name == "localhost" || name.ends_with(".localhost") || self.names.contains(&name),
        }
    }

    /// Whether the page is this server's own, or allowed by name.
    fn allows_origin(&self, origin: &str, host: &str) -> bool {
        let origin = origin.to_lowercase();
        authority(&origin).is_some_and(|authority| authority == host.to_lowercase()) || self.origins.contains(&origin)
    }
}

/// The part between `://` and the path.
fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    Some(rest.split('/').next().unwrap_or(rest))
}

/// The authority without the port.
fn name(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => authority,
    }
}

/// Whether a proxy passed the request on: then it need not come from this machine.
pub(in crate::http) fn is_passed_on(headers: &HeaderMap) -> bool {
    const SAID_BY_PROXIES: [&str; 6] =
        ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];
    SAID_BY_PROXIES.iter().any(|name| headers.contains_key(*name))
}

/// The name that the request was sent to.
fn host_of<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let authority = uri.authority().map(|authority| authority.as_str());
    authority.or_else(|| headers.get(header::HOST).and_then(|host| host.to_str().ok()))
}

/// Whether a client on this machine has sent it, to a name of this machine: no page of another site, and no proxy.
pub(crate) fn is_of_this_machine(request: &Request) -> bool {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
    let host = host_of(request.headers(), request.uri()).map(name);
    let is_local_name = host.is_some_and(|name| {
        let plain = name.trim_start_matches('[').trim_end_matches(']');
        plain == "localhost" || plain.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    });
    peer.is_some_and(|peer| peer.to_canonical().is_loopback()) && is_local_name && !is_passed_on(request.headers())
}

pub(in crate::http) async fn check(
    State(policy): State<Arc<Policy>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if request.headers().get_all(header::HOST).iter().count() > 1 {
        return Err(Problem::malformed("the request has more than one Host header; send one"));
    }
    let host = host_of(request.headers(), request.uri()).unwrap_or_default();
    if !policy.allows_host(host) {
        let detail = "this server does not go by that name; add it to server.allowed_hosts if it should";
        return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "host_refused", detail));
    }
    if let Some(origin) = request.headers().get(header::ORIGIN)
        && !origin.to_str().is_ok_and(|origin| policy.allows_origin(origin, host))
    {
        let detail = "this web page may not call the server; add its origin to server.allowed_origins if it should";
        return Err(Problem::new(StatusCode::FORBIDDEN, "origin_refused", detail));
    }
    Ok(next.run(request).await)
}

/// Off unless web pages are allowed by name.
pub(in crate::http) fn cors(policy: &Policy) -> CorsLayer {
    if policy.origins.is_empty() {
        return CorsLayer::new();
    }
    let origins: Vec<_> = policy.origins.iter().filter_map(|origin| HeaderValue::try_from(origin).ok()).collect();
    let name = HeaderName::from_static;
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::ACCEPT,
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            name("idempotency-key"),
            name("last-event-id"),
            name("mcp-method"),
            name("mcp-name"),
            name("mcp-protocol-version"),
            name("mcp-session-id"),
        ])
        .expose_headers([
            header::CONTENT_LOCATION,
            header::ETAG,
            header::LOCATION,
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
            name("mcp-session-id"),
            name("x-request-id"),
        ])
        .max_age(PREFLIGHT_HOLDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(bind: &str, hosts: &[&str], origins: &[&str]) -> Policy {
        let names = |list: &[&str]| serde_json::from_value(serde_json::json!(list)).expect("names");
        let server = Server {
            allowed_hosts: names(hosts),
            allowed_origins: names(origins),
            public_url: "https://Notes.example.org/".to_owned(),
            ..Server::default()
        };
        Policy::new(bind.parse().expect("an address"), &server)
    }

    #[test]
    fn a_local_server_goes_by_local_names_alone() {
        let policy = policy("127.0.0.1", &["Box.example.org:80"], &[]);
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "[::1]", "app.localhost"] {
            assert!(policy.allows_host(host), "{host}");
        }
        assert!(policy.allows_host("box.example.org") && policy.allows_host("notes.example.org:443"));
        for host in ["", "evil.example", "localhost.evil.example", "192.168.0.1", "127.0.0.1.evil.example", "[::2]"] {
            assert!(!policy.allows_host(host), "{host}");
        }
    }

    #[test]
    fn a_public_server_goes_by_addresses_and_by_the_names_it_was_given() {
        let policy = policy("0.0.0.0", &["box.example.org"], &[]);
        assert!(policy.allows_host("192.168.0.1:8080") && policy.allows_host("box.example.org:8080"));
        assert!(!policy.allows_host("evil.example"));
    }

    #[test]
    fn only_own_pages_and_those_named_may_call() {
        let policy = policy("127.0.0.1", &[], &["https://app.example.org"]);
        assert!(policy.allows_origin("http://localhost:8080", "localhost:8080"));
        assert!(policy.allows_origin("https://APP.example.org", "localhost:8080"));
        for origin in ["null", "", "http://localhost:9999", "https://app.example.org.evil.example", "file://"] {
            assert!(!policy.allows_origin(origin, "localhost:8080"), "{origin}");
        }
    }
}
