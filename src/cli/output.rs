//! Where answers go, and in what form.

use std::{
    io::{IsTerminal, Write},
    process,
};

use serde::Serialize;

use crate::printable;

/// The program was asked wrongly: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Usage(pub(super) String);

/// Tables for people, or JSON for programs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether programs read the answer.
    pub(super) fn is_json(self) -> bool {
        self.json
    }

    /// Whether somebody watches: then progress is shown.
    pub(super) fn is_watched(self) -> bool {
        !self.json && std::io::stderr().is_terminal()
    }

    /// Answers: as JSON, or as `text` writes it.
    pub(super) fn answer(self, value: &impl Serialize, text: impl FnOnce() -> String) -> anyhow::Result<()> {
        let answer = if self.json { serde_json::to_string_pretty(value)? } else { text() };
        print_line(&answer);
        Ok(())
    }

    /// Says something to people, beside the answer.
    pub(super) fn note(self, text: &str) {
        if !self.json {
            let _ = writeln!(std::io::stderr().lock(), "{}", printable::for_terminal(text));
        }
    }

    /// Says why the program failed.
    pub(super) fn error(self, error: &anyhow::Error) {
        let message = chain(error);
        let text =
            if self.json { serde_json::json!({ "error": message }).to_string() } else { format!("error: {message}") };
        let _ = writeln!(std::io::stderr().lock(), "{}", printable::for_terminal(&text));
    }
}

/// Prints to standard output. A reader that has gone (`| head`) is no error, and nobody is left to answer.
pub(super) fn print_line(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let text = if stdout.is_terminal() { printable::for_terminal(text) } else { text.into() };
    if writeln!(stdout, "{text}").and_then(|()| stdout.flush()).is_err() {
        process::exit(0);
    }
}

/// The error with its causes, without repeating what a cause has said already.
fn chain(error: &anyhow::Error) -> String {
    let mut message = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !message.contains(&cause) {
            message = format!("{message}: {cause}");
        }
    }
    message
}
