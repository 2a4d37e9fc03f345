//! Addresses, limits and timeouts of the host server.

use std::time::Duration;

use bytesize::ByteSize;

use crate::config::{
    names::Names,
    rules::{Rules, is_http},
    section::{
        section,
        times::{DAY, MINUTE, SECOND},
    },
};

section! {
    /// The host server.
    Server {
        /// Address and port to listen on; beyond this machine only once a token exists.
        bind: String = "127.0.0.1:8080".to_owned(),
        /// Serve a page for people at /.
        page: bool = true,
        /// The address that clients see, e.g. "https://notes.example.org", if it is another.
        public_url: String = String::new(),
        /// Names that are accepted in the header Host, beside this machine's own addresses.
        allowed_hosts: Names = Names::default(),
        /// Web pages that may call this server, e.g. ["https://app.example.org"].
        allowed_origins: Names = Names::default(),
        /// Largest request.
        max_body: ByteSize = ByteSize::mib(80),
        /// How long a client may take over the head of a request.
        #[serde(with = "humantime_serde")]
        header_timeout: Duration = 30 * SECOND,
        /// How long a client may pause within the body of a request.
        #[serde(with = "humantime_serde")]
        body_timeout: Duration = 30 * SECOND,
        /// How long an answer may take.
        #[serde(with = "humantime_serde")]
        request_timeout: Duration = MINUTE,
        /// How long a client may leave an answer unread.
        #[serde(with = "humantime_serde")]
        write_timeout: Duration = 30 * SECOND,
        /// How long a connection without requests is kept.
        #[serde(with = "humantime_serde")]
        idle_timeout: Duration = 75 * SECOND,
        /// Requests of one client per second; 0: no limit.
        rate_limit: u32 = 0,
        /// Requests of one client at once, before rate_limit applies.
        rate_burst: u32 = 100,
        /// Connections at the same time; for one more, the longest idle one is closed.
        max_connections: usize = 1_024,
        /// How long a shutdown waits for requests to end.
        #[serde(with = "humantime_serde")]
        shutdown_timeout: Duration = 10 * SECOND,
        /// How long an idle MCP session is kept; for one beyond 2,000, the longest idle one is closed.
        #[serde(with = "humantime_serde")]
        mcp_session_idle: Duration = DAY,
    }
}

impl Server {
    pub(in crate::config) fn check(&self, rules: &mut Rules) {
        let bind = self.bind.parse::<std::net::SocketAddr>();
        rules.check(bind.is_ok(), "server.bind", "must be an address and a port, e.g. 127.0.0.1:8080");
        let public = self.public_url.is_empty() || is_http(&self.public_url);
        rules.check(public, "server.public_url", "must begin with http:// or https://");
        let bare = |origin: &String| is_http(origin) && origin.matches('/').count() == 2;
        let origins = self.allowed_origins.iter().all(bare);
        rules.check(origins, "server.allowed_origins", "must be origins without a path, e.g. https://app.example.org");
        let hosts = self.allowed_hosts.iter().all(|host| !host.contains('/'));
        rules.check(hosts, "server.allowed_hosts", "must be names without a scheme or path, e.g. notes.example.org");
        rules.at_least_one(self.rate_burst.into(), "server.rate_burst");
        rules.at_least_one(self.max_connections as u64, "server.max_connections");
        rules.longer_than_zero(&[
            ("server.header_timeout", self.header_timeout),
            ("server.body_timeout", self.body_timeout),
            ("server.request_timeout", self.request_timeout),
            ("server.write_timeout", self.write_timeout),
            ("server.idle_timeout", self.idle_timeout),
            ("server.mcp_session_idle", self.mcp_session_idle),
        ]);
    }
}
