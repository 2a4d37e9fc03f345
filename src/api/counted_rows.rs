//! The first rows of a list, and how many there are.

use std::ops::Deref;

/// Some rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedRows<T> {
    /// The first ones.
    pub rows: Vec<T>,
    /// How many there are in all; `None` if there are more than are counted.
    pub total: Option<i64>,
}

impl<T> Deref for CountedRows<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.rows
    }
}
