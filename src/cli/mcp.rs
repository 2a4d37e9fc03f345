//! `mcp`: MCP over standard input and output, with a runtime that embeds in this process.

use std::io::IsTerminal;

use super::session::Session;
use crate::{
    host::Host,
    mcp,
    signals::{self, Signals},
};

pub(super) async fn run(session: &Session) -> anyhow::Result<()> {
    if std::io::stdin().is_terminal() {
        session.output.note(
            "this is an MCP server that speaks JSON over standard input and output, for a program that starts it. To \
             connect Claude Code: claude mcp add afterword -- afterword mcp (the README has other clients). Ctrl-D ends it",
        );
    }
    let stop = signals::told_to_stop(Signals::install()?);
    let host = tokio::select! {
        host = Host::open_patiently(&session.loaded.settings) => host?,
        // Nothing was begun that would have to be ended.
        () = stop.cancelled() => return Ok(()),
    };
    let worker = host.join().await?;
    // The client gets its first answer before a model is read.
    let preparation = worker.host.backends.preparation().cloned();
    let loading = tokio::spawn(async move {
        if let Some(preparation) = preparation {
            preparation.run_until_ready().await;
        }
    });
    let served = mcp::stdio(worker.host.clone(), stop).await;
    loading.abort();
    worker.stop().await;
    Ok(served?)
}
