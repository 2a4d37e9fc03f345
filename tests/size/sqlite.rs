//! The cost of a statement on SQLite: its plan, the steps of its machine, and the pages it read.

use std::path::Path;

use rusqlite::{Connection, StatementStatus};

use super::{Cost, recording::Recording};

/// Tables that grow with the past.
const PAST: [&str; 9] = [
    "embedding_tasks",
    "embedding_task_events",
    "bulk_items",
    "article_versions",
    "vector_changes",
    "embedding_metrics",
    "idempotency_keys",
    "provider_calls",
    "embedding_hosts",
];

/// Indexes of pending, processing or recently ended tasks: they are made to be read whole.
const OF_THE_PRESENT: [&str; 6] = [
    "embedding_tasks_claim",
    "embedding_tasks_due",
    "embedding_tasks_leases",
    "embedding_tasks_one_pending",
    "embedding_tasks_one_processing",
    "embedding_hosts_open",
];

pub(crate) fn costs(file: &Path, said: &Recording) -> Vec<(String, Cost)> {
    let connection = Connection::open(file).expect("a connection");
    // So little memory that a page is read each time it is wanted.
    connection.execute_batch("PRAGMA cache_size = 16; PRAGMA temp_store = MEMORY").expect("a pragma");
    let mut costs = Vec::new();
    for (sql, times) in said {
        for with_values in times {
            if let Some(cost) = cost(&connection, with_values) {
                costs.push((sql.clone(), cost));
            }
        }
    }
    costs
}

/// `None` if it could not be repeated: an existing article cannot be inserted once more.
fn cost(connection: &Connection, sql: &str) -> Option<Cost> {
    connection.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
    let mut statement = connection.prepare(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    let before = bytes_read();
    let mut rows = statement.raw_query();
    let is_done = loop {
        match rows.next() {
            Ok(Some(_)) => {}
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    let pages = (bytes_read() - before) / 4096;
    drop(rows);
    let steps = u64::try_from(statement.get_status(StatementStatus::VmStep)).unwrap_or_default();
    drop(statement);
    connection.execute_batch("ROLLBACK").expect("an end");
    is_done.then(|| vec![("steps", steps), ("pages", pages)])
}

/// By this thread, as the system counts.
fn bytes_read() -> u64 {
    let counts = std::fs::read_to_string("/proc/thread-self/io").expect("what the system counts");
    let read = counts.lines().find_map(|line| line.strip_prefix("rchar: ")).expect("a count");
    read.parse().expect("a number")
}

/// No statement looks through all of the past, or again and again through a list, whatever its values.
pub(crate) fn check_plans(file: &Path, said: &Recording) {
    let connection = Connection::open(file).expect("a connection");
    let mut wrong = Vec::new();
    for (sql, _) in said {
        let plan = plan(&connection, sql);
        let past = plan.iter().filter(|loops| is_walk_through_the_past(&loops.line, sql));
        let lists =
            plan.iter().enumerate().filter(|(place, _)| is_list_read_again(&plan, *place)).map(|(_, loops)| loops);
        for Loop { line, .. } in past.chain(lists) {
            wrong.push(format!("{line}: {}", sql.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
    }
    assert!(
        wrong.is_empty(),
        "these look through the past, or through a list for each row of a table:\n{}",
        wrong.join("\n")
    );
}

/// One line of a plan.
struct Loop {
    parent: i64,
    line: String,
}

/// Without values: the plan must not depend on them.
fn plan(connection: &Connection, sql: &str) -> Vec<Loop> {
    let explained = format!("EXPLAIN QUERY PLAN {sql}");
    let mut statement = connection.prepare(&explained).unwrap_or_else(|error| panic!("{error}: {sql}"));
    let mut rows = statement.raw_query();
    let mut plan = Vec::new();
    while let Some(row) = rows.next().expect("a plan") {
        plan.push(Loop { parent: row.get(1).expect("a number"), line: row.get(3).expect("a line") });
    }
    plan
}

/// How a plan calls the reading of a list.
const LIST: &str = "SCAN json_each";

/// Whether a list that was given is inside the loop over a table. Each with each of two lists may be wanted.
fn is_list_read_again(plan: &[Loop], place: usize) -> bool {
    let Loop { parent, line } = &plan[place];
    let is_of_table = |line: &str| line.starts_with("SEARCH ") || line.starts_with("SCAN ") && !line.starts_with(LIST);
    let mut around = plan[..place].iter().filter(|other| other.parent == *parent);
    line.starts_with(LIST) && around.any(|other| is_of_table(&other.line))
}

fn is_walk_through_the_past(line: &str, sql: &str) -> bool {
    let Some(walked) = line.strip_prefix("SCAN ") else { return false };
    if OF_THE_PRESENT.iter().any(|index| walked.ends_with(&format!("INDEX {index}"))) {
        return false;
    }
    let name = walked.split(' ').next().unwrap_or_default();
    let is_past = |table: &str| {
        name == table
            || sql
                .split_whitespace()
                .collect::<Vec<_>>()
                .windows(2)
                .any(|two| two[0] == table && two[1].trim_end_matches([',', ')']) == name)
    };
    // In the order of an index or of the numbers, up to a limit: the steps tell whether it stops there.
    PAST.iter().any(|table| is_past(table)) && !sql.contains("LIMIT")
}
