//! The binary: see [`afterword::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    afterword::cli::run()
}
