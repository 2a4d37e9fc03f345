//! `serve`

use super::session::Session;
use crate::{config::LogFormat, server};

pub(super) async fn run(session: &Session) -> anyhow::Result<()> {
    let settings = &session.loaded.settings;
    server::serve(&session.loaded, |address, tokens| {
        let lock = if tokens { "a token is needed" } else { "no token is needed: only this machine can reach it" };
        let page = if settings.server.page { "a page for people at /, " } else { "" };
        let text =
            format!("listening on http://{address} ({page}MCP at /mcp, REST at /api, described at /api/docs); {lock}");
        match settings.log.format {
            // A person waits for this line, whatever the level of the log.
            LogFormat::Pretty => session.output.note(&text),
            LogFormat::Json => tracing::info!(%address, tokens, "{text}"),
        }
    })
    .await?;
    Ok(())
}
