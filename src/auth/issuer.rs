//! Tokens of an external issuer: this server as a protected resource of OAuth 2.1.
//!
//! Checked are: a signature by a key that the issuer publishes, with an algorithm of this key; that the token is from
//! this issuer, for this audience, and valid now. Keys are fetched when they are first needed, and again when a token
//! names an unknown one, but not for every such token.

mod keys;
mod signatures;

use std::{
    sync::{Arc, Once},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jsonwebtoken::{Validation, decode, decode_header};
use serde::Deserialize;

use super::{AuthError, Caller, Permission, Who};
use crate::config::Auth;
use keys::{Key, Keys};

/// Longest token. *Units:* bytes.
const MAX_TOKEN_BYTES: usize = 8 << 10;
/// Longest name of a caller. *Units:* bytes.
const LONGEST_SUBJECT: usize = 255;
/// What the name of such a caller begins with in the log and the trail: a subject may be called as a token is, or
/// `local`.
const SUBJECT: &str = "subject:";
/// How far clocks may differ. *Units:* seconds.
const LEEWAY: u32 = 30;

/// Checks the tokens of one issuer. Cheap to clone.
#[derive(Clone)]
pub(super) struct Issuer(Arc<Inner>);

struct Inner {
    settings: Auth,
    keys: Keys,
}

/// The claims that are read from a token.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    /// Times may have fractions of a second (RFC 7519).
    exp: f64,
    nbf: Option<f64>,
    scope: Option<Names>,
    scp: Option<Names>,
}

/// Names in a list, or in one text separated by blanks.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Many(Vec<String>),
}

impl Names {
    fn has(&self, wanted: &str) -> bool {
        match self {
            Self::One(names) => names.split_ascii_whitespace().any(|name| name == wanted),
            Self::Many(names) => names.iter().any(|name| name == wanted),
        }
    }
}

fn seconds_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

impl Issuer {
    /// Makes the checks for the issuer in `settings`; `None` if there is none.
    pub(super) fn new(settings: &Auth) -> Option<Self> {
        static SIGNATURES: Once = Once::new();
        if settings.issuer.is_empty() {
            return None;
        }
        // It fails only if the process has one already, which is this one.
        SIGNATURES.call_once(|| {
            let _ = signatures::PROVIDER.install_default();
        });
        Some(Self(Arc::new(Inner { keys: Keys::of(settings), settings: settings.clone() })))
    }

    /// Returns the caller that this token authenticates.
    ///
    /// # Errors
    /// [`AuthError::Invalid`], [`AuthError::NoScope`], [`AuthError::Issuer`]
    pub(super) async fn check(&self, token: &str) -> Result<Caller, AuthError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(AuthError::Invalid);
        }
        let header = decode_header(token).map_err(|_| AuthError::Invalid)?;
        // It requires an extension that this server does not know.
        if header.crit.is_some() {
            return Err(AuthError::Invalid);
        }
        let keys = self.0.keys.find(header.kid.as_deref()).await?;
        let fitting = keys.iter().filter(|key| key.algorithms.contains(&header.alg));
        let verified = fitting.map(|key| self.verify(token, key)).find(Result::is_ok);
        let Claims { sub, exp, nbf, scope, scp } = verified.unwrap_or(Err(AuthError::Invalid))?;
        if nbf.is_some_and(|begin| begin > seconds_now() + f64::from(LEEWAY)) {
            return Err(AuthError::Invalid);
        }
        if sub.is_empty() || sub.len() > LONGEST_SUBJECT {
            return Err(AuthError::Invalid);
        }
        let prefix = &self.0.settings.scope_prefix;
        let has = |wanted: &Permission| {
            let wanted = format!("{prefix}{wanted}");
            [&scope, &scp].into_iter().flatten().any(|names| names.has(&wanted))
        };
        let scope = Permission::ALL.into_iter().rev().find(has).ok_or(AuthError::NoScope)?;
        let until = Duration::try_from_secs_f64(exp + f64::from(LEEWAY)).ok();
        let until = until.and_then(|until| UNIX_EPOCH.checked_add(until));
        let name = format!("{SUBJECT}{sub}");
        let who = Who::Subject(format!("{} {sub}", self.0.settings.issuer));
        Ok(Caller { name, scope, who, until })
    }

    fn verify(&self, token: &str, key: &Key) -> Result<Claims, AuthError> {
        let Some(first) = key.algorithms.first() else { return Err(AuthError::Invalid) };
        let mut rules = Validation::new(*first);
        rules.algorithms.clone_from(&key.algorithms);
        rules.leeway = u64::from(LEEWAY);
        // The library refuses a token whose begin is null.
        rules.validate_nbf = false;
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        rules.set_issuer(&[&self.0.settings.issuer]);
        rules.set_audience(&[&self.0.settings.audience]);
        decode(token, &key.key, &rules).map(|token| token.claims).map_err(|error| {
            tracing::debug!(%error, "a token of the issuer is not valid");
            AuthError::Invalid
        })
    }
}
