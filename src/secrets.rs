//! What must never be shown: the secrets of this process are removed from every text that leaves it other than as an
//! article.
//!
//! The settings register them when they are read ([`keep`]). Foreign errors (of a provider, a database) are cleaned
//! where they come in, and logs and answers once more where they go out.

use std::{
    borrow::Cow,
    sync::{PoisonError, RwLock},
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Every character that must be encoded in an address. *Source:* RFC 3986, 2.3.
const UNRESERVED_STAY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Replaces a secret.
pub const HIDDEN: &str = "(hidden)";
/// Shorter ones would also remove ordinary words. *Units:* bytes.
const MIN_SECRET_BYTES: usize = 6;

static KNOWN_SECRETS: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// Registers `secret`: from now on it is removed, also as JSON and addresses write it.
pub fn keep(secret: &str) {
    let secret = secret.trim();
    if secret.len() < MIN_SECRET_BYTES {
        return;
    }
    let mut known = KNOWN_SECRETS.write().unwrap_or_else(PoisonError::into_inner);
    let quoted = serde_json::Value::from(secret).to_string();
    for form in [secret, quoted.trim_matches('"'), &percent_encoded(secret), &percent_decoded(secret)] {
        if !form.is_empty() && !known.iter().any(|known| known == form) {
            known.push(form.to_owned());
        }
    }
    // A secret that contains another one goes first.
    known.sort_by_key(|form| std::cmp::Reverse(form.len()));
}

/// Registers the secrets within an address.
pub fn keep_those_of(address: &str) {
    let parts = AddressParts::of(address);
    // A password that is also the name of the user or the database cannot be told apart from them.
    for secret in parts.secrets().filter(|secret| !parts.names().any(|name| name == *secret)) {
        keep(secret);
    }
}

/// Returns `text` without the known secrets.
pub fn strike(text: &str) -> Cow<'_, str> {
    let known = KNOWN_SECRETS.read().unwrap_or_else(PoisonError::into_inner);
    let mut struck = Cow::Borrowed(text);
    for secret in known.iter().filter(|secret| text.contains(secret.as_str())) {
        struck = Cow::Owned(struck.replace(secret, HIDDEN));
    }
    struck
}

/// Returns an address as it may be shown: without passwords, whatever its form.
pub fn in_address(address: &str) -> String {
    let parts = AddressParts::of(address);
    let Some(scheme) = parts.scheme else {
        // Not a URL, so nothing tells which part is secret. `host=… password=…` is a form of PostgreSQL's.
        return if address.contains(['@', '=', ':']) { HIDDEN.to_owned() } else { address.to_owned() };
    };
    let user = match (parts.user, parts.password) {
        (Some(user), Some(_)) => format!("{user}:…@"),
        (Some(user), None) => format!("{user}@"),
        (None, _) => String::new(),
    };
    let query: Vec<_> = parts.query.iter().map(|(name, value)| shown_parameter(name, *value)).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    format!("{scheme}://{user}{}{query}", parts.place)
}

fn shown_parameter(name: &str, value: Option<&str>) -> String {
    match value {
        Some(_) if is_secret(name) => format!("{name}=…"),
        Some(value) => format!("{name}={value}"),
        None => name.to_owned(),
    }
}

fn is_secret(parameter: &str) -> bool {
    let name = parameter.to_lowercase();
    ["pass", "pwd", "secret", "key", "token", "auth", "sig", "credential"].iter().any(|part| name.contains(part))
}

/// An address, cut where secrets may be.
struct AddressParts<'a> {
    scheme: Option<&'a str>,
    user: Option<&'a str>,
    password: Option<&'a str>,
    /// Host, port and path.
    place: &'a str,
    query: Vec<(&'a str, Option<&'a str>)>,
}

impl<'a> AddressParts<'a> {
    /// A password may contain any of the characters that usually end it (`@`, `/`, `?`), so the last `@` counts.
    fn of(address: &'a str) -> Self {
        let Some((scheme, rest)) = address.split_once("://") else {
            return Self { scheme: None, user: None, password: None, place: address, query: Vec::new() };
        };
        // A file's path may contain anything, but no user.
        let is_file = scheme.eq_ignore_ascii_case("sqlite");
        let (user, rest) = match rest.rsplit_once('@') {
            Some((user, rest)) if !is_file && !starts_query(user) => (Some(user), rest),
            _ => (None, rest),
        };
        let (user, password) = match user.map(|user| user.split_once(':').map_or((user, None), |(u, p)| (u, Some(p)))) {
            // A key may be alone in the place of the user.
            Some((user, None)) if scheme.to_lowercase().starts_with("http") => (Some(""), Some(user)),
            Some((user, password)) => (Some(user), password),
            None => (None, None),
        };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let parameter = |pair: &'a str| pair.split_once('=').map_or((pair, None), |(name, value)| (name, Some(value)));
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(parameter).collect();
        Self { scheme: Some(scheme), user, password, place, query }
    }

    fn secrets(&self) -> impl Iterator<Item = &'a str> {
        let parameters = self.query.iter().filter(|(name, _)| is_secret(name)).filter_map(|(_, value)| *value);
        self.password.into_iter().chain(parameters).collect::<Vec<_>>().into_iter()
    }

    fn names(&self) -> impl Iterator<Item = &'a str> {
        self.user.into_iter().chain(self.place.split(['/', ':'])).collect::<Vec<_>>().into_iter()
    }
}

/// Whether an `@` after `text` belongs to a parameter and not to a user: `host/db?options=a@b`.
fn starts_query(text: &str) -> bool {
    text.split_once('?').is_some_and(|(before, after)| {
        !before.contains([':', '@']) && after.split('&').all(|pair| pair.contains('=') && !pair.starts_with('='))
    })
}

fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED_STAY).to_string()
}

fn percent_decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap_or_default().into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        for (address, shown) in [
            ("postgres://me:secret@host:5432/db", "postgres://me:…@host:5432/db"),
            ("postgres://me:a@b@host/db", "postgres://me:…@host/db"),
            ("postgres://me:a/b?c@host/db", "postgres://me:…@host/db"),
            ("POSTGRES://:secret@host/db", "POSTGRES://:…@host/db"),
            ("mysql://me:secret@host", "mysql://me:…@host"),
            ("postgres://me@host/db", "postgres://me@host/db"),
            ("postgres://host/db?user=me&password=secret", "postgres://host/db?user=me&password=…"),
            ("postgres://host/db?PassWord=a@b", "postgres://host/db?PassWord=…"),
            ("https://sk-secret@host/v1", "https://:…@host/v1"),
            ("https://host/v1?api_key=secret", "https://host/v1?api_key=…"),
            ("sqlite:///home/me@home/a:b.db", "sqlite:///home/me@home/a:b.db"),
            ("host=db password=secret", "(hidden)"),
            ("english", "english"),
        ] {
            assert_eq!(in_address(address), shown);
        }
    }

    proptest! {
        #[test]
        fn no_secret_of_an_address_is_shown_or_said(secret in "[!-~]{6,20}", user in "[a-z]{1,5}") {
            let secret = format!("S3CR3T{secret}");
            for address in [
                format!("postgres://{user}:{secret}@host/db"),
                format!("postgres://{user}:{}@host/db?sslmode=require", percent_encoded(&secret)),
                format!("postgres://host/db?user={user}&password={}", percent_encoded(&secret)),
                format!("https://{user}:{secret}@host/v1"),
            ] {
                prop_assert!(!in_address(&address).contains("S3CR3T"), "{}", in_address(&address));
                keep_those_of(&address);
                let said = format!("no: {secret} of {address}, {}", serde_json::to_string(&secret).expect("JSON"));
                prop_assert!(!strike(&said).contains("S3CR3T"), "{}", strike(&said));
            }
        }
    }
}
