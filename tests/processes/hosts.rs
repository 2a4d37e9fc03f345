//! Three real host processes on PostgreSQL, and what may happen to them: `kill -9`, SIGTERM, a pause longer than a
//! lease; the server killed and restarted; a network that is slow, cuts connections and drops them silently. In each
//! case every article is embedded once, at its newest revision.

mod fleet;
mod host;
mod provider;
mod server;

use std::time::Duration;

use crate::support::proxy::Proxy;
use crate::support::{OnPostgres, TestDatabase};
use fleet::Fleet;
use server::OwnServer;

/// Articles of a scenario, and edits while they are processed.
const ARTICLES: usize = 2_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_host_killed_one_stopped_and_one_paused_lose_nothing() {
    let place = OnPostgres::fresh().await;
    let mut fleet = Fleet::start(place.url(), place.url(), 3).await;
    let saving = fleet.save(ARTICLES);
    fleet.embedded_at_least(200).await;
    let killed = fleet.kill(0).await;
    fleet.embedded_at_least(600).await;
    fleet.terminate(1).await;
    fleet.add().await;
    fleet.embedded_at_least(900).await;
    let paused = fleet.pause(2).await;
    // Its tasks belong to another host by the time it goes on.
    fleet.rescued_from(2).await;
    fleet.resume(2);
    saving.await.expect("saves");
    fleet.all_embedded().await;
    assert!(fleet.embedded_twice() <= killed + paused, "{} > {killed} + {paused}", fleet.embedded_twice());
    fleet.tell("kill -9, SIGTERM, SIGSTOP past the lease", killed + paused).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_and_restarted_loses_nothing() {
    let mut server = OwnServer::start().await;
    let mut fleet = Fleet::start(server.url(), server.url(), 3).await;
    let saving = fleet.save(ARTICLES);
    let mut at_stake = 0;
    for embedded in [300, 900] {
        fleet.embedded_at_least(embedded).await;
        at_stake += fleet.in_work().await;
        server.kill().await;
        server.restart().await;
    }
    saving.await.expect("saves");
    fleet.all_embedded().await;
    fleet.no_host_gave_up();
    assert!(fleet.embedded_twice() <= at_stake + fleet.slots(), "{} > {at_stake}", fleet.embedded_twice());
    fleet.tell("PostgreSQL killed and restarted twice", at_stake).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_over_to_another_address_loses_nothing() {
    let mut first = OwnServer::start().await;
    let second = first.standby().await;
    let name = Proxy::start(&first.url()).await;
    let mut fleet = Fleet::start(name.url(), name.url(), 3).await;
    let saving = fleet.save(ARTICLES / 2);
    fleet.embedded_at_least(300).await;
    let at_stake = fleet.in_work().await;
    first.kill().await;
    // For a while, the name leads to a read-only standby.
    name.lead_to(&second.url());
    fleet.embedded_at_least(300).await;
    second.promote();
    saving.await.expect("saves");
    fleet.all_embedded().await;
    fleet.no_host_gave_up();
    assert!(fleet.embedded_twice() <= at_stake + fleet.slots(), "{} > {at_stake}", fleet.embedded_twice());
    fleet.tell("PostgreSQL failed over to a standby at another address", at_stake).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_fails_in_every_way_loses_nothing() {
    let place = OnPostgres::fresh().await;
    let proxy = Proxy::start(&place.url()).await;
    let mut fleet = Fleet::start(place.url(), proxy.url(), 3).await;
    let saving = fleet.save(ARTICLES);
    let mut at_stake = 0;
    fleet.embedded_at_least(200).await;
    proxy.delay(Duration::from_millis(5));
    fleet.embedded_at_least(500).await;
    proxy.delay(Duration::ZERO);
    for embedded in [700, 900] {
        fleet.embedded_at_least(embedded).await;
        at_stake += fleet.in_work().await;
        proxy.cut();
    }
    fleet.embedded_at_least(1_200).await;
    at_stake += fleet.in_work().await;
    proxy.freeze();
    saving.await.expect("saves");
    fleet.all_embedded().await;
    fleet.no_host_gave_up();
    assert!(fleet.embedded_twice() <= at_stake + fleet.slots(), "{} > {at_stake}", fleet.embedded_twice());
    fleet.tell("latency, cut connections, half-open connections", at_stake).await;
}
