//! JSON from a stranger: at most so many values, nested at most so deep. Both are counted while it is read.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::printable;

/// Most values in one message, keys included.
const MAX_VALUES: usize = 10_000;
/// Deepest nesting of lists and objects.
const MAX_NESTING: usize = 48;
/// Longest reason in a refusal. *Units:* characters.
pub(crate) const LONGEST_REASON: usize = 300;

/// Reads one value, and nothing after it.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let mut left = MAX_VALUES;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Bounded { left: &mut left, depth: 0 }.deserialize(&mut reader)?;
    reader.end().map(|()| value)
}

/// Returns the field `id` of an object, and skips everything else: also of one that [`read`] refuses.
pub(crate) fn id(bytes: &[u8]) -> Option<Value> {
    serde_json::Deserializer::from_slice(bytes).deserialize_map(OnlyId).ok()?
}

/// Reads an object that is a field of something else; for `serde(deserialize_with)`.
pub(crate) fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    let mut left = MAX_VALUES;
    match (Bounded { left: &mut left, depth: 0 }).deserialize(deserializer)? {
        Value::Object(object) => Ok(object),
        _ => Err(D::Error::custom("it must be an object")),
    }
}

/// A value with a bounded number of values and a bounded depth.
struct Bounded<'a> {
    left: &'a mut usize,
    depth: usize,
}

impl Bounded<'_> {
    fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        *self.left = self.left.checked_sub(1).ok_or_else(|| {
            E::custom(format!("it has more than {MAX_VALUES} values; send a long text as one text, not as a list"))
        })?;
        Ok(())
    }

    fn below<E: serde::de::Error>(&mut self) -> Result<Bounded<'_>, E> {
        if self.depth >= MAX_NESTING {
            return Err(E::custom(format!("it has more than {MAX_NESTING} lists and objects within each other")));
        }
        Ok(Bounded { left: self.left, depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.below()?)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            self.count::<A::Error>()?;
            if map.contains_key(&name) {
                let name = printable::line(&name, LONGEST_REASON);
                return Err(A::Error::custom(format!("it has \"{name}\" twice")));
            }
            let value = fields.next_value_seed(self.below()?)?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

/// Reads the id of a message and skips everything else.
struct OnlyId;

impl<'de> Visitor<'de> for OnlyId {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut id = None;
        while let Some(name) = fields.next_key::<Cow<'de, str>>()? {
            match &*name {
                "id" if id.is_some() => return Err(A::Error::custom("it has two")),
                // One value and no list.
                "id" => id = Some(fields.next_value_seed(Bounded { left: &mut 1, depth: MAX_NESTING })?),
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(id)
    }
}
