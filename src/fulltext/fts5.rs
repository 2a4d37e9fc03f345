//! Where FTS5 notes what its index is made of. *Source:* SQLite, `fts5_index.c`, "CONTENTS OF THE %_data TABLE".

/// The number of the record of averages.
pub(super) const AVERAGES: i64 = 1;
/// The number of the structure record.
pub(super) const STRUCTURE: i64 = 10;

/// Both records, as columns of another statement.
pub(super) fn notes() -> String {
    let record = |number: i64| format!("(SELECT block FROM article_terms_data WHERE id = {number})");
    format!("{} AS averages, {} AS structure", record(AVERAGES), record(STRUCTURE))
}
