//! How many articles are embedded at the same time.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// `auto`, or a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Slots {
    /// As many as keep the provider busy.
    #[default]
    Auto,
    /// So many; with 1, articles are embedded strictly one after the other.
    Number(u32),
}

/// Most slots: more would not be faster, and cost memory.
pub(super) const MAX_SLOTS: u32 = 1024;
impl From<u32> for Slots {
    fn from(number: u32) -> Self {
        Self::Number(number)
    }
}

impl Serialize for Slots {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Number(number) => serializer.serialize_u32(*number),
        }
    }
}

impl<'de> Deserialize<'de> for Slots {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SlotsVisitor)
    }
}

/// A number, or what a variable or a flag says as text.
struct SlotsVisitor;

impl de::Visitor<'_> for SlotsVisitor {
    type Value = Slots;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("auto or a whole number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Slots, E> {
        match text.trim() {
            "auto" => Ok(Slots::Auto),
            number => number.parse().map(Slots::Number).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Slots, E> {
        u32::try_from(number).map(Slots::Number).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Slots, E> {
        u32::try_from(number).map(Slots::Number).map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
    }
}
