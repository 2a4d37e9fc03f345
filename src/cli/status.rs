//! `status`: the actor tree of every running host, as the host last reported it.

use afterword_actors::{ActorState, ActorStatus, store::sql};
use serde_json::json;

use super::{session::Session, table::duration};
use crate::time::Timestamp;

pub(super) async fn run(session: &Session) -> anyhow::Result<()> {
    let host = session.host().await?;
    let database = &host.database;
    let now = sql::now(database.reader()).await?;
    let living: Vec<_> = database
        .living(100)
        .await?
        .into_iter()
        .map(|row| {
            let tree: Option<ActorStatus> = row.tree.as_deref().and_then(|tree| serde_json::from_str(tree).ok());
            (row, tree)
        })
        .collect();
    let value: Vec<_> = living
        .iter()
        .map(|(row, tree)| {
            json!({
                "incarnation": row.incarnation, "hostname": row.hostname, "pid": row.pid, "version": row.version,
                "state": row.state, "started_at": Timestamp(row.started_at),
                "heartbeat_at": Timestamp(row.heartbeat_at), "tree": tree,
            })
        })
        .collect();
    session.output.answer(&value, || {
        if living.is_empty() {
            return "no host is running on this database".to_owned();
        }
        let texts = living.iter().map(|(row, tree)| {
            let head = format!(
                "host {} (process {} on {}), {}, up {}, last heartbeat {} ago",
                row.incarnation,
                row.pid,
                row.hostname,
                row.state,
                duration(now - row.started_at),
                duration(now - row.heartbeat_at)
            );
            match tree {
                Some(tree) => format!("{head}\n{}", lines(tree, 1).join("\n")),
                None => format!("{head}\n  (no report yet)"),
            }
        });
        texts.collect::<Vec<_>>().join("\n\n")
    })
}

fn lines(actor: &ActorStatus, depth: usize) -> Vec<String> {
    let mut line = format!("{}{}  {}", "  ".repeat(depth), actor.name, name(actor.state));
    if actor.restarts > 0 {
        line.push_str(&format!(", {} restarts", actor.restarts));
    }
    if actor.mailbox > 0 {
        line.push_str(&format!(", {} messages waiting", actor.mailbox));
    }
    if let Some(doing) = &actor.doing {
        line.push_str(&format!(", {doing}"));
    }
    if let Some(error) = &actor.last_error {
        line.push_str(&format!("\n{}! {error}", "  ".repeat(depth + 1)));
    }
    let mut all = vec![line];
    all.extend(actor.children.iter().flat_map(|child| lines(child, depth + 1)));
    all
}

fn name(state: ActorState) -> &'static str {
    match state {
        ActorState::Running => "running",
        ActorState::Degraded => "degraded",
        ActorState::Restarting => "restarting",
        ActorState::Failed => "failed",
        ActorState::Unresponsive => "unresponsive",
        ActorState::Draining => "draining",
    }
}
