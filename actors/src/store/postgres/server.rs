//! Why a pool had no connection in time: it says only that it waited in vain, also while PostgreSQL refuses every new
//! one.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::{
        self, Connection as _,
        postgres::{PgConnectOptions, PgConnection},
    },
};
use tokio::{sync::Mutex, time::Instant};

use super::StoreError;
use crate::store::sql::Refusals;

/// A PostgreSQL that has not answered for this long does not answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long an answer stands for all that ask.
const REFUSAL_LIFETIME: Duration = Duration::from_secs(1);

/// A server, asked for a connection of its own when the pools have none.
#[derive(Debug)]
pub(super) struct PostgresServer {
    address: PgConnectOptions,
    last: Mutex<Option<(Instant, Option<StoreError>)>>,
}

impl PostgresServer {
    pub(super) fn new(address: PgConnectOptions) -> Self {
        Self { address, last: Mutex::default() }
    }

    async fn refusal(&self) -> Option<StoreError> {
        match tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&self.address)).await {
            Ok(Ok(connection)) => {
                let _ = tokio::time::timeout(CONNECT_TIMEOUT, connection.close()).await;
                None
            }
            Ok(Err(error)) => Some(of_connecting(error)),
            Err(_) => Some(StoreError::Unreachable(format!("no answer within {CONNECT_TIMEOUT:?}"))),
        }
    }
}

impl Refusals for PostgresServer {
    fn why_no_connection(&self, waited: StoreError) -> BoxFuture<'_, StoreError> {
        Box::pin(async move {
            let mut last = self.last.lock().await;
            let recent =
                last.as_ref().filter(|(at, _)| at.elapsed() < REFUSAL_LIFETIME).map(|(_, refusal)| refusal.clone());
            let refusal = match recent {
                Some(refusal) => refusal,
                None => {
                    let refusal = self.refusal().await;
                    *last = Some((Instant::now(), refusal.clone()));
                    refusal
                }
            };
            refusal.unwrap_or(waited)
        })
    }
}

/// What it means that a connection cannot be made.
pub(super) fn of_connecting(error: sqlx::Error) -> StoreError {
    StoreError::of(DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))))
}
