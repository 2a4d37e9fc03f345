//! Foreign programs that check our files.

use std::process::{Command, Output};

/// A program of a Python package, at the root of this repository; it is installed if it is not there yet.
pub(crate) fn tool(package: &str, program: &str) -> Command {
    let mut command = Command::new(root("scripts/tool"));
    command.current_dir(root("")).args([package, program]);
    command
}

/// A path within this repository.
pub(crate) fn root(path: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Runs a command that must find nothing wrong; returns its output.
#[track_caller]
pub(crate) fn approved(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    let said = told(&output);
    assert!(output.status.success(), "{command:?} ended with {}:\n{said}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Everything a program printed.
pub(crate) fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
