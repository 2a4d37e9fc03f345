//! One test for each known defect of the system that this program replaces: it has none of them.
#![expect(clippy::duplicate_mod, reason = "one suite over both engines")]

use std::process::Command;

use afterword::articles::slug::Slug;

#[path = "."]
mod sqlite {
    type TestHost = crate::support::TestHost<crate::support::OnSqlite>;

    #[path = "field_defects/suite.rs"]
    mod suite;
}

#[path = "."]
mod postgres {
    type TestHost = crate::support::TestHost<crate::support::OnPostgres>;

    #[path = "field_defects/suite.rs"]
    mod suite;
}

#[test]
fn invalid_settings_stop_the_program_with_every_fault() {
    let output = Command::new(env!("CARGO_BIN_EXE_afterword"))
        .env("AFTERWORD_QUEUE__SLOTS", "0")
        .env("EMBEDDING_QUEUE_WORKER_INTERVAL", "often")
        .args(["queue", "stats"])
        .output()
        .expect("a process");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("queue.slots") && said.contains("EMBEDDING_QUEUE_WORKER_INTERVAL"), "{said}");
}

#[test]
fn titles_in_any_language_have_a_slug() {
    for title in ["数据库", "Привет", "مرحبا", "한국어", "🎉", "…"] {
        assert!(!Slug::from_title(title).as_ref().is_empty(), "{title}");
    }
}
