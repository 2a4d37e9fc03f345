//! What a statement answers.

use sea_orm::{ColIdx, DbErr, QueryResult, TryGetable};

use super::sealed::Sealed;
use crate::store::StoreError;

/// One row of an answer.
#[derive(Debug)]
pub struct Row(pub(super) QueryResult);

impl Row {
    /// Returns the value of the column `name`.
    ///
    /// # Errors
    /// [`StoreError::Unexpected`] if there is no such column, or it has another type.
    pub fn get<T: Column>(&self, name: &str) -> Result<T, StoreError> {
        T::of_name(self, name)
    }

    /// Returns the value of a column by its position; the first is 0.
    ///
    /// # Errors
    /// [`StoreError::Unexpected`] if there is no such column, or it has another type.
    pub fn at<T: Column>(&self, position: usize) -> Result<T, StoreError> {
        T::of_position(self, position)
    }
}

/// A type that a column may have; an `Option` of it if the column may be NULL.
pub trait Column: Sized + Sealed {
    /// See [`Row::get`].
    #[doc(hidden)]
    fn of_name(row: &Row, name: &str) -> Result<Self, StoreError>;
    /// See [`Row::at`].
    #[doc(hidden)]
    fn of_position(row: &Row, position: usize) -> Result<Self, StoreError>;
}

/// What a row is read as: a column's type for the first column, a tuple for the first columns in their order, or a
/// struct that derives it and has each column in a field of its name.
///
/// ```
/// use afterword_actors::store::sql::FromRow;
///
/// #[derive(FromRow)]
/// struct Recipe {
///     id: i64,
///     title: String,
///     changed_at: Option<i64>,
/// }
/// ```
pub trait FromRow: Sized {
    /// Reads `row`.
    ///
    /// # Errors
    /// [`StoreError::Unexpected`] if a column is missing or has another type.
    fn from_row(row: &Row) -> Result<Self, StoreError>;
}

impl<T: Column> FromRow for T {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        row.at(0)
    }
}

/// A row that only has to be there.
impl FromRow for () {
    fn from_row(_: &Row) -> Result<Self, StoreError> {
        Ok(())
    }
}

macro_rules! tuples {
    ($($($name:ident $position:literal),+;)*) => {
        $(
            impl<$($name: Column),+> FromRow for ($($name,)+) {
                fn from_row(row: &Row) -> Result<Self, StoreError> {
                    Ok(($(row.at::<$name>($position)?,)+))
                }
            }
        )*
    };
}

tuples! {
    A 0, B 1;
    A 0, B 1, C 2;
    A 0, B 1, C 2, D 3;
    A 0, B 1, C 2, D 3, E 4;
}

macro_rules! columns {
    ($($type:ty: $read:ident;)*) => {
        $(
            impl Sealed for $type {}

            impl Column for $type {
                fn of_name(row: &Row, name: &str) -> Result<Self, StoreError> {
                    $read(&row.0, name).map_err(StoreError::of)
                }

                fn of_position(row: &Row, position: usize) -> Result<Self, StoreError> {
                    $read(&row.0, position).map_err(StoreError::of)
                }
            }
        )*
    };
}

columns! {
    bool: plain;
    i32: plain;
    i64: whole;
    f32: plain;
    f64: plain;
    String: plain;
    Vec<u8>: plain;
    serde_json::Value: plain;
    Option<bool>: plain;
    Option<i32>: plain;
    Option<i64>: whole_or_none;
    Option<f32>: plain;
    Option<f64>: plain;
    Option<String>: plain;
    Option<Vec<u8>>: plain;
}

fn plain<T: TryGetable>(row: &QueryResult, index: impl ColIdx) -> Result<T, DbErr> {
    row.try_get_by(index)
}

/// A whole number, of whichever width the database returns.
fn whole(row: &QueryResult, index: impl ColIdx) -> Result<i64, DbErr> {
    row.try_get_by(index).or_else(|error| row.try_get_by::<i32, _>(index).map(i64::from).map_err(|_| error))
}

fn whole_or_none(row: &QueryResult, index: impl ColIdx) -> Result<Option<i64>, DbErr> {
    let wide = row.try_get_by(index);
    wide.or_else(|error| row.try_get_by::<Option<i32>, _>(index).map(|n| n.map(i64::from)).map_err(|_| error))
}
