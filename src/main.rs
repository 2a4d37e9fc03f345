//! The binary: see [`afterword::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    keep_files_private();
    afterword::cli::run()
}

/// Makes new files private: articles, backups, exports, settings and models are for their owner.
#[cfg(unix)]
fn keep_files_private() {
    use rustix::{fs::Mode, process::umask};
    // What the caller has forbidden stays forbidden.
    umask(umask(Mode::empty()) | Mode::RWXG | Mode::RWXO);
}

#[cfg(not(unix))]
fn keep_files_private() {}
