//! The log of a run: on standard error only, and without secrets.

use std::io;

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{EnvFilter, fmt::writer::BoxMakeWriter, layer::SubscriberExt, util::SubscriberInitExt};

use super::{failure::Usage, output::Output};
use crate::{
    config::{Log, LogFormat},
    telemetry::log as lines,
};

/// Lines that may wait to be written to standard error. Later ones are dropped: a reader that never reads blocks no
/// request. [`lines`] bounds each line, so this bounds the memory, too.
const WAITING_LINES: usize = 4096;

/// Writes the waiting lines when it is dropped, unless standard error is not read.
pub(super) struct FlushGuard {
    _waiting: WorkerGuard,
}

/// Starts the log of a command, which waits for each line. `verbose` counts how often more was asked for, which
/// overrides `level`.
pub(super) fn start(log: &Log, verbose: u8, level: String, output: Output) -> anyhow::Result<()> {
    start_on(BoxMakeWriter::new(io::stderr), log, verbose, level, output)
}

/// Starts the log of a server, which never waits for a reader.
pub(super) fn start_aside(log: &Log, verbose: u8, level: String, output: Output) -> anyhow::Result<FlushGuard> {
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(WAITING_LINES).thread_name("log");
    let (writer, waiting) = builder.finish(io::stderr());
    start_on(BoxMakeWriter::new(writer), log, verbose, level, output)?;
    Ok(FlushGuard { _waiting: waiting })
}

fn start_on(to: BoxMakeWriter, log: &Log, verbose: u8, level: String, output: Output) -> anyhow::Result<()> {
    let directives = match verbose {
        0 => level,
        1 => "warn,afterword=info,afterword_actors=info".to_owned(),
        2.. => "info,afterword=debug,afterword_actors=debug".to_owned(),
    };
    let filter = EnvFilter::try_new(&directives)
        .map_err(|error| Usage(format!("log.level \"{directives}\" is not understood: {error}")))?;
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_ansi(output.notes_have_colours());
    // A second start in one process, as in tests, keeps the first log.
    let _ = match log.format {
        LogFormat::Pretty => {
            let layer = layer.with_writer(lines::for_people(to)).fmt_fields(lines::fields()).with_target(false);
            registry.with(layer).try_init()
        }
        LogFormat::Json => registry.with(layer.with_writer(lines::objects(to)).json()).try_init(),
    };
    Ok(())
}
