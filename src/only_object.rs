//! Values that are written as JSON objects: the library would read a list as one, too, taking its items for fields in
//! their order.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

/// A value that is read from an object, and from nothing else.
#[derive(Debug, Default)]
pub(crate) struct OnlyObject<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OnlyObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Place {
        x: i64,
        y: Option<i64>,
    }

    #[test]
    fn only_an_object_is_read_as_one() {
        let read = |text: &str| serde_json::from_str::<OnlyObject<Place>>(text).map(|OnlyObject(place)| place);
        assert_eq!(read("{\"x\": 1}").expect("a place"), Place { x: 1, y: None });
        for other in ["[1, 2]", "[]", "1", "null", "\"x\""] {
            let error = read(other).expect_err("no place").to_string();
            assert!(error.contains("expected a JSON object"), "{error}");
        }
        assert!(read("{\"x\": 1, \"z\": 2}").expect_err("no place").to_string().contains("unknown field"));
    }
}
