//! Claiming tasks: one guarded statement, a fresh token for each claim.

use std::{collections::HashMap, time::Duration};

use uuid::Uuid;

use super::{
    Engine, StoreError,
    sql::{self, FromRow, Sql, Value},
    subject,
};
use crate::task::{ArticleSnapshot, ClaimedTask, Lease, Position, Slot};

/// Which host claims, and for what.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The lease token of the claimed tasks: see [`new_token`].
    pub token: &'a str,
    /// This start of this host.
    pub incarnation: &'a str,
    /// The free slots; at most one task for each.
    pub slots: &'a [Slot],
    /// How long the lease is valid unless it is renewed.
    pub lease: Duration,
    /// The task to begin behind, if those before it have been claimed; `None` starts at the front. Ignored by SQLite.
    pub from: Option<Position>,
    /// Which sets of vectors the host makes.
    pub makes: HostSets,
}

/// Makes a token for one claim. It never repeats, over hosts and restarts; tokens sort in the order of the claims, for
/// people who read the table.
pub fn new_token() -> String {
    Uuid::now_v7().simple().to_string()
}

/// Which of the wanted sets a host makes. A task of neither (its set has been retired, or an earlier version queued it)
/// counts for the set in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HostSets {
    /// The set in use, 0 if there is none.
    pub active: i64,
    /// Whether the host makes it.
    pub makes_active: bool,
    /// The set being built, 0 if there is none.
    pub building: i64,
    /// Whether the host makes it.
    pub makes_building: bool,
}

impl HostSets {
    /// Only the set in use; none is being built.
    pub fn only(active: i64) -> Self {
        Self { active, makes_active: true, ..Self::default() }
    }

    /// Whether it makes neither: there is nothing to claim.
    pub fn nothing(&self) -> bool {
        !self.makes_active && !self.makes_building
    }

    /// `$6` to `$9` of a claim.
    fn values(&self) -> [Value; 4] {
        let flag = |is: bool| Value::from(i64::from(is));
        [
            self.building.into(),
            flag(self.makes_building && self.building != 0),
            self.active.into(),
            flag(self.makes_active && self.active != 0),
        ]
    }
}

/// Condition: the host makes the waiting task `t`. The arguments are the parameters of: the set being built, whether it
/// is made here, and whether the set in use is. A task that has waited half a minute, because no host makes the set in
/// use any more, is claimed for the set that is being built.
macro_rules! makeable {
    ($building:literal, $makes_building:literal, $makes_active:literal) => {
        concat!(
            "(CASE WHEN t.model_id = ",
            $building,
            " THEN ",
            $makes_building,
            " WHEN ",
            $makes_active,
            " = 1 THEN 1 WHEN t.scheduled_at <= {now} - 30000 THEN ",
            $makes_building,
            " ELSE 0 END) = 1"
        )
    };
}

/// The set that a claimed task is processed for; parameters as in [`run`].
macro_rules! claimed_for {
    () => {
        "CASE WHEN model_id = $6 OR $9 = 0 THEN $6 ELSE $8 END"
    };
}
mod postgres;
mod sqlite;

#[derive(FromRow)]
struct ClaimedRow {
    id: i64,
    article_id: i64,
    slug: String,
    operation: String,
    priority: String,
    queue_key: i64,
    revision: i64,
    attempts: i32,
    max_attempts: i32,
    slot: i32,
    waited: i64,
    trace_id: Option<String>,
    model_id: i64,
    crashes: i32,
}

/// Claims up to `claim.slots.len()` due tasks, those first that have waited longest for their priority; none while the
/// queue is paused, and never one whose article has another in `processing`. A task during whose processing hosts died
/// is claimed only when this host processes few others or none, and those behind it wait for it: see
/// [`super::suspects`].
///
/// # Errors
/// [`StoreError`]
pub async fn claim(transaction: &impl Sql, claim: Claim<'_>) -> Result<Vec<ClaimedTask>, StoreError> {
    let (sql, from) = match transaction.engine() {
        // SQLite always claims from the front.
        Engine::Sqlite => (sqlite::DUE, Vec::new()),
        Engine::Postgres => {
            let Position { queue_key, id } = claim.from.unwrap_or(Position::FRONT);
            (postgres::DUE, vec![queue_key.into(), id.into()])
        }
    };
    run(transaction, claim, sql, from).await
}

/// Claims one task by its id, due or not: for embedding inside the save call, where this incarnation processes nothing
/// else.
///
/// # Errors
/// [`StoreError`]
pub async fn claim_one(
    transaction: &impl Sql,
    request: Claim<'_>,
    task_id: i64,
) -> Result<Option<ClaimedTask>, StoreError> {
    let sql = match transaction.engine() {
        Engine::Sqlite => sqlite::ONE,
        Engine::Postgres => postgres::ONE,
    };
    Ok(run(transaction, request, sql, vec![task_id.into()]).await?.pop())
}

/// Whether a task is due that the host makes. Takes no write lock; a claim does.
///
/// # Errors
/// [`StoreError`]
pub async fn any_due(connection: &impl Sql, makes: HostSets) -> Result<bool, StoreError> {
    const DUE: &str = concat!(
        "SELECT 1 AS n WHERE EXISTS (SELECT 1 FROM embedding_tasks t
                                     WHERE t.status = 'pending' AND t.queue_key >= 0 AND t.scheduled_at <= {now} AND ",
        makeable!("$1", "$2", "$3"),
        ") AND NOT EXISTS (SELECT 1 FROM queue_control WHERE key = 'paused')"
    );
    let [building, makes_building, _, makes_active] = makes.values();
    Ok(connection.row::<()>(DUE, [building, makes_building, makes_active]).await?.is_some())
}

/// Runs `sql`: `$1` token, `$2` lease, `$3` incarnation, `$4` slots, `$5` limit, `$6` to `$9` what the host makes, then
/// its own parameters.
async fn run(
    transaction: &impl Sql,
    claim: Claim<'_>,
    sql: &str,
    own: Vec<Value>,
) -> Result<Vec<ClaimedTask>, StoreError> {
    let slots = sql::json(claim.slots)?;
    let lease = sql::millis(claim.lease);
    let limit = i64::try_from(claim.slots.len()).unwrap_or(i64::MAX);
    let shared = [claim.token.into(), lease.into(), claim.incarnation.into(), slots, limit.into()];
    let values = shared.into_iter().chain(claim.makes.values()).chain(own);
    let rows = transaction.rows::<ClaimedRow>(sql, values).await?;
    if !rows.is_empty() {
        afterword_faults::point!("claim.taken", StoreError::Failed);
    }
    let subjects = subjects(transaction, &rows, claim.makes).await?;
    rows.into_iter().map(|row| claimed(row, claim.token, &subjects)).collect()
}

/// Reads the state of each article, for the set that its task is processed for.
async fn subjects(
    transaction: &impl Sql,
    rows: &[ClaimedRow],
    makes: HostSets,
) -> Result<HashMap<i64, ArticleSnapshot>, StoreError> {
    let mut subjects = HashMap::new();
    for model_id in [makes.active, makes.building] {
        let of_model = rows.iter().filter(|row| row.model_id == model_id);
        let articles: Vec<i64> = of_model.map(|row| row.article_id).collect();
        if !articles.is_empty() {
            subjects.extend(subject::of_articles(transaction, &articles, model_id).await?);
        }
    }
    Ok(subjects)
}

fn claimed(row: ClaimedRow, token: &str, subjects: &HashMap<i64, ArticleSnapshot>) -> Result<ClaimedTask, StoreError> {
    let unexpected = |error: crate::task::UnknownName| StoreError::Unexpected(error.to_string());
    Ok(ClaimedTask {
        lease: Lease { task_id: row.id, token: token.to_owned() },
        article_id: row.article_id,
        slug: row.slug,
        operation: row.operation.parse().map_err(unexpected)?,
        priority: row.priority.parse().map_err(unexpected)?,
        queue_key: row.queue_key,
        revision: row.revision,
        attempt: u32::try_from(row.attempts).unwrap_or(u32::MAX),
        max_attempts: u32::try_from(row.max_attempts).unwrap_or(u32::MAX),
        slot: Slot::try_from(row.slot).unwrap_or_default(),
        waited: Duration::from_millis(u64::try_from(row.waited).unwrap_or_default()),
        trace_id: row.trace_id,
        model_id: row.model_id,
        crashes: u32::try_from(row.crashes).unwrap_or(u32::MAX),
        subject: subjects.get(&row.article_id).copied().unwrap_or(ArticleSnapshot::Gone),
    })
}
