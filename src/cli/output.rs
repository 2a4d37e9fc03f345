//! Where answers go, and in what form.

use std::{
    io::{self, IsTerminal, Write},
    process,
};

use anyhow::Context;
use serde::Serialize;

use super::failure::Failure;
use crate::{printable, secrets};

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
        print_line(&answer)
    }

    /// Says something to people, beside the answer.
    pub(super) fn note(self, text: &str) {
        if !self.json {
            let _ = writeln!(std::io::stderr().lock(), "{}", printable::for_terminal(&secrets::strike(text)));
        }
    }

    /// Says why the program failed; answers the exit code.
    pub(super) fn error(self, error: &anyhow::Error) -> u8 {
        let Failure { code, exit } = Failure::of(error);
        self.failure(&chain(error), code);
        exit
    }

    /// Says why the program failed, under a name that stays.
    pub(super) fn failure(self, message: &str, code: &str) {
        let message = secrets::strike(message);
        let text = if self.json {
            serde_json::json!({ "error": message, "code": code }).to_string()
        } else {
            format!("error: {message}")
        };
        let _ = writeln!(std::io::stderr().lock(), "{}", printable::for_terminal(&text));
    }
}

/// Prints to standard output. A reader that has gone (`| head`) is no error, and nobody is left to answer.
pub(super) fn print_line(text: &str) -> anyhow::Result<()> {
    print(&format!("{text}\n"))
}

/// As [`print_line`], without ending the line.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    let text = if stdout.is_terminal() { printable::for_terminal(text) } else { text.into() };
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => process::exit(0),
        written => written.context("the answer cannot be written to standard output"),
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
