//! The log of a run: on standard error only, and without secrets.

use std::io::{self, Write};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt};

use super::{failure::Usage, output::Output};
use crate::{
    config::{Log, LogFormat},
    secrets,
    telemetry::log as lines,
};

/// Starts it. `verbose` counts how often more was asked for, which overrides `level`.
pub(super) fn start(log: &Log, verbose: u8, level: String, output: Output) -> anyhow::Result<()> {
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
            let layer = layer.with_writer(WithoutSecrets).fmt_fields(lines::fields()).with_target(false);
            registry.with(layer).try_init()
        }
        LogFormat::Json => registry.with(layer.with_writer(lines::Objects).json()).try_init(),
    };
    Ok(())
}

/// Standard error. An event comes in one piece, so no secret is cut in two.
struct WithoutSecrets;

impl Write for WithoutSecrets {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        io::stderr().lock().write_all(secrets::strike(&text).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl MakeWriter<'_> for WithoutSecrets {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}
