//! The runtime on real databases, SQLite and PostgreSQL. One suite: `Fixture` is the parent module's.
#![expect(clippy::duplicate_mod, reason = "one suite over both engines")]

mod support;

#[path = "."]
mod sqlite {
    type Fixture = crate::support::Fixture<crate::support::OnSqlite>;

    #[path = "runtime/deaths.rs"]
    mod deaths;
    #[path = "runtime/interruptions.rs"]
    mod interruptions;
    #[path = "runtime/models.rs"]
    mod models;
    #[path = "runtime/order.rs"]
    mod order;
    #[path = "runtime/requests.rs"]
    mod requests;
    #[path = "runtime/suite.rs"]
    mod suite;
    #[path = "runtime/upkeep.rs"]
    mod upkeep;
}

#[path = "."]
mod postgres {
    type Fixture = crate::support::Fixture<crate::support::OnPostgres>;

    #[path = "runtime/deaths.rs"]
    mod deaths;
    #[path = "runtime/interruptions.rs"]
    mod interruptions;
    #[path = "runtime/lost_answers.rs"]
    mod lost_answers;
    #[path = "runtime/models.rs"]
    mod models;
    #[path = "runtime/order.rs"]
    mod order;
    #[path = "../../tests/support/proxy.rs"]
    mod proxy;
    #[path = "runtime/requests.rs"]
    mod requests;
    #[path = "runtime/suite.rs"]
    mod suite;
    #[path = "runtime/upkeep.rs"]
    mod upkeep;
}

#[path = "../examples/own_host.rs"]
mod own_host;

#[tokio::test]
async fn a_host_of_its_own_making_embeds_what_it_saves() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}/recipes.db", folder.path().display());
    assert_eq!(own_host::run(&url).await.expect("a run"), 2);
}
