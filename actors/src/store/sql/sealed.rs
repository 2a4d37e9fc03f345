//! Only the types of this crate run statements, and only its choice of types are columns: no other crate adds any.

/// Cannot be named outside the crate.
pub trait Sealed {}
