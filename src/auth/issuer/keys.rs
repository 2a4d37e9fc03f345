//! The keys that an issuer publishes: fetched, kept, and fetched again when one is missing, at a bounded rate.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse},
};
use reqwest::{Client, redirect};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::task::AbortHandle;

use crate::{auth::AuthError, config::Auth};

/// Keys are fetched again after this time, so that a withdrawn one is no longer accepted.
const KEYS_LIFETIME: Duration = Duration::from_secs(3600);
/// How long the issuer may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a caller waits whose key is known, and only to be fetched again.
const PATIENCE_WITH_A_KEY: Duration = Duration::from_secs(1);
/// Fetches that may come together: the first, and one for a key that was changed just then.
const FETCH_BURST: NonZeroU32 = NonZeroU32::new(3).expect("more than none");
/// Then one fetch in this time.
const REFETCH_INTERVAL: Duration = Duration::from_secs(20);
/// Longest answer of the issuer. *Units:* bytes.
const MAX_ANSWER_BYTES: usize = 1 << 20;
/// Most keys of one name, or of none, that a token is tried with.
const MOST_MEANT: usize = 16;
/// Where issuers publish their metadata: OpenID Connect, and RFC 8414.
const DESCRIPTIONS: [&str; 2] = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

/// A key and the algorithms it may be used with.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) key: DecodingKey,
    pub(super) algorithms: Vec<Algorithm>,
}

/// See the module.
pub(super) struct Keys {
    issuer: Arc<Issuer>,
    looks: DefaultDirectRateLimiter,
    fetch: Mutex<Option<Fetch>>,
}

/// Where keys come from, and those that are known.
struct Issuer {
    name: String,
    place: String,
    known: RwLock<KeyCache>,
}

/// A fetch that is under way or over. It belongs to no caller, and goes on when all have hung up.
struct Fetch {
    work: AbortHandle,
    end: Shared<BoxFuture<'static, ()>>,
}

#[derive(Default)]
struct KeyCache {
    keys: Vec<Published>,
    since: Option<Instant>,
}

/// A key as the issuer publishes it: it may have no name, and another the same.
struct Published {
    name: Option<String>,
    key: Key,
}

#[derive(Deserialize)]
struct Description {
    issuer: String,
    jwks_uri: String,
}

/// Why keys were not fetched.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    #[error("its address answers {0}")]
    Status(reqwest::StatusCode),
    #[error("its answer has more than {MAX_ANSWER_BYTES} bytes")]
    TooLong,
    #[error("its answer cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("its answer names the issuer {0}, not the one of auth.issuer")]
    OtherName(String),
}

impl KeyCache {
    /// The keys that a token may mean by `name`.
    fn find(&self, name: Option<&str>) -> Vec<Key> {
        // A token without a key's name means a key without a name, or a sole key.
        let is_sole = name.is_none() && self.keys.len() == 1;
        let meant = self.keys.iter().filter(|published| is_sole || published.name.as_deref() == name);
        meant.take(MOST_MEANT).map(|published| published.key.clone()).collect()
    }
}

impl Keys {
    pub(super) fn of(settings: &Auth) -> Self {
        let quota =
            Quota::with_period(REFETCH_INTERVAL).unwrap_or(Quota::per_minute(FETCH_BURST)).allow_burst(FETCH_BURST);
        let (name, place) = (settings.issuer.clone(), settings.jwks_url.clone());
        Self {
            issuer: Arc::new(Issuer { name, place, known: RwLock::default() }),
            looks: RateLimiter::direct(quota),
            fetch: Mutex::default(),
        }
    }

    /// Returns the keys of this name, at least one. A caller that asks while keys are fetched waits for them; for a
    /// known one that is to be fetched again, not long.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] if the issuer has no such key, [`AuthError::Issuer`] if it was never reached.
    pub(super) async fn find(&self, name: Option<&str>) -> Result<Vec<Key>, AuthError> {
        let (keys, since) = self.issuer.known(name);
        let is_known = !keys.is_empty();
        if is_known && since.is_some_and(|since| since.elapsed() < KEYS_LIFETIME) {
            return Ok(keys);
        }
        if let Some(fetch) = self.fetch() {
            let patience = if is_known { PATIENCE_WITH_A_KEY } else { Duration::MAX };
            // Whatever became of it, what is known now decides.
            let _ = tokio::time::timeout(patience, fetch).await;
        }
        match self.issuer.known(name) {
            (keys, _) if !keys.is_empty() => Ok(keys),
            (_, None) => Err(AuthError::Issuer),
            (_, Some(_)) => Err(AuthError::Invalid),
        }
    }

    /// The fetch that is under way, or a new one; `None` if it is too early for that.
    fn fetch(&self) -> Option<Shared<BoxFuture<'static, ()>>> {
        let mut fetch = self.fetch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fetch) = fetch.as_ref().filter(|fetch| !fetch.work.is_finished()) {
            return Some(fetch.end.clone());
        }
        self.looks.check().ok()?;
        let issuer = Arc::clone(&self.issuer);
        let work = tokio::spawn(async move { issuer.renew().await });
        let new = Fetch { work: work.abort_handle(), end: work.map(drop).boxed().shared() };
        let end = new.end.clone();
        *fetch = Some(new);
        Some(end)
    }
}

impl Issuer {
    fn known(&self, name: Option<&str>) -> (Vec<Key>, Option<Instant>) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        (known.find(name), known.since)
    }

    async fn renew(&self) {
        match self.fetch().await {
            Ok(keys) => {
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                *known = KeyCache { keys, since: Some(Instant::now()) };
            }
            Err(error) => tracing::warn!(%error, issuer = self.name, "the issuer's keys cannot be fetched"),
        }
    }

    async fn fetch(&self) -> Result<Vec<Published>, FetchError> {
        // The client requires one even without encryption.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(FETCH_TIMEOUT).redirect(redirect::Policy::none()).build()?;
        let place = if self.place.is_empty() { self.discover_keys(&client).await? } else { self.place.clone() };
        let set: JwkSetOfAny = get(&client, &place).await?;
        let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        Ok(JwkSet { keys: keys.collect() }.keys.iter().filter_map(usable).collect())
    }

    async fn discover_keys(&self, client: &Client) -> Result<String, FetchError> {
        let base = self.name.trim_end_matches('/');
        let mut failed = None;
        for description in DESCRIPTIONS {
            match get::<Description>(client, &format!("{base}{description}")).await {
                Ok(found) if found.issuer == self.name => return Ok(found.jwks_uri),
                Ok(found) => failed = Some(FetchError::OtherName(found.issuer)),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or(FetchError::TooLong))
    }
}

/// A key set that may contain keys of unknown kinds.
#[derive(Deserialize)]
struct JwkSetOfAny {
    keys: Vec<serde_json::Value>,
}

async fn get<T: DeserializeOwned>(client: &Client, place: &str) -> Result<T, FetchError> {
    let mut response = client.get(place).send().await?;
    if !response.status().is_success() {
        return Err(FetchError::Status(response.status()));
    }
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await? {
        if bytes.len() + piece.len() > MAX_ANSWER_BYTES {
            return Err(FetchError::TooLong);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(serde_json::from_slice(&bytes)?)
}

/// Returns a key with its name and the algorithms it is for: never a shared secret, and never one of another family.
fn usable(jwk: &Jwk) -> Option<Published> {
    if jwk.common.public_key_use.as_ref().is_some_and(|is_for| *is_for != PublicKeyUse::Signature) {
        return None;
    }
    let possible = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => vec![
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => vec![Algorithm::ES256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => vec![Algorithm::ES384],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => vec![Algorithm::EdDSA],
        _ => return None,
    };
    let algorithms = match jwk.common.key_algorithm {
        None => possible,
        Some(named) => {
            let named = named.to_string().parse().ok()?;
            possible.into_iter().filter(|algorithm| *algorithm == named).collect()
        }
    };
    let key = DecodingKey::from_jwk(jwk).ok().filter(|_| !algorithms.is_empty())?;
    Some(Published { name: jwk.common.key_id.clone(), key: Key { key, algorithms } })
}
