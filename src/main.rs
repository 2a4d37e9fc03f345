//! The binary: see [`afterword::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    keep_files_private();
    afterword::cli::run()
}

/// What this program writes is for its owner: articles, backups, exports, settings, models.
#[cfg(unix)]
fn keep_files_private() {
    use rustix::{fs::Mode, process::umask};
    // What the caller has forbidden stays so.
    umask(umask(Mode::empty()) | Mode::RWXG | Mode::RWXO);
}

#[cfg(not(unix))]
fn keep_files_private() {}
