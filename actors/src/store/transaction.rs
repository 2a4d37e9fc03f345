//! What the body of a write is given and returns.

use futures_util::future::BoxFuture;
use sea_orm::DatabaseTransaction;

/// An open transaction.
pub type Transaction = DatabaseTransaction;

/// What the body of a write returns.
pub type WriteFuture<'c, T, E> = BoxFuture<'c, Result<T, E>>;
