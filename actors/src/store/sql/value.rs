//! What a statement is given.

use std::{borrow::Cow, time::Duration};

use serde::Serialize;

use crate::store::StoreError;

/// The value of a parameter. One that is missing has a type too, because PostgreSQL plans a statement by the types of
/// its parameters.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// True or false.
    Bool(Option<bool>),
    /// A whole number of 32 bits.
    Int(Option<i32>),
    /// A whole number of 64 bits.
    BigInt(Option<i64>),
    /// A number of single precision.
    Float(Option<f32>),
    /// A number of double precision.
    Double(Option<f64>),
    /// A text. NUL in it is stored as U+FFFD.
    Text(Option<String>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
}

macro_rules! values {
    ($($kind:ident: $type:ty, $($from:ty),*;)*) => {
        $(
            impl From<$type> for Value {
                fn from(value: $type) -> Self {
                    Self::$kind(Some(value))
                }
            }

            impl From<Option<$type>> for Value {
                fn from(value: Option<$type>) -> Self {
                    Self::$kind(value)
                }
            }

            $(
                impl From<$from> for Value {
                    fn from(value: $from) -> Self {
                        Self::$kind(Some(value.into()))
                    }
                }

                impl From<Option<$from>> for Value {
                    fn from(value: Option<$from>) -> Self {
                        Self::$kind(value.map(Into::into))
                    }
                }
            )*
        )*
    };
}

values! {
    Bool: bool,;
    Int: i32,;
    BigInt: i64, u32;
    Float: f32,;
    Double: f64,;
    Text: String, &str, &String, Cow<'_, str>;
    Bytes: Vec<u8>, &[u8];
}

/// Returns `value` as JSON for a parameter, such as the list for `{ids $1}`, `{texts $1}` or `{rows $1: …}`.
///
/// # Errors
/// [`StoreError::Unexpected`] if it has no form in JSON.
pub fn json(value: &(impl Serialize + ?Sized)) -> Result<Value, StoreError> {
    match serde_json::to_string(value) {
        Ok(text) => Ok(text.into()),
        Err(error) => Err(StoreError::Unexpected(format!("a parameter has no form in JSON: {error}"))),
    }
}

/// Returns `duration` as statements count it: in milliseconds, and so few that adding it to any time is still a number.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).map_or(MAX_MILLIS, |millis| millis.min(MAX_MILLIS))
}

/// Longer than anything is waited for or kept. *Units:* milliseconds.
const MAX_MILLIS: i64 = i64::MAX >> 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_for_ever_can_be_added_to_any_time() {
        assert_eq!(millis(Duration::from_millis(1_500)), 1_500);
        assert!(i64::MAX.checked_sub(millis(Duration::MAX)).is_some_and(|time| time > millis(Duration::MAX)));
    }
}
