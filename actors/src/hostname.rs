//! The name of this machine.

/// Returns the name of this machine, as its operating system has it; empty if it has none.
pub fn hostname() -> String {
    gethostname::gethostname().to_string_lossy().trim().to_owned()
}
