//! Which task has killed a host: found out by processing ever fewer of the suspects together.
//!
//! A death costs a task nothing while others may have been to blame. It is counted with the task, and from then on few
//! others are processed together with it, in the end none. Only then does a death of its host count as an attempt.
//!
//! `docs/decisions/0213-suspects.md`

/// Deaths that cost a task nothing.
pub const FREE_DEATHS: u32 = 2;
/// Most tasks that a host processes together if one of them was being processed at one death.
pub const MAX_WITH_SUSPECT: u32 = 8;
/// No limit in practice. *Units:* tasks.
const UNLIMITED: u32 = 1_000_000;

/// Returns how many tasks a host processes together at most, if one of them was being processed at `crashes` deaths.
pub const fn together(crashes: u32) -> u32 {
    match crashes {
        0 => UNLIMITED,
        1 => MAX_WITH_SUSPECT,
        _ => 1,
    }
}

/// [`together`] for a task's row, in SQL.
macro_rules! together_of_row {
    () => {
        "CASE crashes WHEN 0 THEN 1000000 WHEN 1 THEN 8 ELSE 1 END"
    };
}
pub(super) use together_of_row;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_statements_say_is_what_the_program_says() {
        let said = format!(
            "CASE crashes WHEN 0 THEN {UNLIMITED} WHEN 1 THEN {MAX_WITH_SUSPECT} ELSE {} END",
            together(FREE_DEATHS)
        );
        assert_eq!(together_of_row!(), said);
        assert_eq!((0..4).map(together).collect::<Vec<_>>(), [UNLIMITED, MAX_WITH_SUSPECT, 1, 1]);
        assert!(
            together(FREE_DEATHS) == 1 && together(FREE_DEATHS - 1) > 1,
            "a death counts when no other task was processed"
        );
    }
}
