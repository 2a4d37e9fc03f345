//! A value that is never shown.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// A secret; shown only as being set or not.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "TextOrNumber")]
pub struct Secret(SecretString);

/// A secret of digits alone, without quotes, is a number to TOML.
#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrNumber {
    Text(SecretString),
    Number(u64),
}

impl From<TextOrNumber> for Secret {
    fn from(given: TextOrNumber) -> Self {
        match given {
            TextOrNumber::Text(secret) => Self(secret),
            TextOrNumber::Number(number) => Self(number.to_string().into()),
        }
    }
}

impl Secret {
    /// The secret itself; `None` if it is empty.
    pub fn expose(&self) -> Option<&str> {
        Some(self.0.expose_secret()).filter(|secret| !secret.is_empty())
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(secret.into())
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.expose().is_some() { "(hidden)" } else { "" })
    }
}
