//! Names of articles in addresses: lower-case ASCII letters, digits and hyphens, made from a title in any language.

use std::{borrow::Cow, fmt};

use any_ascii::any_ascii;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Longest slug. *Units:* bytes.
const MAX_SLUG_BYTES: usize = 96;

/// A valid slug.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

/// Why a name is not a slug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{given}\" is not a slug; use lower-case letters, digits and hyphens, for example \"{proposed}\"")]
pub struct SlugError {
    given: String,
    proposed: Slug,
}

impl Slug {
    /// Makes the slug of a title, never empty: a title without letters in any script gets a name from its hash.
    pub fn from_title(title: &str) -> Self {
        let mut slug = String::new();
        let ascii = any_ascii(title).to_lowercase();
        for word in ascii.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
            if slug.is_empty() {
                slug.push_str(&word[..word.len().min(MAX_SLUG_BYTES)]);
            } else if slug.len() + 1 + word.len() <= MAX_SLUG_BYTES {
                slug.push('-');
                slug.push_str(word);
            } else {
                // The slug is the beginning of the title, not a selection of its shorter words.
                break;
            }
        }
        if slug.is_empty() { Self(by_hash(title)) } else { Self(slug) }
    }

    /// The same with a suffix of `digits` hexadecimal digits, made from `text`: if another article has the slug.
    pub fn distinguished(&self, text: &str, digits: usize) -> Self {
        let digest = hex::encode(Sha256::digest(text.as_bytes()));
        let suffix = &digest[..digits.min(digest.len())];
        let room = MAX_SLUG_BYTES - 1 - suffix.len();
        let stem = self.0[..self.0.len().min(room)].trim_end_matches('-');
        Self(format!("{stem}-{suffix}"))
    }

    /// Returns this slug after that of `place`; `None` if it would be too long.
    pub fn within(&self, place: &str) -> Option<Self> {
        let ascii = any_ascii(place).to_lowercase();
        let words = ascii.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let name: String = words.map(|word| format!("{word}-")).collect::<String>() + &self.0;
        (name.len() <= MAX_SLUG_BYTES && name != self.0).then_some(Self(name))
    }

    /// Checks a slug that a caller gave.
    ///
    /// # Errors
    /// [`SlugError`], which proposes the slug that was perhaps meant.
    pub fn parse(given: &str) -> Result<Self, SlugError> {
        let proposed = Self::from_title(given);
        if proposed.0 == given { Ok(proposed) } else { Err(SlugError { given: quote(given), proposed }) }
    }
}

/// Brings a typed slug to its stored form: no slug has capitals or space around it, so they are ignored.
pub(crate) fn as_stored(typed: &str) -> Cow<'_, str> {
    let typed = typed.trim();
    if typed.chars().any(char::is_uppercase) { Cow::Owned(typed.to_lowercase()) } else { Cow::Borrowed(typed) }
}

fn by_hash(title: &str) -> String {
    let digest = Sha256::digest(title.as_bytes());
    format!("article-{}", hex::encode(&digest[..4]))
}

fn quote(given: &str) -> String {
    given.chars().take(MAX_SLUG_BYTES).filter(|c| !c.is_control()).collect()
}

impl AsRef<str> for Slug {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Slug {
    type Error = SlugError;

    fn try_from(given: String) -> Result<Self, SlugError> {
        Self::parse(&given)
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn titles_in_any_language_have_a_readable_slug() {
        for (title, slug) in [
            ("Hello, World!", "hello-world"),
            ("Ärger über Öl", "arger-uber-ol"),
            ("Привет мир", "privet-mir"),
            ("Rust 的所有权", "rust-desuoyouquan"),
            ("  --  ", "article-"),
        ] {
            let made = Slug::from_title(title);
            assert!(made.as_ref().starts_with(slug), "{title}: {made}");
        }
    }

    #[test]
    fn what_is_no_slug_is_refused_with_a_proposal() {
        let error = Slug::parse("My Article").expect_err("a space");
        assert!(error.to_string().contains("\"my-article\""), "{error}");
        for bad in ["", "-a", "a--b", "../etc", "A", "a/b", "a\0"] {
            assert!(Slug::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn every_title_has_a_valid_slug(title in any::<String>()) {
            let slug = Slug::from_title(&title);
            prop_assert!((1..=MAX_SLUG_BYTES).contains(&slug.0.len()));
            prop_assert!(slug.0.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            prop_assert!(!slug.0.starts_with('-') && !slug.0.ends_with('-') && !slug.0.contains("--"));
            prop_assert_eq!(Slug::parse(&slug.0), Ok(slug.clone()));
        }

        #[test]
        fn a_slug_with_a_suffix_or_a_place_is_a_slug(title in any::<String>(), other in any::<String>(), digits in 1_usize..=64) {
            let slug = Slug::from_title(&title);
            let suffixed = slug.distinguished(&other, digits);
            prop_assert_eq!(Slug::parse(suffixed.as_ref()), Ok(suffixed.clone()));
            prop_assert_ne!(&suffixed, &slug);
            if let Some(placed) = slug.within(&other) {
                prop_assert_eq!(Slug::parse(placed.as_ref()), Ok(placed.clone()));
            }
        }
    }
}
