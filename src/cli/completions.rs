//! What a shell offers while a command is typed: commands, options, the values of lists, and slugs of articles.

use anyhow::Context;
use clap_complete::{CompleteEnv, Shell, env::Shells};

use super::{arguments, output};

/// The variable by which the shell's script asks this program.
const ASKED_BY: &str = "COMPLETE";

/// Answers the shell's script, if that is what asks; the process then ends.
pub(super) fn answer() {
    CompleteEnv::with_factory(arguments::command).var(ASKED_BY).complete();
}

/// Prints the script for a shell. It asks this program for what may be typed next.
pub(super) fn script(shell: Shell) -> anyhow::Result<()> {
    let (name, mut script) = (shell.to_string(), Vec::new());
    let shells = Shells::builtins();
    let completer = shells.completer(&name).with_context(|| format!("the shell {name} is not known"))?;
    completer.write_registration(ASKED_BY, "afterword", "afterword", "afterword", &mut script)?;
    output::print(&String::from_utf8(script)?)
}
