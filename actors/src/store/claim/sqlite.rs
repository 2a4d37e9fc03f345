//! Claims on SQLite: the one writer selects and claims in one statement.
//!
//! With a bare parameter as the limit, SQLite compiles the whole statement again at each call; with a sum it does not.
//! The pause is a limit too: as a condition it would be evaluated for each waiting task.

use crate::store::suspects::together_of_row;

macro_rules! claim {
    ($($which:expr),+ $(,)?) => {
        concat!(
            "UPDATE embedding_tasks SET
                 status = 'processing', cause = 'claimed', attempts = attempts + 1, lease_token = $1,
                 lease_expires_at = {now} + $2, incarnation = $3, model_id = ",
            claimed_for!(),
            ", slot = picked.slot,
                 started_at = {now}, updated_at = {now}
             FROM (SELECT picked_id, $4 ->> (place - 1) AS slot
                   FROM (SELECT id AS picked_id, row_number() OVER so_far AS place,
                                min(",
            together_of_row!(),
            ") OVER so_far AS most FROM (",
            $($which,)+
            ") WINDOW so_far AS (ORDER BY queue_key, id ROWS UNBOUNDED PRECEDING)),
                        (SELECT count(*) AS tasks, coalesce(min(",
            together_of_row!(),
            "), 1000000) AS together
                         FROM embedding_tasks WHERE status = 'processing' AND incarnation = $3) held
                   WHERE place + held.tasks <= min(most, held.together)) picked
             WHERE id = picked_id
             RETURNING id, article_id, slug, operation, priority, queue_key, revision, attempts, max_attempts, slot,
                       started_at - scheduled_at AS waited, trace_id, model_id, crashes"
        )
    };
}

pub(super) const DUE: &str = claim!(
    "SELECT t.id, t.queue_key, t.crashes FROM embedding_tasks t
     WHERE t.status = 'pending' AND t.scheduled_at <= {now} AND ",
    makeable!("$6", "$7", "$9"),
    " AND NOT EXISTS (SELECT 1 FROM embedding_tasks p WHERE p.article_id = t.article_id AND p.status = 'processing')
     ORDER BY t.queue_key, t.id
     LIMIT CASE WHEN EXISTS (SELECT 1 FROM queue_control WHERE key = 'paused') THEN 0 ELSE $5 END"
);

pub(super) const ONE: &str = claim!(
    "SELECT t.id, t.queue_key, t.crashes FROM embedding_tasks t
     WHERE t.status = 'pending' AND t.id = $10 AND (CASE WHEN t.model_id = $6 THEN $7 ELSE $9 END) = 1
       AND NOT EXISTS (SELECT 1 FROM embedding_tasks p WHERE p.article_id = t.article_id AND p.status = 'processing')
     LIMIT $5 + 0"
);
