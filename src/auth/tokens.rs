//! Making, listing, revoking and checking tokens.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use afterword_actors::store::{
    Database, StoreError, Transaction, events,
    sql::{self, Sql},
};
use afterword_entities::api_token;
use serde::Serialize;

use super::{
    Caller, Permission, Who,
    error::AuthError,
    issuer::Issuer,
    secret::{self, NewSecret},
};
use crate::{config::Auth, time::Timestamp};

/// Longest name. *Units:* characters.
const LONGEST_NAME: usize = 100;
/// A token that is valid for less is a slip of the pen: it would close the door, and open it to nobody.
const SHORTEST_LIFETIME: Duration = Duration::from_secs(1);
/// How precisely the last use of a token is recorded.
const USE_NOTED: Duration = Duration::from_secs(60);

/// Makes, lists, revokes and checks tokens. Cheap to clone.
#[derive(Clone)]
pub struct Tokens {
    database: Database,
    issuer: Option<Issuer>,
    noted: Arc<Mutex<HashMap<i64, Instant>>>,
}

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scope: Permission,
    /// How long it is valid, at least a second; `None`: until it is revoked.
    pub lifetime: Option<Duration>,
}

/// A token as it is listed: without its secret, which only its owner has.
#[derive(Debug, Clone, Serialize)]
pub struct Token {
    /// Its number.
    pub id: i64,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scope: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it expires (UTC); `None`: never.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute; `None`: never.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked; `None`: it is not.
    pub revoked_at: Option<Timestamp>,
}

/// Why a token was not made or not revoked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The name has an invalid form.
    #[error("a token's name must have 1 to {LONGEST_NAME} characters, no control characters, and must not be a number")]
    Name,
    /// It would expire as soon as it is made.
    #[error("a token must be valid for at least a second; write e.g. 12h or 90d, or leave out the time for no limit")]
    Lifetime,
    /// The name is taken.
    #[error("there is a token \"{0}\" already; revoke it first, or choose another name")]
    Exists(String),
    /// There is no token with this number or name.
    #[error("there is no token \"{0}\" that could be revoked; `afterword token list` shows all")]
    NotFound(String),
    /// A token is still valid, so access without one stays off.
    #[error("the token \"{0}\" is still valid; revoke it first")]
    Holds(String),
    /// The system has no random numbers.
    #[error("the system has no random numbers: {0}")]
    Random(String),
    /// An error of the database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Tokens {
    /// Makes the service for the tokens of `database`, and of the issuer that `settings` name, if any.
    pub fn new(database: Database, settings: &Auth) -> Self {
        Self { database, issuer: Issuer::new(settings), noted: Arc::default() }
    }

    /// Makes a token; returns it as its owner has to keep it. It is never shown again.
    ///
    /// # Errors
    /// [`TokenError::Name`], [`TokenError::Lifetime`], [`TokenError::Exists`]
    pub async fn create(&self, new: NewToken) -> Result<String, TokenError> {
        let name = new.name.trim().to_owned();
        let taken_for_a_number = name.parse::<i64>().is_ok();
        let length = name.chars().count();
        if length == 0 || length > LONGEST_NAME || name.chars().any(char::is_control) || taken_for_a_number {
            return Err(TokenError::Name);
        }
        if new.lifetime.is_some_and(|lifetime| lifetime < SHORTEST_LIFETIME) {
            return Err(TokenError::Lifetime);
        }
        let fresh = NewSecret::make().map_err(|error| TokenError::Random(error.to_string()))?;
        let secret = fresh.secret.clone();
        let lifetime = new.lifetime.map(sql::millis);
        let row = NewTokenRow { name, scope: new.scope, lifetime, fresh };
        let id = self.database.write(async move |transaction| insert(transaction, row).await).await?;
        Ok(secret::written(id, &secret))
    }

    /// Returns all tokens, revoked ones too, the last made first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn list(&self) -> Result<Vec<Token>, StoreError> {
        let rows: Vec<api_token::Model> =
            self.database.reader().rows("SELECT * FROM api_tokens ORDER BY id DESC", []).await?;
        Ok(rows.into_iter().map(Token::from).collect())
    }

    /// Revokes the token with this number or name; it is invalid from the next request on.
    ///
    /// # Errors
    /// [`TokenError::NotFound`]
    pub async fn revoke(&self, which: &str) -> Result<(), TokenError> {
        let which = which.to_owned();
        self.database.write(async move |transaction| revoke(transaction, &which).await).await
    }

    /// Whether there is or was any token: then every caller needs one, until the operator [opens](Self::open) access
    /// again.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn closed(&self) -> Result<bool, StoreError> {
        if self.issuer.is_some() {
            return Ok(true);
        }
        let sql = "SELECT count(*) AS n FROM (SELECT 1 FROM api_tokens LIMIT 1) made";
        let row = self.database.reader().row::<i64>(sql, []).await?;
        Ok(row.is_some_and(|row| row > 0))
    }

    /// Deletes the invalid tokens, so that this machine needs none, as before the first. The audit trail keeps when
    /// they were made and revoked.
    ///
    /// # Errors
    /// [`TokenError::Holds`] if one is still valid.
    pub async fn open(&self) -> Result<(), TokenError> {
        self.database.write(async move |transaction| open(transaction).await).await
    }

    /// Whether an authenticated caller is still valid.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn still_holds(&self, caller: &Caller) -> Result<bool, StoreError> {
        match caller.who {
            Who::Local => Ok(!self.closed().await?),
            Who::Token(id) => Ok(self.database.reader().row::<()>(HOLDS, [id.into()]).await?.is_some()),
            Who::Subject(_) => Ok(caller.until.is_some_and(|until| SystemTime::now() < until)),
        }
    }

    /// Whether any token is valid: then callers on other machines can authenticate.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn any(&self) -> Result<bool, StoreError> {
        if self.issuer.is_some() {
            return Ok(true);
        }
        let sql = "SELECT count(*) AS n FROM (
                       SELECT 1 FROM api_tokens
                       WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > {now}) LIMIT 1) held";
        let row = self.database.reader().row::<i64>(sql, []).await?;
        Ok(row.is_some_and(|row| row > 0))
    }

    /// Returns the caller that this token authenticates.
    ///
    /// # Errors
    /// [`AuthError`]
    pub async fn check(&self, token: &str) -> Result<Caller, AuthError> {
        let (id, secret) = match (secret::parse(token), &self.issuer) {
            (Some(ours), _) => ours,
            (None, Some(issuer)) => return issuer.check(token).await,
            (None, None) => return Err(AuthError::Invalid),
        };
        let sql = "SELECT * FROM api_tokens
                   WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > {now})";
        let row: Option<api_token::Model> = self.database.reader().row(sql, [id.into()]).await?;
        let row = row.ok_or(AuthError::Invalid)?;
        if !secret::matches(secret, &row.salt, &row.hash) {
            return Err(AuthError::Invalid);
        }
        let scope = row.scope.parse().map_err(|_| AuthError::Invalid)?;
        self.note_use(id);
        Ok(Caller::token(id, row.name, scope))
    }

    /// Records the use, at most once a minute, in the background.
    fn note_use(&self, id: i64) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(&id).is_some_and(|at| at.elapsed() < USE_NOTED) {
            return;
        }
        noted.insert(id, Instant::now());
        let database = self.database.clone();
        tokio::spawn(async move {
            let written = database.write_behind(async move |transaction| {
                transaction.run("UPDATE api_tokens SET last_used_at = {now} WHERE id = $1", [id.into()]).await
            });
            if let Err(error) = written.await {
                tracing::debug!(%error, token = id, "the use of a token was not noted");
            }
        });
    }
}

/// SQL: the token with this number, if it is valid.
const HOLDS: &str = "SELECT id AS n FROM api_tokens
                     WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > {now})";

async fn open(transaction: &Transaction) -> Result<(), TokenError> {
    // First removed, then looked: a token that is made in between stays, and keeps the door closed.
    let dead = "DELETE FROM api_tokens WHERE revoked_at IS NOT NULL OR expires_at <= {now}";
    let forgotten = transaction.run(dead, []).await?;
    if let Some(name) = transaction.row("SELECT name FROM api_tokens ORDER BY id LIMIT 1", []).await? {
        return Err(TokenError::Holds(name));
    }
    let detail = format!("{forgotten} tokens removed; this machine needs none");
    Ok(events::record_act(transaction, "door opened", &detail).await?)
}

struct NewTokenRow {
    name: String,
    scope: Permission,
    lifetime: Option<i64>,
    fresh: NewSecret,
}

async fn insert(transaction: &Transaction, issued: NewTokenRow) -> Result<i64, TokenError> {
    let NewTokenRow { name, scope, lifetime, fresh } = issued;
    let inserted = transaction
        .row::<i64>(
            "INSERT INTO api_tokens (name, scope, salt, hash, created_at, expires_at)
             VALUES ($1, $2, $3, $4, {now}, {now} + $5)
             ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING RETURNING id AS n",
            [name.clone().into(), scope.as_str().into(), fresh.salt.into(), fresh.hash.into(), lifetime.into()],
        )
        .await?;
    let Some(id) = inserted else { return Err(TokenError::Exists(name)) };
    events::record_act(transaction, "token created", &format!("token {id} \"{name}\", scope {scope}")).await?;
    Ok(id)
}

async fn revoke(transaction: &Transaction, which: &str) -> Result<(), TokenError> {
    let number = which.parse::<i64>().ok();
    let revoked = transaction
        .row::<(i64, String)>(
            "UPDATE api_tokens SET revoked_at = {now}
             WHERE revoked_at IS NULL AND (name = $1 OR id = $2) RETURNING id, name",
            [which.into(), number.into()],
        )
        .await?;
    let Some((id, name)) = revoked else { return Err(TokenError::NotFound(which.to_owned())) };
    Ok(events::record_act(transaction, "token revoked", &format!("token {id} \"{name}\"")).await?)
}

impl From<api_token::Model> for Token {
    fn from(row: api_token::Model) -> Self {
        Self {
            id: row.id,
            name: row.name,
            scope: row.scope,
            created_at: Timestamp(row.created_at),
            expires_at: row.expires_at.map(Timestamp),
            last_used_at: row.last_used_at.map(Timestamp),
            revoked_at: row.revoked_at.map(Timestamp),
        }
    }
}
