//! Statements whose answer is not needed: they go together with the next one.
//!
//! SQLite works on a thread of its own. The journey there and back takes longer than most statements of a save do, and
//! all other saves wait meanwhile.

use sea_orm::Value as DriverValue;

use crate::store::StoreError;

/// What waits for the next journey, in its order.
#[derive(Debug, Default)]
pub(super) struct DeferredStatements {
    sql: String,
    values: Vec<DriverValue>,
    /// Whether any of it is more than a savepoint's beginning or end.
    writes: bool,
    /// How often something was sent.
    journeys: u64,
    /// Why something that waited may not have been written: nothing of its transaction can be kept then.
    failed: Option<StoreError>,
}

impl DeferredStatements {
    pub(super) fn add(&mut self, sql: &str, values: Vec<DriverValue>) {
        debug_assert!(!sql.contains("RETURNING"), "its rows would be taken for those of what it goes with");
        debug_assert!(!sql.contains("--"), "a comment would hide what comes behind it");
        self.append(sql, values);
        self.writes = true;
    }

    /// Adds the beginning or the end of a savepoint.
    pub(super) fn add_control(&mut self, sql: &str) {
        self.append(sql, Vec::new());
    }

    /// Puts what waits in front of a statement that is sent now; returns whether anything did.
    pub(super) fn join(&mut self, sql: &mut String, values: &mut Vec<DriverValue>) -> bool {
        if self.sql.is_empty() {
            self.journeys += 1;
            return false;
        }
        self.append(sql, std::mem::take(values));
        let all = self.take();
        (*sql, *values) = all.unwrap_or_default();
        true
    }

    /// Takes what waits.
    pub(super) fn take(&mut self) -> Option<(String, Vec<DriverValue>)> {
        if self.sql.is_empty() {
            return None;
        }
        self.journeys += 1;
        self.writes = false;
        Some((std::mem::take(&mut self.sql), std::mem::take(&mut self.values)))
    }

    /// Forgets what waits, and what failed: the writes it belongs to are undone.
    pub(super) fn forget(&mut self) {
        *self = Self { journeys: self.journeys, ..Self::default() };
    }

    /// Notes that what waited is on its way; returns what had failed before. As long as there is no answer, it may be
    /// lost.
    pub(super) fn depart(&mut self) -> Option<StoreError> {
        self.failed.replace(StoreError::Failed("a statement was given up before its answer".to_owned()))
    }

    /// Notes the answer.
    pub(super) fn arrive(&mut self, before: Option<StoreError>, error: Option<&StoreError>) {
        self.failed = before.or_else(|| error.cloned());
    }

    pub(super) fn failed(&self) -> Result<(), StoreError> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    pub(super) fn writes(&self) -> bool {
        self.writes
    }

    pub(super) fn journeys(&self) -> u64 {
        self.journeys
    }

    fn append(&mut self, sql: &str, values: Vec<DriverValue>) {
        if !self.sql.is_empty() {
            self.sql.push_str("; ");
        }
        renumber(&mut self.sql, sql, self.values.len());
        self.values.extend(values);
    }
}

/// Writes `sql` with the numbers of its parameters raised by `by`.
fn renumber(to: &mut String, sql: &str, by: usize) {
    let mut is_text = false;
    let mut rest = sql;
    while let Some(at) = rest.find(['$', '\'']) {
        let (before, found) = rest.split_at(at);
        to.push_str(before);
        let behind = &found[1..];
        if found.starts_with('\'') {
            is_text = !is_text;
            to.push('\'');
            rest = behind;
            continue;
        }
        to.push('$');
        let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
        match behind[..digits].parse::<usize>() {
            Ok(number) if !is_text => to.push_str(&(number + by).to_string()),
            Ok(_) | Err(_) => to.push_str(&behind[..digits]),
        }
        rest = &behind[digits..];
    }
    to.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_statement_finds_its_own_values() {
        let mut later = DeferredStatements::default();
        later.add("INSERT INTO t VALUES ($1, $2, '$1', 'it''s $2')", vec![1.into(), 2.into()]);
        later.add_control("SAVEPOINT a");
        let (mut sql, mut values) = ("SELECT $2 || $1 || json_extract(x, '$[0]')".to_owned(), vec![3.into(), 4.into()]);
        assert!(later.join(&mut sql, &mut values));
        let expected =
            "INSERT INTO t VALUES ($1, $2, '$1', 'it''s $2'); SAVEPOINT a; SELECT $4 || $3 || json_extract(x, '$[0]')";
        assert_eq!(sql, expected);
        assert_eq!(values, vec![1.into(), 2.into(), 3.into(), 4.into()]);
        assert!(!later.join(&mut sql, &mut values));
        assert_eq!(later.take(), None);
    }
}
