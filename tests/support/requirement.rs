//! What a test needs of the machine. Where that is missing the test is skipped, and says so where the runner of tests
//! hides nothing.

use std::{
    io::{self, Write},
    process::Command,
    thread,
};

/// Whether `is_met`; if not, says that the calling test is skipped because of what is `missing`.
pub(crate) fn meets(is_met: bool, missing: &str) -> bool {
    if !is_met {
        let test = thread::current().name().unwrap_or("a test").to_owned();
        // Not by `eprintln!`, which is shown of tests that fail alone.
        let _ = io::stderr().write_all(format!("SKIPPED {test}: {missing}\n").as_bytes());
    }
    is_met
}

/// Whether every user may mount here; if not, the calling test says that it is skipped.
pub(crate) fn may_mount() -> bool {
    let may = Command::new("unshare").args(["-rm", "true"]).status().is_ok_and(|status| status.success());
    meets(may, "this machine lets no user mount (`unshare -rm true` fails)")
}
