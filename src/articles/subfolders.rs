//! The folders directly below one, found by jumping from one to the next in an index: their articles are not read.

use std::collections::BTreeSet;

use afterword_actors::store::{StoreError, sql::Sql};

use super::folder::Folder;

/// Folders are sorted by their bytes, and this follows `/`.
const BEHIND_ALL_BELOW: char = '0';
/// No part of a folder contains a character before this one.
const FIRST_OF_ALL: char = ' ';
/// Sorts after every folder.
const AFTER_ALL_FOLDERS: &str = "\u{10ffff}";

pub(super) async fn of(connection: &impl Sql, folder: &Folder, limit: usize) -> Result<Vec<Folder>, StoreError> {
    let above = folder.as_ref();
    let start = if above.is_empty() { String::new() } else { format!("{above}/") };
    let end = if above.is_empty() { AFTER_ALL_FOLDERS.to_owned() } else { format!("{above}{BEHIND_ALL_BELOW}") };
    let mut found = BTreeSet::new();
    let mut from = format!("{start}{FIRST_OF_ALL}");
    while found.len() < limit
        && let Some(next) = first(connection, &from, &end).await?
    {
        let name = next[start.len()..].split('/').next().unwrap_or_default();
        let child = format!("{start}{name}");
        let behind = if next == child { FIRST_OF_ALL } else { BEHIND_ALL_BELOW };
        from = format!("{child}{behind}");
        found.insert(child);
    }
    Ok(found.into_iter().filter_map(|path| Folder::parse(&path).ok()).collect())
}

/// Returns the first folder from `from` on and before `end` that contains an article.
async fn first(connection: &impl Sql, from: &str, end: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT folder FROM articles WHERE folder >= $1 AND folder < $2 ORDER BY folder LIMIT 1";
    connection.row(sql, [from.into(), end.into()]).await
}
