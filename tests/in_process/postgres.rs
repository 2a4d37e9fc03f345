//! What is special about PostgreSQL: its sessions, its indexes, its own tools.

mod hosts;
mod indexes;
mod plans;

use std::{process::Command, time::Duration};

use afterword::{
    auth::{NewToken, Permission, Tokens},
    config::Settings,
    embedding::scripted::Script,
};
use afterword_actors::{
    Runtime, RuntimeSettings, Trouble,
    store::{Database, OpenOptions, StoreError, sql::Sql},
    task::TaskStatus,
};

use crate::support::{self, DRAIN, OnPostgres, TestDatabase, article, quick};

type TestHost = support::TestHost<OnPostgres>;

/// A host that does not poll before the test is over: it acts only on notifications.
fn search_failing() -> RuntimeSettings {
    RuntimeSettings { poll_interval: Duration::from_secs(3600), ..quick() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_hears_of_what_another_process_saves() {
    let world = TestHost::with(Script::default(), search_failing()).await;
    let runtime = world.start().await;
    let mut told = runtime.subscribe();
    let elsewhere = world.beside().await;
    for n in 0..5 {
        elsewhere.articles(None).create(article(&format!("article-{n}"), "text")).await.expect("a save");
        while told.recv().await.expect("an event").status != TaskStatus::Completed {}
    }
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_whose_ear_is_cut_off_hears_again_and_has_missed_nothing() {
    let world = TestHost::with(Script::default(), search_failing()).await;
    let runtime = world.start().await;
    let mut told = runtime.subscribe();
    let elsewhere = world.beside().await;
    let cut = "WITH ears AS MATERIALIZED (
                   SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                   WHERE l.locktype = 'advisory' AND d.datname = current_database())
               SELECT count(*) AS n FROM ears WHERE pg_terminate_backend(pid)";
    for n in 0..5 {
        assert_eq!(world.number(cut).await, 1, "one connection listens");
        // Perhaps announced while no host listens: the poll after the reconnection finds it.
        elsewhere.articles(None).create(article(&format!("article-{n}"), "text")).await.expect("a save");
        while told.recv().await.expect("an event").status != TaskStatus::Completed {}
        let incarnation = [runtime.handle().incarnation().to_owned()];
        while !world.database.dead_among(&incarnation).await.expect("a look").is_empty() {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(world.number("SELECT count(*) AS n FROM embedding_task_events WHERE event = 'rescued'").await, 0);
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_made_while_the_door_is_opened_keeps_it_closed() {
    let world = TestHost::new().await;
    let tokens = Tokens::new(world.database.clone(), &Settings::default().auth);
    let new = |name: String| NewToken { name, scope: Permission::Admin, lifetime: None };
    for round in 0..20 {
        tokens.create(new(format!("former-{round}"))).await.expect("a token");
        tokens.revoke(&format!("former-{round}")).await.expect("an end");
        let (opened, made) = tokio::join!(tokens.open(), tokens.create(new(format!("new-{round}"))));
        made.expect("a token");
        assert!(tokens.any().await.expect("a look"), "round {round}: {opened:?}");
        tokens.revoke(&format!("new-{round}")).await.expect("it is there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_connection_gives_up_what_it_waits_for_and_what_it_forgets() {
    let world = TestHost::new().await;
    for connection in [world.database.reader(), world.database.write_connection()] {
        let sql = "SELECT current_setting('lock_timeout') AS lock_timeout,
                          current_setting('idle_in_transaction_session_timeout') AS idle";
        let limits = connection.row::<(String, String)>(sql, []).await.expect("settings");
        assert_eq!(limits, Some(("10s".to_owned(), "15s".to_owned())));
    }
}

/// A role and a database may have settings by which decisions about tasks would be made on what was true before.
#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_role_do_not_change_how_transactions_see_each_other() {
    let hardened = TestHost::new().await;
    for setting in ["default_transaction_isolation = 'serializable'", "statement_timeout = '1ms'"] {
        hardened
            .database
            .write_connection()
            .script(&format!(
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {}', current_database()); END $$",
                setting.replace('\'', "''")
            ))
            .await
            .expect("a setting");
    }
    let world = hardened.beside().await;
    for connection in [world.database.reader(), world.database.write_connection()] {
        let sql = "SELECT current_setting('transaction_isolation'), current_setting('statement_timeout')";
        let settings = connection.row::<(String, String)>(sql, []).await.expect("settings");
        assert_eq!(settings, Some(("read committed".to_owned(), "0".to_owned())));
    }
    let runtime = world.start().await;
    let articles = world.articles(Some(&runtime));
    let saves = (0..40).map(|n| {
        let articles = articles.clone();
        async move { articles.create(article(&format!("article-{n}"), "a text of many")).await }
    });
    for saved in futures_util::future::join_all(saves).await {
        saved.expect("a save that collides with no other");
    }
    assert_eq!(world.settled(&runtime).await.failed, 0);
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_or_panics_leaves_nothing() {
    let world = TestHost::new().await;
    let write = |name: &'static str| {
        let database = world.database.clone();
        async move {
            database
                .write::<_, StoreError, _>(async move |transaction| {
                    let sql = "INSERT INTO queue_control VALUES ($1, '', 0)";
                    transaction.run(sql, [name.into()]).await?;
                    match name {
                        "refused" => Err(StoreError::Unexpected("refused".to_owned())),
                        "panics" => panic!("asked to panic"),
                        // PostgreSQL answers the COMMIT of such a transaction without an error.
                        "heedless" => {
                            let _ = transaction.run("SELECT * FROM not_there", []).await;
                            Ok(())
                        }
                        _ => Ok(()),
                    }
                })
                .await
        }
    };
    let results = tokio::join!(write("a"), write("refused"), write("b"), write("panics"), write("c"));
    assert!(write("heedless").await.is_err(), "what was not committed is not acknowledged");
    assert!(results.0.is_ok() && results.2.is_ok() && results.4.is_ok());
    assert!(results.1.is_err() && results.3.is_err());
    assert_eq!(world.number("SELECT count(*) AS n FROM queue_control").await, 3);
    assert!(matches!(write("a").await, Err(StoreError::Constraint(_))), "a refusal has its own name");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_gets_no_connection_says_so_and_goes_on_by_itself() {
    let world = TestHost::new().await;
    let patience = Duration::from_millis(200);
    let options = OpenOptions { write_connections: 1, busy_timeout: patience, ..OpenOptions::new(world.place.url()) };
    let narrow = Database::open(&options).await.expect("a database");
    let runtime = Runtime::start(narrow.clone(), world.model(), world.settings.clone()).await.expect("a runtime");
    let taken = narrow.write_connection().begin().await.expect("the only connection");
    world.articles(Some(&runtime)).create(article("one", "text")).await.expect("a save, by another host");
    loop {
        let status = runtime.status().await.expect("a tree");
        let none_free = |trouble: &Trouble| matches!(trouble, Trouble::Database { message, .. } if message.contains("all of this process are in use"));
        if status.trouble.iter().any(none_free) {
            break;
        }
        tokio::task::yield_now().await;
    }
    taken.rollback().await.expect("the end");
    assert_eq!(world.settled(&runtime).await.completed, 1);
    let status = runtime.status().await.expect("a tree");
    assert!(status.walk().iter().all(|actor| actor.restarts == 0), "no restart was spent: {status:#?}");
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_on_connections_is_told_as_one_and_passes() {
    let world = TestHost::new().await;
    let role = format!("limited_{}", std::process::id());
    world.run(format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT 3")).await;
    world.run(format!("GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")).await;
    let mut url = reqwest::Url::parse(&world.place.url()).expect("an address");
    url.set_username(&role).expect("a user");
    let patience = Duration::from_millis(300);
    let options = OpenOptions { read_connections: 2, busy_timeout: patience, ..OpenOptions::new(url.as_str()) };
    let limited = Database::open(&options).await.expect("one connection for each purpose");
    let taken = limited.reader().begin().await.expect("the only one for reading");
    let refused = limited.reader().row::<i64>("SELECT 1 AS n", []).await.expect_err("no further one");
    let told = refused.to_string();
    assert!(matches!(refused, StoreError::NoConnection(_)), "{told}");
    assert!(told.contains("too many connections") && told.contains("lower database.read_connections"), "{told}");
    taken.rollback().await.expect("the end");
    // It goes back to the pool beside the answer.
    while limited.reader().row::<i64>("SELECT 1 AS n", []).await.is_err() {}
    let told = limited.present_outage();
    assert!(matches!(told, Some(StoreError::NoConnection(_))), "those who find none wait all the same: {told:?}");
    limited.close().await;
    world.run(format!("DROP OWNED BY {role}")).await;
    world.run(format!("DROP ROLE {role}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_works_on_postgresql() {
    let place = OnPostgres::fresh().await;
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_afterword"))
            .env("AFTERWORD_DATABASE__URL", place.url())
            .env("AFTERWORD_EMBEDDING__PROVIDER", "scripted")
            .args(arguments)
            .arg("--json")
            .output()
            .expect("a program that runs");
        let text = String::from_utf8_lossy(if output.status.success() { &output.stdout } else { &output.stderr });
        (output.status.success(), text.into_owned())
    };
    run(&["article", "create", "Bees", "--body", "They dance.", "--folder", "animals"]);
    for arguments in [
        &["bulk", "start"][..],
        &["bulk", "list"],
        &["article", "list"],
        &["article", "update", "bees", "--body", "They dance in the dark."],
        &["article", "history", "bees"],
        &["search", "dark"],
        &["queue", "pause"],
        &["queue", "resume"],
        &["queue", "stats"],
        &["queue", "list"],
        &["queue", "show", "1"],
        &["queue", "events"],
        &["queue", "rescue"],
        &["queue", "retry-failed"],
        &["queue", "cleanup", "--older-than", "1h"],
        &["status"],
        &["index", "rebuild"],
        &["db", "status"],
        &["db", "migrate"],
        &["db", "verify"],
        &["doctor"],
    ] {
        let (worked, text) = run(arguments);
        assert!(worked, "{arguments:?}: {text}");
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON and nothing else");
    }
    for arguments in [&["db", "backup", "file"][..], &["db", "restore", "Cargo.toml"]] {
        let (worked, text) = run(arguments);
        assert!(!worked && (text.contains("pg_dump") || text.contains("pg_restore")), "{arguments:?}: {text}");
    }
    let count = world_number(&place, "SELECT count(*) AS n FROM articles").await;
    assert_eq!(count, 1);
}

async fn world_number(place: &OnPostgres, sql: &str) -> i64 {
    let database = support::open(place.url()).await;
    database.reader().row::<i64>(sql, []).await.expect("a query").expect("a row")
}
