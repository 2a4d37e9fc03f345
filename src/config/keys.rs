//! Which settings there are.

use std::collections::BTreeMap;

use figment::value::Value;

use super::{Settings, flat::flattened};

/// Every setting there is, with its default.
pub(super) fn known_keys() -> BTreeMap<String, Value> {
    flattened(&Settings::default())
}
