//! Numbers with their noun, in correct English.

use std::fmt::Display;

/// `1 task`, `2 tasks`, `3 searches`.
pub(crate) fn count<N: Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    if number == N::from(1) {
        return format!("{number} {noun}");
    }
    let ending = if noun.ends_with(['s', 'x', 'h']) { "es" } else { "s" };
    format!("{number} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn one_is_not_many() {
        assert_eq!(count(1_i64, "task"), "1 task");
        assert_eq!(count(0_i64, "task"), "0 tasks");
        assert_eq!(count(3_usize, "search"), "3 searches");
    }
}
