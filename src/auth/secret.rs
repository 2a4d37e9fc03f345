//! The secret of a token: how it is made, written, hashed and compared.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Prefix that identifies a leaked token wherever it turns up.
const PREFIX: &str = "aw";
/// Length of a secret. *Units:* bytes.
const SECRET_BYTES: usize = 32;
/// Length of a salt. *Units:* bytes.
const SALT_BYTES: usize = 16;

/// A new secret, with the salt and the hash to store.
pub(super) struct NewSecret {
    pub(super) secret: String,
    pub(super) salt: Vec<u8>,
    pub(super) hash: Vec<u8>,
}

impl NewSecret {
    /// # Errors
    /// If the system has no random numbers.
    pub(super) fn make() -> Result<Self, getrandom::Error> {
        let (mut secret, mut salt) = ([0; SECRET_BYTES], vec![0; SALT_BYTES]);
        getrandom::fill(&mut secret)?;
        getrandom::fill(&mut salt)?;
        let secret = URL_SAFE_NO_PAD.encode(secret);
        let hash = hash(&salt, &secret);
        Ok(Self { secret, salt, hash })
    }
}

/// The token as its owner keeps it: the number that finds the row, and the secret.
pub(super) fn written(id: i64, secret: &str) -> String {
    format!("{PREFIX}_{id}_{secret}")
}

/// Number and secret of a written token; `None` if it has another form.
pub(super) fn parse(token: &str) -> Option<(i64, &str)> {
    let (id, secret) = token.strip_prefix(PREFIX)?.strip_prefix('_')?.split_once('_')?;
    Some((id.parse().ok()?, secret))
}

/// Compares in a time that does not depend on the secret.
pub(super) fn matches(secret: &str, salt: &[u8], stored: &[u8]) -> bool {
    hash(salt, secret).ct_eq(stored).into()
}

fn hash(salt: &[u8], secret: &str) -> Vec<u8> {
    Sha256::new().chain_update(salt).chain_update(secret.as_bytes()).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_only_its_own_hash_fits() {
        let (one, other) = (NewSecret::make().expect("a secret"), NewSecret::make().expect("a secret"));
        let token = written(7, &one.secret);
        let (id, secret) = parse(&token).expect("a token");
        assert_eq!((id, secret), (7, one.secret.as_str()));
        assert!(matches(secret, &one.salt, &one.hash));
        assert!(!matches(secret, &other.salt, &one.hash) && !matches(&other.secret, &one.salt, &one.hash));
        assert!(!matches("", &one.salt, &one.hash) && !matches(secret, &one.salt, &[]));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reading(text in any::<String>()) {
            let _ = parse(&text);
            let _ = parse(&format!("aw_{text}"));
        }
    }
}
