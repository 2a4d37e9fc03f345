//! `serve`

use super::session::Session;
use crate::server;

pub(super) async fn run(session: &Session) -> anyhow::Result<()> {
    let output = session.output;
    server::serve(&session.loaded.settings, |address, tokens| {
        let lock = if tokens { "a token is needed" } else { "no token is needed: only this machine can reach it" };
        output
            .note(&format!("listening on http://{address} (MCP at /mcp, REST at /api, to read at /api/docs); {lock}"));
    })
    .await?;
    Ok(())
}
