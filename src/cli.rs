//! The command line: one of three thin doors to the same calls.
//!
//! It reads arguments, calls the services, and shows what they answer: tables for people, `--json` for programs.
//! Results go to standard output, everything else (progress, hints, logs) to standard error.

mod arguments;
mod article;
mod bulk;
mod config;
mod db;
mod demo;
mod doctor;
mod eval;
mod export;
mod failure;
mod import;
mod index;
mod log;
mod manual;
mod mcp;
mod model;
mod output;
mod plural;
mod progress;
mod queue;
mod search;
mod serve;
mod session;
mod status;
mod table;
mod token;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use output::Output;
use session::Session;

/// Runs the program with the arguments of this process.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return ExitCode::from(not_understood(&error)),
    };
    let output = Output::new(arguments.json);
    match dispatch(arguments, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(output.error(&error)),
    }
}

/// Help and version are answers; everything else is wrong usage. Answers the exit code.
fn not_understood(error: &clap::Error) -> u8 {
    const WRONG_USAGE: u8 = 2;
    let asked_for_json = std::env::args_os().skip(1).take_while(|word| word != "--").any(|word| word == "--json");
    if !error.use_stderr() {
        return match output::print(&error.render().ansi().to_string()) {
            Ok(()) => 0,
            Err(error) => Output::new(asked_for_json).error(&error),
        };
    }
    if asked_for_json {
        let text = error.to_string();
        let message = text.split("\n\nUsage:").next().unwrap_or(&text).trim_start_matches("error: ");
        Output::new(true).failure(message.trim(), "usage");
    } else {
        let _ = error.print();
    }
    WRONG_USAGE
}

fn dispatch(arguments: Arguments, output: &Output) -> anyhow::Result<()> {
    let Arguments { global, command, .. } = arguments;
    // What needs neither settings nor a database.
    let command = match command {
        Command::Completions { shell } => return manual::completions(shell),
        Command::Man { directory } => return manual::man(directory.as_deref()),
        other => other,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(with_settings(&global, command, output));
    // A blocking computation that is still running must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    result
}

async fn with_settings(global: &arguments::Global, command: Command, output: &Output) -> anyhow::Result<()> {
    // What needs no database, and what is not a command that ends by itself.
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
    match command {
        Command::Demo { directory, keep } => demo::run(&session, directory.as_deref(), keep).await,
        Command::Import(arguments) => import::run(&session, arguments).await,
        Command::Export(arguments) => export::run(&session, arguments).await,
        Command::Article { command } => article::run(&session, command).await,
        Command::Search(arguments) => search::run(&session, arguments).await,
        Command::Related(arguments) => search::related(&session, arguments).await,
        Command::Bulk { command } => bulk::run(&session, command).await,
        Command::Queue { command } => queue::run(&session, command).await,
        Command::Status => status::run(&session).await,
        Command::Db { command } => db::run(&session, command).await,
        Command::Token { command } => token::run(&session, command).await,
        Command::Index { command } => index::run(&session, command).await,
        Command::Model { command } => model::run(&session, command).await,
        Command::Doctor => {
            session.mention_passed_over(global);
            doctor::run(&session).await
        }
        Command::Eval { directory } => eval::run(&session, &directory).await,
        Command::Serve { .. }
        | Command::Mcp
        | Command::Config { .. }
        | Command::Completions { .. }
        | Command::Man { .. } => anyhow::bail!("this command needs no database, and was answered before"),
    }
}
