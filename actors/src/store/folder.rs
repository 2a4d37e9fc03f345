//! Which articles are in a folder: the one condition for it, on both engines.

/// Returns the condition that `folder`, a column, is the folder `given`, a parameter, or below it; true if that is
/// empty. Folders are sorted by their bytes, and `0` follows `/`, so an index on the column is used.
pub fn within(folder: &str, given: &str) -> String {
    format!("({given} = '' OR {folder} = {given} OR ({folder} >= {given} || '/' AND {folder} < {given} || '0'))")
}
