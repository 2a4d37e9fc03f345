//! The cost of a statement on PostgreSQL: how many pages it touched.

use afterword_actors::store::{Database, sql::Sql};

use super::{Cost, recording::Recording};

/// Pages that it may take to answer one row: some looks through trees of four levels, past rows that have just been
/// removed.
const PAGES_OF_A_ROW: u64 = 24;

pub(crate) async fn costs(database: &Database, said: &Recording) -> Vec<(String, Cost)> {
    let mut costs = Vec::new();
    for (sql, times) in said {
        for with_values in times {
            if let Some(cost) = cost(database, with_values).await {
                costs.push((sql.clone(), cost));
            }
        }
    }
    costs
}

/// `None` if it could not be repeated: an existing article cannot be inserted once more.
async fn cost(database: &Database, sql: &str) -> Option<Cost> {
    let explained = format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {sql}");
    let transaction = database.write_connection().begin().await.expect("a transaction");
    let plan = transaction.row::<serde_json::Value>(&explained, []).await;
    transaction.rollback().await.expect("an end");
    let plan = plan.ok()??;
    let touched = ["Shared Hit Blocks", "Shared Read Blocks", "Temp Read Blocks"];
    let pages: u64 = touched.iter().map(|name| plan[0]["Plan"][name].as_u64().unwrap_or_default()).sum();
    // A row that is asked for, answered or changed may cost what it takes to look some rows up for it.
    let rows = |node: &serde_json::Value| node["Actual Rows"].as_f64().unwrap_or_default() as u64;
    let asked_for = sql.matches("],[").count() as u64;
    let rows = asked_for.max(rows(&plan[0]["Plan"])).max(rows(&plan[0]["Plan"]["Plans"][0]));
    Some(vec![("pages", pages.saturating_sub(PAGES_OF_A_ROW * rows))])
}
