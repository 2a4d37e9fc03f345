//! Where answers go, and in what form.

use std::{
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use anstream::AutoStream;
use anyhow::Context;
use clap::ColorChoice;
use serde::Serialize;

use super::{
    failure::{self, Failure},
    text_style::{BAD, TextStyle, has_colours},
};
use crate::{api::CountedRows, printable, secrets};

/// Tables for people, or JSON for programs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    json: bool,
    look: TextStyle,
    /// Whether notes and the log have colours.
    notes_have_colours: bool,
}

impl Output {
    pub(super) fn new(json: bool, colours: ColorChoice) -> Self {
        Self { json, look: TextStyle::of_stdout(colours), notes_have_colours: has_colours(colours, &io::stderr()) }
    }

    /// The form of answers for people.
    pub(super) fn look(self) -> TextStyle {
        self.look
    }

    /// Whether the log and notes have colours.
    pub(super) fn notes_have_colours(self) -> bool {
        self.notes_have_colours
    }

    /// Whether programs read the answer.
    pub(super) fn is_json(self) -> bool {
        self.json
    }

    /// Whether a person watches: then progress is shown.
    pub(super) fn is_watched(self) -> bool {
        !self.json && io::stderr().is_terminal()
    }

    /// Writes an answer: as JSON, or as `text` formats it.
    pub(super) fn answer(self, value: &impl Serialize, text: impl FnOnce(TextStyle) -> String) -> anyhow::Result<()> {
        let answer = if self.json { serde_json::to_string_pretty(value)? } else { text(self.look) };
        print_line(&answer)
    }

    /// Writes a whole list: as JSON under its name, with its length; or as `text` formats it.
    pub(super) fn list(
        self,
        name: &str,
        items: &[impl Serialize],
        text: impl FnOnce(TextStyle) -> String,
    ) -> anyhow::Result<()> {
        self.answer(&serde_json::json!({ name: items, "total": items.len() }), text)
    }

    /// Writes the first rows of a list: as JSON under its name, with the total; or as `text` writes them, with a note if there
    /// are more.
    pub(super) fn first_of(
        self,
        name: &str,
        found: &CountedRows<impl Serialize>,
        text: impl FnOnce(TextStyle) -> String,
    ) -> anyhow::Result<()> {
        self.answer(&serde_json::json!({ name: found.rows, "total": found.total }), text)?;
        let shown = i64::try_from(found.len()).unwrap_or(i64::MAX);
        match found.total {
            Some(total) if total > shown => self.note(&format!("{shown} of {total} are shown")),
            Some(_) => {}
            None => self.note(&format!("{shown} are shown, and there are many more")),
        }
        Ok(())
    }

    /// Writes a note for people to standard error.
    pub(super) fn note(self, text: &str) {
        if !self.json {
            say(&printable::for_terminal(&secrets::strike(text)));
        }
    }

    /// Reports why the program failed; returns the exit code.
    pub(super) fn error(self, error: &anyhow::Error) -> u8 {
        let Failure { code, exit } = Failure::of(error);
        match failure::losses(error).filter(|_| self.json) {
            Some(files) => {
                let told = serde_json::json!({ "error": secrets::strike(&chain(error)), "code": code, "files": files });
                say(&printable::for_terminal(&told.to_string()));
            }
            None => {
                let remedy = failure::remedy(error).map(|remedy| format!("; {remedy}")).unwrap_or_default();
                self.failure(&(chain(error) + &remedy), code);
            }
        }
        exit
    }

    /// Reports why the program failed, under a stable name.
    pub(super) fn failure(self, message: &str, code: &str) {
        let message = secrets::strike(message);
        let text = if self.json {
            serde_json::json!({ "error": message, "code": code }).to_string()
        } else {
            let style = BAD.bold();
            let head = if self.notes_have_colours { format!("{style}error:{style:#}") } else { "error:".to_owned() };
            format!("{head} {message}")
        };
        say(&printable::for_terminal(&text));
    }
}

/// Writes a line to standard error; an error of that cannot be reported anywhere.
fn say(line: &str) {
    let _ = writeln!(AutoStream::always(io::stderr().lock()), "{line}");
}

/// Whether nobody reads standard output any more.
static READER_LEFT: AtomicBool = AtomicBool::new(false);

/// Whether a command that goes on until it is interrupted has lost its reader (`| head`), and so has nothing left to do.
pub(super) fn reader_has_left() -> bool {
    READER_LEFT.load(Ordering::Relaxed)
}

/// Prints to standard output. A closed reader (`| head`) is not an error.
pub(super) fn print_line(text: &str) -> anyhow::Result<()> {
    print(&format!("{text}\n"))
}

/// As [`print_line`], without ending the line.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let stdout = io::stdout().lock();
    let text = if stdout.is_terminal() { printable::for_terminal(text) } else { text.into() };
    let mut stdout = AutoStream::always(stdout);
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // The command goes on: it may fail yet, and its exit code says so.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            READER_LEFT.store(true, Ordering::Relaxed);
            Ok(())
        }
        written => written.context("the answer cannot be written to standard output"),
    }
}

/// Formats the error with its causes, without what a cause repeats.
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
