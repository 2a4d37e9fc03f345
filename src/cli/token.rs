//! `token …`

use serde_json::json;

use super::{
    arguments::TokenCommand,
    failure::Usage,
    session::Session,
    table::{name, number, table, time},
    text_style::TextStyle,
};
use crate::{
    auth::{NewToken, Token},
    time::Timestamp,
};

pub(super) async fn run(session: &Session, command: TokenCommand) -> anyhow::Result<()> {
    let makes = matches!(command, TokenCommand::Create { .. });
    let tokens = if makes { session.making_host().await? } else { session.host().await? }.tokens;
    match command {
        TokenCommand::Create { name, scope, expires_in } => {
            let wrong = |error| Usage(format!("--expires-in is not a duration ({error}); write e.g. 12h or 90d"));
            let lifetime = expires_in.as_deref().map(humantime::parse_duration).transpose().map_err(wrong)?;
            let token = tokens.create(NewToken { name: name.clone(), scope, lifetime }).await?;
            session
                .output
                .answer(&json!({ "name": name.trim(), "scope": scope, "token": token }), |_| token.clone())?;
            session.output.note("keep it: it is not stored, and never shown again");
            Ok(())
        }
        TokenCommand::List => {
            let tokens = tokens.list().await?;
            session.output.list("tokens", &tokens, |look| list_of(look, &tokens))
        }
        TokenCommand::Open => {
            tokens.open().await?;
            let text = "open: a server that only this machine can reach needs no token, until the next one is made";
            session.output.answer(&json!({ "open": true }), |_| text.to_owned())
        }
        TokenCommand::Revoke { token } => {
            tokens.revoke(&token).await?;
            session.output.answer(&json!({ "revoked": token }), |_| format!("token {token} revoked"))
        }
    }
}

pub(super) fn list_of(look: TextStyle, tokens: &[Token]) -> String {
    let columns = [
        number("id"),
        name("name"),
        name("scope"),
        time("created"),
        time("expires"),
        time("last used"),
        time("revoked"),
    ];
    table(look, columns, tokens.iter().map(|token| row(look, token)))
}

fn row(look: TextStyle, token: &Token) -> [String; 7] {
    let time = |at: Option<Timestamp>| at.map(|at| look.time(at)).unwrap_or_default();
    [
        token.id.to_string(),
        token.name.clone(),
        token.scope.clone(),
        look.time(token.created_at),
        time(token.expires_at),
        time(token.last_used_at),
        time(token.revoked_at),
    ]
}
