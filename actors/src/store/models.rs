//! The sets of vectors, one for each model, and the change from one to the next. A new set is built beside the one in
//! use; searches switch to it when it is complete, and not before.
//!
//! | state | vectors are made | searches use it |
//! |---|---|---|
//! | `active`, "the set in use" | of every save | yes |
//! | `building` | of every article, at low priority | no |
//! | `retired` | no | no |
//!
//! At most one set is active and at most one is being built. Only three things start or end a build: a server whose
//! settings name a model that this database has never used ([`offer`]), an operator ([`switch_to`], [`cancel`]), and
//! the set itself when it is complete ([`activate_if_whole`]).

mod settings;
mod whole;

use afterword_entities::embedding_model;

use super::{
    Engine, StoreError, advisory_locks, events, locks,
    sql::{self, FromRow, Sql},
};
use crate::embedder::ModelIdentity;

pub use settings::{SetRecord, accept_failed, embedded_within, record_of};
pub use whole::{Hindrance, activate_if_whole, hindrances};

/// A set that vectors are made for now.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Set {
    /// `embedding_models.id`
    pub id: i64,
    /// The model's whole identity, JSON.
    pub identity: String,
    /// `active` or `building`.
    state: String,
    /// How its provider is reached, as written by the host that offered it.
    pub settings: Option<String>,
}

impl Set {
    /// A set in use, for tests.
    #[cfg(test)]
    pub(crate) fn of(id: i64, identity: &ModelIdentity) -> Self {
        let identity = serde_json::to_string(identity).unwrap_or_default();
        Self { id, identity, state: "active".to_owned(), settings: None }
    }

    /// The model that makes it; `None` if a program that this one does not understand wrote it.
    pub fn identity(&self) -> Option<ModelIdentity> {
        serde_json::from_str(&self.identity).ok()
    }
}

/// The sets that vectors are made for now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WantedSets {
    /// The set that searches use; `None` before the first host.
    pub active: Option<Set>,
    /// The set that is to replace it.
    pub building: Option<Set>,
}

impl WantedSets {
    /// Returns the set that may need an article when its task for the set `model_id` has ended: after the one in use
    /// the one that is being built, after one that was retired meanwhile the one in use.
    pub(crate) fn after(&self, model_id: i64) -> Option<i64> {
        let id = |set: &Option<Set>| set.as_ref().map(|set| set.id);
        match (id(&self.active), id(&self.building)) {
            (_, Some(building)) if model_id == building => None,
            (Some(active), _) if model_id != active => Some(active),
            (_, building) => building,
        }
    }
}

/// The result of a request to change to a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Switch {
    /// Its set is in use and stays so; the set of the model `instead_of`, which was being built, is abandoned.
    InUse {
        /// `embedding_models.id`
        instead_of: Option<i64>,
    },
    /// Its set is being built already.
    UnderWay,
    /// Its set is being built from now on; the set of the model `instead_of`, which was being built, is abandoned.
    Begun {
        /// `embedding_models.id`
        instead_of: Option<i64>,
    },
}

/// Returns the sets that vectors are made for now.
///
/// # Errors
/// [`StoreError`]
pub async fn wanted(connection: &impl Sql) -> Result<WantedSets, StoreError> {
    let sets = connection
        .rows::<Set>(
            "SELECT m.id, m.identity, m.state, s.settings
             FROM embedding_models m LEFT JOIN embedding_model_settings s ON s.model_id = m.id
             WHERE m.state <> 'retired' ORDER BY m.id",
            [],
        )
        .await?;
    let mut wanted = WantedSets::default();
    for set in sets {
        match set.state.as_str() {
            "active" => wanted.active = Some(set),
            _ => wanted.building = Some(set),
        }
    }
    Ok(wanted)
}

/// Enters the model of a short-lived host: a command, an agent. If there is no set, it makes the first one; otherwise
/// it starts and ends no build.
///
/// # Errors
/// [`StoreError`]
pub async fn join(
    transaction: &impl Sql,
    identity: &ModelIdentity,
    settings: Option<&str>,
) -> Result<embedding_model::Model, StoreError> {
    let row = enter(transaction, identity).await?;
    settings::store_if_missing(transaction, row.id, settings).await?;
    reread(transaction, row.id).await
}

/// Enters the model of a server. A build starts for one that this database has never used, unless another is being
/// built. A model that was in use before, or had its build cancelled, waits for an operator: a server that restarts
/// with old settings must not undo what has been done since.
///
/// # Errors
/// [`StoreError`]
pub async fn offer(
    transaction: &impl Sql,
    identity: &ModelIdentity,
    settings: Option<&str>,
) -> Result<embedding_model::Model, StoreError> {
    let row = enter(transaction, identity).await?;
    settings::store(transaction, row.id, settings).await?;
    let is_new = row.state == "retired" && row.retired_at.is_none() && row.activated_at.is_none();
    if is_new && wanted(transaction).await?.building.is_none() {
        begin(transaction, row.id).await?;
    }
    reread(transaction, row.id).await
}

/// Starts to build the set of this model by order of an operator, instead of any other that is being built. If it is
/// the set in use, nothing is built any more.
///
/// # Errors
/// [`StoreError`]
pub async fn switch_to(
    transaction: &impl Sql,
    identity: &ModelIdentity,
    settings: Option<&str>,
) -> Result<Switch, StoreError> {
    let row = enter(transaction, identity).await?;
    settings::store(transaction, row.id, settings).await?;
    match row.state.as_str() {
        "active" => return Ok(Switch::InUse { instead_of: give_up(transaction).await? }),
        "building" => return Ok(Switch::UnderWay),
        _ => {}
    }
    let instead_of = stop_building(transaction).await?;
    begin(transaction, row.id).await?;
    Ok(Switch::Begun { instead_of })
}

/// Ends the build by order of an operator; the set in use stays, and tasks that wait for the other are cancelled.
/// Returns the model of the set that was being built.
///
/// # Errors
/// [`StoreError`]
pub async fn cancel(transaction: &impl Sql) -> Result<Option<i64>, StoreError> {
    take_turn(transaction).await?;
    give_up(transaction).await
}

async fn give_up(transaction: &impl Sql) -> Result<Option<i64>, StoreError> {
    let cancelled = stop_building(transaction).await?;
    if let Some(id) = cancelled {
        events::record_act(transaction, "model switch cancelled", &format!("embedding model {id}")).await?;
    }
    Ok(cancelled)
}

/// Enters the model if it is new, and makes it the active one if there is none.
async fn enter(transaction: &impl Sql, identity: &ModelIdentity) -> Result<embedding_model::Model, StoreError> {
    take_turn(transaction).await?;
    let fingerprint = identity.fingerprint();
    transaction
        .run(
            "INSERT INTO embedding_models (fingerprint, identity, dimension, state, created_at)
             VALUES ($1, $2, $3, 'retired', {now}) ON CONFLICT (fingerprint) DO NOTHING",
            [fingerprint.clone().into(), sql::json(identity)?, identity.dimension.map(i64::from).into()],
        )
        .await?;
    transaction
        .run(
            "UPDATE embedding_models SET state = 'active', activated_at = {now}, retired_at = NULL
             WHERE fingerprint = $1 AND NOT EXISTS (SELECT 1 FROM embedding_models WHERE state = 'active')",
            [fingerprint.clone().into()],
        )
        .await?;
    by_fingerprint(transaction, &fingerprint).await?.ok_or_else(missing_row)
}

async fn begin(transaction: &impl Sql, model_id: i64) -> Result<(), StoreError> {
    transaction
        .run("UPDATE embedding_models SET state = 'building', retired_at = NULL WHERE id = $1", [model_id.into()])
        .await?;
    settings::note_begin(transaction, model_id).await?;
    afterword_faults::point!("switch.begun", StoreError::Failed);
    events::record_act(transaction, "model switch begun", &format!("embedding model {model_id}")).await
}

async fn stop_building(transaction: &impl Sql) -> Result<Option<i64>, StoreError> {
    let Some(Set { id, .. }) = wanted(transaction).await?.building else { return Ok(None) };
    transaction
        .run("UPDATE embedding_models SET state = 'retired', retired_at = {now} WHERE state = 'building'", [])
        .await?;
    // A save that joined one of these tasks has made it a task of the set in use.
    transaction
        .run(
            "UPDATE embedding_tasks SET status = 'cancelled', cause = 'model switch cancelled', updated_at = {now},
                 completed_at = {now}
             WHERE id IN (SELECT t.id FROM embedding_tasks t WHERE t.status = 'pending' AND t.model_id = $1 {lock t})",
            [id.into()],
        )
        .await?;
    Ok(Some(id))
}

/// Returns whether the set `id` is active or being built; if so, it stays that until the commit.
///
/// # Errors
/// [`StoreError`]
pub(super) async fn lock_if_wanted(transaction: &impl Sql, id: i64) -> Result<bool, StoreError> {
    Ok(lock_state(transaction, id).await?.is_some_and(|state| state != "retired"))
}

/// Returns the state of the set `id`, which stays what it is until the commit.
pub(super) async fn lock_state(transaction: &impl Sql, id: i64) -> Result<Option<String>, StoreError> {
    locks::hold_sets(transaction).await?;
    let until_the_commit = match transaction.engine() {
        Engine::Sqlite => "",
        Engine::Postgres => "FOR SHARE",
    };
    let sql = format!("SELECT state FROM embedding_models WHERE id = $1 {until_the_commit}");
    transaction.row(&sql, [id.into()]).await
}

/// Lets changes of the sets take turns: on PostgreSQL by an advisory lock that ends with the transaction.
async fn take_turn(transaction: &impl Sql) -> Result<(), StoreError> {
    match transaction.engine() {
        Engine::Sqlite => Ok(()),
        Engine::Postgres => transaction.row::<()>(advisory_locks::TAKE_TURN_WITH_SETS, []).await.map(drop),
    }
}

async fn reread(connection: &impl Sql, id: i64) -> Result<embedding_model::Model, StoreError> {
    connection.row("SELECT * FROM embedding_models WHERE id = $1", [id.into()]).await?.ok_or_else(missing_row)
}

fn missing_row() -> StoreError {
    StoreError::Unexpected("the model that was just entered is not there".to_owned())
}

/// Finds the model with this fingerprint.
///
/// # Errors
/// [`StoreError`]
pub async fn by_fingerprint(
    connection: &impl Sql,
    fingerprint: &str,
) -> Result<Option<embedding_model::Model>, StoreError> {
    connection.row("SELECT * FROM embedding_models WHERE fingerprint = $1", [fingerprint.into()]).await
}

/// Returns the model that searches use; `None` before the first start.
///
/// # Errors
/// [`StoreError`]
pub async fn active(connection: &impl Sql) -> Result<Option<embedding_model::Model>, StoreError> {
    connection.row("SELECT * FROM embedding_models WHERE state = 'active'", []).await
}

/// Sets the length of a model's vectors, once; returns the stored length.
///
/// # Errors
/// [`StoreError`]
pub async fn pin_dimension(transaction: &impl Sql, model_id: i64, dimension: u32) -> Result<u32, StoreError> {
    let pinned = "SELECT dimension AS n FROM embedding_models WHERE id = $1 AND dimension IS NOT NULL";
    // Read first: writing the row each time would make all hosts wait for each other.
    let row = match transaction.row::<i64>(pinned, [model_id.into()]).await? {
        Some(row) => Some(row),
        None => {
            transaction
                .row::<i64>(
                    "UPDATE embedding_models SET dimension = coalesce(dimension, $2) WHERE id = $1
                     RETURNING dimension AS n",
                    [model_id.into(), i64::from(dimension).into()],
                )
                .await?
        }
    };
    row.and_then(|n| u32::try_from(n).ok())
        .ok_or_else(|| StoreError::Unexpected(format!("embedding model {model_id} is not there")))
}
