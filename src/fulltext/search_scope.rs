//! What a search is limited to.

use afterword_actors::store::sql::Value;

/// A condition on the articles that may be found; every article if it is empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct SearchScope {
    /// On `articles a`; its values are named `$?1`, `$?2`, ….
    condition: String,
    /// What stands for `$?1` and so on.
    pub(crate) values: Vec<Value>,
}

impl SearchScope {
    /// Adds `condition` on the articles `a`. It names its values `$?1`, `$?2`, … in the order of `values`.
    pub(crate) fn and(mut self, condition: &str, values: impl IntoIterator<Item = Value>) -> Self {
        let condition = numbered(condition, "$?", self.values.len());
        if !self.condition.is_empty() {
            self.condition.push_str(" AND ");
        }
        self.condition.push_str(&condition);
        self.values.extend(values);
        self
    }

    /// Whether every article may be found.
    pub(crate) fn is_everything(&self) -> bool {
        self.condition.is_empty()
    }

    /// The condition on `articles a`, with its values from `$first` on; `None` if every article may be found.
    pub(crate) fn condition(&self, first: usize) -> Option<String> {
        (!self.is_everything()).then(|| numbered(&self.condition, "$", first - 1))
    }

    /// `AND column IN (…)`, with values from `$first` on; nothing if every article may be found.
    pub(crate) fn restricting(&self, column: &str, first: usize) -> String {
        self.condition(first).map_or_else(String::new, |condition| {
            format!("AND {column} IN (SELECT a.id FROM articles a WHERE {condition})")
        })
    }
}

/// `condition` with `$?n` written as `mark` and n + `shift`.
fn numbered(condition: &str, mark: &str, shift: usize) -> String {
    let mut parts = condition.split("$?");
    let mut written = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let number = part[..digits].parse::<usize>().unwrap_or(1);
        written.push_str(&format!("{mark}{}", number + shift));
        written.push_str(&part[digits..]);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_keep_their_values_apart() {
        let among = SearchScope::default()
            .and("a.folder = $?1", ["x".into()])
            .and("a.id > $?1 AND a.id < $?2", [1.into(), 2.into()]);
        assert_eq!(among.condition(3).as_deref(), Some("a.folder = $3 AND a.id > $4 AND a.id < $5"));
        assert_eq!(among.values.len(), 3);
        assert!(SearchScope::default().is_everything() && SearchScope::default().restricting("id", 1).is_empty());
    }
}
