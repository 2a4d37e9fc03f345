//! The command line: one of the thin doors to the same services.
//!
//! It reads arguments, calls the services, and shows their answers: tables for people, `--json` for programs. Results
//! go to standard output, everything else (progress, hints, logs) to standard error.

mod arguments;
mod article;
mod bulk;
mod completions;
mod config;
mod db;
mod demo;
mod doctor;
mod eval;
mod export;
mod failure;
mod import;
mod index;
mod links;
mod log;
mod manual;
mod mcp;
mod model;
mod offers;
mod output;
mod planned;
mod progress;
mod properties;
mod queue;
mod search;
mod serve;
mod session;
#[cfg(test)]
mod snapshots;
mod status;
mod sync;
mod table;
mod text_style;
mod token;

use std::process::ExitCode;

use afterword_actors::store::acting_as;
use clap::{ColorChoice, FromArgMatches, ValueEnum};

use arguments::{Arguments, Command};
use output::Output;
use session::Session;

/// Who acts, for the audit trail.
const NAME: &str = "the command line";

/// Runs the program with the arguments of this process.
pub fn run() -> ExitCode {
    completions::answer();
    let colours = colours_asked_for();
    let parsed = (arguments::command().color(colours).try_get_matches())
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(error) => return ExitCode::from(not_understood(&error, colours)),
    };
    let output = Output::new(arguments.json, colours);
    match dispatch(arguments, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(output.error(&error)),
    }
}

/// The value of `--color`, read before the rest, so that usage errors have the right colours too.
fn colours_asked_for() -> ColorChoice {
    // A word that is no Unicode is no colour; clap says what is wrong with it.
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let words: Vec<_> = words.take_while(|word| word != "--").collect();
    let choice = words.iter().enumerate().find_map(|(at, word)| match word.strip_prefix("--color=") {
        Some(choice) => Some(choice),
        None if word == "--color" => words.get(at + 1).map(String::as_str),
        None => None,
    });
    choice.and_then(|choice| ColorChoice::from_str(choice, true).ok()).unwrap_or_default()
}

/// Prints help and version as answers, and everything else as a usage error. Returns the exit code.
fn not_understood(error: &clap::Error, colours: ColorChoice) -> u8 {
    const WRONG_USAGE: u8 = 2;
    let asked_for_json = std::env::args_os().skip(1).take_while(|word| word != "--").any(|word| word == "--json");
    let output = Output::new(asked_for_json, colours);
    if !error.use_stderr() {
        let text = error.render();
        let text = if output.look().has_colours() { text.ansi().to_string() } else { text.to_string() };
        return match output::print(&text) {
            Ok(()) => 0,
            Err(error) => output.error(&error),
        };
    }
    if asked_for_json {
        let text = error.to_string();
        let message = text.split("\n\nUsage:").next().unwrap_or(&text).trim_start_matches("error: ");
        output.failure(message.trim(), "usage");
    } else {
        let _ = error.print();
    }
    WRONG_USAGE
}

fn dispatch(arguments: Arguments, output: &Output) -> anyhow::Result<()> {
    let Arguments { global, command, .. } = arguments;
    // Commands that need neither settings nor a database.
    let command = match command {
        Command::Completions { shell } => return completions::script(shell),
        Command::Man { directory } => return manual::man(directory.as_deref()),
        other => other,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(with_settings(&global, command, output));
    // A blocking computation that is still running must not keep the process alive.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    result
}

async fn with_settings(global: &arguments::Global, command: Command, output: &Output) -> anyhow::Result<()> {
    // Commands that need no database, or do not end by themselves.
    let command = match command {
        Command::Config { command } => return config::run(global, command, output),
        Command::Serve { bind } => {
            let session = Session::of_server(&global.listening_on(bind), output)?;
            session.mention_passed_over(global);
            return serve::run(&session).await;
        }
        Command::Mcp => return mcp::run(&Session::of_server(global, output)?).await,
        other => other,
    };
    let session = Session::of_command(global, output)?;
    let result = acting_as(NAME.to_owned(), carry_out(&session, global, command)).await;
    session.close().await;
    result
}

async fn carry_out(session: &Session, global: &arguments::Global, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Demo { directory, keep } => demo::run(session, directory.as_deref(), keep).await,
        Command::Import(arguments) => import::run(session, arguments).await,
        Command::Export(arguments) => export::run(session, arguments).await,
        Command::Sync(arguments) => sync::run(session, arguments).await,
        Command::Article { command } => article::run(session, command).await,
        Command::Search(arguments) => search::run(session, arguments).await,
        Command::Related(arguments) => search::related(session, arguments).await,
        Command::Tags(arguments) => properties::tags(session, arguments).await,
        Command::Properties(arguments) => properties::properties(session, arguments).await,
        Command::Links(arguments) => links::run(session, arguments).await,
        Command::Bulk { command } => bulk::run(session, command).await,
        Command::Queue { command } => queue::run(session, command).await,
        Command::Status => status::run(session).await,
        Command::Db { command } => db::run(session, command).await,
        Command::Token { command } => token::run(session, command).await,
        Command::Index { command } => index::run(session, command).await,
        Command::Model { command } => model::run(session, command).await,
        Command::Doctor => {
            session.mention_passed_over(global);
            doctor::run(session).await
        }
        Command::Eval { directory } => eval::run(session, &directory).await,
        Command::Serve { .. }
        | Command::Mcp
        | Command::Config { .. }
        | Command::Completions { .. }
        | Command::Man { .. } => anyhow::bail!("this command needs no database, and was answered before"),
    }
}
