//! `status`: the actor tree of every running host, as the host last reported it.

use super::session::Session;
use crate::{
    health::diagnosis,
    hosts::{self, Actor, LivingHost},
    plural::count,
    time::duration,
};

pub(super) async fn run(session: &Session) -> anyhow::Result<()> {
    let host = session.host().await?;
    let now = host.queue.now().await?;
    let living = hosts::living(&host.database).await?;
    session.output.list("hosts", &living, |_| {
        if living.is_empty() {
            return "no host is running on this database".to_owned();
        }
        living.iter().map(|host| text_of(host, now)).collect::<Vec<_>>().join("\n\n")
    })
}

fn text_of(host: &LivingHost, now: i64) -> String {
    let head = format!(
        "host {} (process {} on {}), {}, up {}, last heartbeat {} ago",
        host.incarnation,
        host.pid,
        host.hostname,
        host.state,
        duration(now - host.started_at.0),
        duration(now - host.heartbeat_at.0)
    );
    let trouble = host.trouble.iter().map(diagnosis::of_trouble).filter_map(|finding| finding.detail);
    let head = trouble.fold(head, |head, trouble| format!("{head}\n! {trouble}"));
    match &host.tree {
        Some(tree) => format!("{head}\n{}", lines(tree, 1).join("\n")),
        None => format!("{head}\n  (no report yet)"),
    }
}

fn lines(actor: &Actor, depth: usize) -> Vec<String> {
    let mut line = format!("{}{}  {}", "  ".repeat(depth), actor.name, actor.state);
    if actor.restarts > 0 {
        line.push_str(&format!(", {}", count(actor.restarts, "restart")));
    }
    if actor.mailbox > 0 {
        line.push_str(&format!(", waiting: {}", count(actor.mailbox, "message")));
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
