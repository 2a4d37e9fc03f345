//! Settings that name files: `~` is the user's home, and a relative path in a settings file begins at that file, so that
//! the same settings never mean another file in another working directory.

use std::path::{Path, PathBuf};

use figment::value::Value;

use super::entry::{Entry, Origin};
use crate::user_folders;

const SQLITE: &str = "sqlite://";

/// Replaces `entry`'s value if it names a file.
pub(super) fn make_absolute(entry: &mut Entry) {
    let base = match &entry.origin {
        Origin::File(file) => file.parent(),
        Origin::Default | Origin::Variable(_) | Origin::Flag => None,
    };
    if let ("sync", Value::Array(_, folders)) = (entry.key.as_str(), &mut entry.value) {
        return folders.iter_mut().for_each(|folder| anchor_path(folder, base));
    }
    let Value::String(_, text) = &entry.value else { return };
    let text = match entry.key.as_str() {
        "embedding.model_dir" if !text.is_empty() => anchored(text, base),
        "database.url" => match text.strip_prefix(SQLITE) {
            Some("" | ":memory:") | None => return,
            Some(path) => format!("{SQLITE}{}", anchored(path, base)),
        },
        _ => return,
    };
    entry.value = Value::from(text);
}

/// The `path` of a table.
fn anchor_path(table: &mut Value, base: Option<&Path>) {
    if let Value::Dict(_, values) = table
        && let Some(Value::String(_, path)) = values.get_mut("path")
    {
        *path = anchored(path, base);
    }
}

fn anchored(path: &str, base: Option<&Path>) -> String {
    let from_home = path.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let anchored = match (from_home, base) {
        (Some(rest), _) => user_folders::home().map(|home| home.join(rest.trim_start_matches('/'))),
        (None, Some(base)) => Some(base.join(path)),
        (None, None) => None,
    };
    anchored.and_then(|path: PathBuf| path.into_os_string().into_string().ok()).unwrap_or_else(|| path.to_owned())
}
