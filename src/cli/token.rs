//! `token …`

use serde_json::json;

use super::{arguments::TokenCommand, failure::Usage, session::Session, table::table};
use crate::{
    auth::{NewToken, Token},
    time::Timestamp,
};

pub(super) async fn run(session: &Session, command: TokenCommand) -> anyhow::Result<()> {
    let tokens = session.host().await?.tokens;
    match command {
        TokenCommand::Create { name, scope, expires_in } => {
            let wrong = |error| Usage(format!("--expires-in is no duration ({error}); write e.g. 12h or 90d"));
            let lifetime = expires_in.as_deref().map(humantime::parse_duration).transpose().map_err(wrong)?;
            let token = tokens.create(NewToken { name: name.clone(), scope, lifetime }).await?;
            session.output.answer(&json!({ "name": name.trim(), "scope": scope, "token": token }), || token.clone())?;
            session.output.note("keep it: it is not stored, and never shown again");
            Ok(())
        }
        TokenCommand::List => {
            let tokens = tokens.list().await?;
            session.output.answer(&tokens, || {
                table(["id", "name", "scope", "created", "expires", "last used", "revoked"], tokens.iter().map(row))
            })
        }
        TokenCommand::Open => {
            tokens.open().await?;
            let text = "open: servers that listen on this machine alone let everybody on it in, until the next token";
            session.output.answer(&json!({ "open": true }), || text.to_owned())
        }
        TokenCommand::Revoke { token } => {
            tokens.revoke(&token).await?;
            session.output.answer(&json!({ "revoked": token }), || format!("token {token} revoked"))
        }
    }
}

fn row(token: &Token) -> [String; 7] {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    [
        token.id.to_string(),
        token.name.clone(),
        token.scope.clone(),
        token.created_at.to_string(),
        time(token.expires_at),
        time(token.last_used_at),
        time(token.revoked_at),
    ]
}
