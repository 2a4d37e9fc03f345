//! Tokens that an identity provider signs.

use crate::config::{rules::Rules, section::section};

section! {
    /// Tokens of an identity provider, beside those made by `afterword token create`.
    Auth {
        /// The issuer whose tokens (JWT) are accepted, e.g. "https://login.example.org"; empty: none.
        issuer: String = String::new(),
        /// The audience they must name, e.g. "https://notes.example.org".
        audience: String = String::new(),
        /// Where the issuer's keys are, if its metadata does not say.
        jwks_url: String = String::new(),
        /// What stands before read, write and admin in the scopes of its tokens.
        scope_prefix: String = String::new(),
    }
}

impl Auth {
    pub(in crate::config) fn check(&self, rules: &mut Rules) {
        rules.check(is_safe(&self.issuer), "auth.issuer", "must begin with https://, e.g. https://login.example.org");
        rules.check(is_safe(&self.jwks_url), "auth.jwks_url", "must begin with https://");
        let for_us = self.issuer.is_empty() || !self.audience.trim().is_empty();
        rules.check(
            for_us,
            "auth.audience",
            "must be set with auth.issuer, or tokens for other services would be accepted",
        );
    }
}

/// Without TLS an attacker on the way could replace the issuer's keys, except on this machine.
fn is_safe(url: &str) -> bool {
    let here = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let ends_there = |rest: &str| matches!(rest.chars().next(), None | Some(':' | '/'));
    url.is_empty()
        || url.starts_with("https://")
        || here.iter().any(|here| url.strip_prefix(here).is_some_and(ends_there))
}
