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

/// A file that a host has had before, with tables and a mark of its own, and another one that only a mistyped address
/// names.
#[tokio::test]
async fn tables_are_made_in_a_file_that_has_others_if_its_host_says_so() {
    use afterword_actors::{
        schema,
        store::{Connection, Database, OpenError, OpenOptions, Tables, sql::Sql},
    };
    let folder = tempfile::tempdir().expect("a folder");
    for (name, mark) in [("unmarked", 0), ("marked", 0x7265_6369)] {
        let url = format!("sqlite://{}/{name}.db", folder.path().display());
        let before = Connection::open(&format!("{url}?mode=rwc")).await.expect("a database");
        let made = format!(
            "CREATE TABLE guests (name TEXT); INSERT INTO guests VALUES ('Ada'); PRAGMA application_id = {mark}"
        );
        before.script(&made).await.expect("a table");
        before.close().await.expect("an end");
        let refused = Database::open(&OpenOptions::new(&url)).await;
        assert!(matches!(refused, Err(OpenError::NotOurs { .. })), "{name}");
        let options = OpenOptions { tables: Tables::AmongOthers, ..OpenOptions::new(&url) };
        let database = Database::open(&options).await.expect("a database");
        schema::migrate(&database).await.expect("tables");
        let number = |sql: &'static str| {
            let database = database.clone();
            async move { database.reader().row::<i64>(sql, []).await.expect("a query").expect("a row") }
        };
        assert_eq!(number("SELECT count(*) FROM guests").await, 1, "its own are left alone");
        let kept = number("SELECT application_id FROM pragma_application_id").await;
        assert!(if mark == 0 { kept != 0 } else { kept == mark }, "{name}: {kept:#x}");
        database.close().await;
        assert_eq!(own_host::run(&url).await.expect("a run"), 2, "{name}");
    }
}
