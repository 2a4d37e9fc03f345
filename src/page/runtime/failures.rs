//! Articles whose embedding failed, grouped by the message; `/runtime/failures` has all of one group.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{
    links,
    snapshot::{self, MAX_FAILURES, Snapshot},
    tabs::tabs,
    tasks,
};
use crate::{
    page::{
        app::PageState,
        given::Query,
        layout::{self, Here},
        pieces::{count, moment, query, with_separators},
        refusal::Refusal,
        visit::Visit,
    },
    queue::Task,
};

/// At most this many groups are shown.
const MAX_GROUPS: usize = 20;
/// At most this many articles of a group are named in the overview.
const MAX_NAMED_ARTICLES: usize = 5;

/// Articles that failed with the same message, each with its task.
pub(super) struct Group<'a> {
    pub(super) kind: &'a str,
    pub(super) message: &'a str,
    pub(super) tasks: Vec<&'a Task>,
}

impl Group<'_> {
    /// The name in an address.
    pub(super) fn name(&self) -> String {
        let digest = Sha256::digest(format!("{}\0{}", self.kind, alike(self.message)).as_bytes());
        hex::encode(&digest[..8])
    }
}

/// Groups `tasks`, the largest group first.
pub(super) fn groups(failed: &[Task]) -> Vec<Group<'_>> {
    let mut groups: BTreeMap<(&str, String), Group<'_>> = BTreeMap::new();
    for task in failed {
        let kind = task.error_kind.as_deref().unwrap_or("unknown");
        let message = task.error_message.as_deref().unwrap_or_default();
        let group = groups.entry((kind, alike(message)));
        group.or_insert_with(|| Group { kind, message, tasks: Vec::new() }).tasks.push(task);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.tasks.len()));
    groups
}

/// A message without its numbers, which differ from task to task.
fn alike(message: &str) -> String {
    let mut alike = String::with_capacity(message.len());
    for c in message.chars() {
        match c {
            '0'..='9' if alike.ends_with('#') => {}
            '0'..='9' => alike.push('#'),
            c => alike.push(c),
        }
    }
    alike
}

pub(super) fn show(seen: &Snapshot, may_manage: bool) -> Markup {
    let groups = groups(&seen.failed);
    let all = seen.numbers.queue.failed;
    html! {
        @if groups.is_empty() { p.empty { "Nothing has failed." } }
        @if all > i64::from(MAX_FAILURES) { p.quiet { "There are " (with_separators(all)) " failed tasks; the last " (MAX_FAILURES) " are looked at." } }
        ul.groups role="list" {
            @for group in groups.iter().take(MAX_GROUPS) { li { (one(group, may_manage)) } }
        }
        @if groups.len() > 1 && may_manage { p.actions { (links::link("retry-failed", "", "Retry all that failed")) } }
    }
}

/// Which group.
#[derive(Deserialize)]
pub(super) struct GroupQuery {
    which: String,
}

/// All of a group.
pub(super) async fn all_of_group(
    State(app): State<PageState>,
    visit: Visit,
    Query(parameters): Query<GroupQuery>,
) -> Result<Response, Refusal> {
    let failed = snapshot::failed_tasks(&app).await?;
    let group = group_named(&failed, &parameters.which)?;
    let all: Vec<Task> = group.tasks.iter().map(|task| (*task).clone()).collect();
    let main = html! {
        h1 { "Articles that failed alike" }
        (tabs("/runtime"))
        p { strong { (group.kind) } " · " (count(i64::try_from(all.len()).unwrap_or_default(), "article", "articles")) }
        p.problem dir="auto" { (group.message) }
        @if visit.may_manage() { p.actions { (links::link("retry-group", &group.name(), "Retry all of these")) } }
        (tasks::table(&all))
    };
    Ok(layout::view(&visit, Here::Runtime, "Articles that failed alike", main))
}

/// The group of this name.
pub(super) fn group_named<'f>(failed: &'f [Task], name: &str) -> Result<Group<'f>, Refusal> {
    let group = groups(failed).into_iter().find(|group| group.name() == name);
    group.ok_or_else(|| Refusal::not_found("none of these failures is left; open the runtime page again"))
}

fn one(group: &Group<'_>, may_manage: bool) -> Markup {
    let number = i64::try_from(group.tasks.len()).unwrap_or_default();
    html! {
        p { strong { (group.kind) } " · " (count(number, "article", "articles")) @if let Some(last) = group.tasks.first().and_then(|task| task.completed_at) { span.quiet { " · last " (moment(last)) } } }
        p.problem dir="auto" { (group.message) }
        p.quiet {
            @for (at, task) in group.tasks.iter().take(MAX_NAMED_ARTICLES).enumerate() {
                @if at > 0 { ", " }
                a dir="auto" href={ "/runtime/tasks/" (task.id) } { (task.slug) }
            }
            @if group.tasks.len() > MAX_NAMED_ARTICLES {
                ", " a href={ "/runtime/failures?" (query(&[("which", &group.name())])) } { "all " (with_separators(number)) }
            }
        }
        @if may_manage { p.actions { (links::link("retry-group", &group.name(), "Retry all of these")) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_numbers_alone_failed_alike() {
        assert_eq!(alike("text 17 has 4096 tokens"), alike("text 3 has 512 tokens"));
        assert_ne!(alike("HTTP 401"), alike("HTTP 401: key"));
    }
}
