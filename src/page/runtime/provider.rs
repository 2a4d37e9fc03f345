//! The embedding provider: whether it answers, and when it is asked again if it does not.

use afterword_actors::Trouble;
use maud::{Markup, html};

use super::snapshot::Snapshot;
use crate::{
    health::diagnosis,
    page::pieces::{moment, status},
    time::Timestamp,
};

pub(super) fn show(seen: &Snapshot) -> Markup {
    let circuits: Vec<_> =
        seen.hosts.iter().filter_map(|seen| Some((&seen.host.hostname, seen.circuit.as_ref()?))).collect();
    html! {
        @if circuits.is_empty() && !seen.hosts.iter().flat_map(|seen| &seen.host.trouble).any(fails) {
            p { span.badge.good { "circuit closed" } " Requests go through." }
        }
        @for (host, circuit) in &circuits {
            p {
                span.badge.bad { "circuit open" } " on " (host) ", since " (moment(Timestamp(circuit.since))) ": "
                strong { (circuit.kind) }
            }
            p.problem dir="auto" { (circuit.message) }
            p { "It is asked again " span.countdown data-until=(circuit.next_probe) { "at " (moment(Timestamp(circuit.next_probe))) } ". Waiting tasks lose no attempts." }
        }
        @for trouble in troubles(seen) { p.problem dir="auto" { (trouble) } }
        @if seen.hosts.is_empty() { p { (status("lost")) " No host is running, so nothing is embedded." } }
    }
}

/// Whether requests for the set in use fail, whatever those for the host's own model do.
fn fails(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::ProviderInUse { .. })
}

/// Other troubles of the hosts.
fn troubles(seen: &Snapshot) -> Vec<String> {
    let all = seen.hosts.iter().flat_map(|seen| &seen.host.trouble);
    all.filter(|trouble| !matches!(trouble, Trouble::Provider { .. }))
        .filter_map(|trouble| diagnosis::of_trouble(trouble).detail)
        .collect()
}
