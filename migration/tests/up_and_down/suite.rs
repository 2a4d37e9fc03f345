//! Up, down and up again.

use afterword_migration::{MigrationError, Migrator, MigratorTrait};
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection};

use super::{OBJECTS, OWN_DATA, TestDatabase, WORDS, again, open};
use crate::{DATA, count};

async fn filled() -> (DatabaseConnection, TestDatabase) {
    let (db, place) = open().await;
    Migrator::up(&db, None).await.expect("up");
    db.execute_unprepared(DATA).await.expect("data");
    db.execute_unprepared(OWN_DATA).await.expect("data");
    (db, place)
}

#[tokio::test]
async fn migrations_run_up_and_down_on_a_database_that_holds_data() {
    let (db, _place) = filled().await;
    let schema = count(&db, OBJECTS).await;
    for steps in 1..=Migrator::migrations().len() {
        let steps = u32::try_from(steps).expect("few steps");
        Migrator::down(&db, Some(steps)).await.expect("down");
        Migrator::up(&db, None).await.expect("up again");
        assert_eq!(count(&db, OBJECTS).await, schema, "{steps} steps down and up again");
    }
    Migrator::down(&db, None).await.expect("all the way down");
    assert_eq!(count(&db, OBJECTS).await, 0);
}

#[tokio::test]
async fn a_later_step_taken_back_keeps_the_articles() {
    let (db, _place) = filled().await;
    // All but the first.
    let later = u32::try_from(Migrator::migrations().len()).expect("few steps") - 1;
    Migrator::down(&db, Some(later)).await.expect("down");
    assert_eq!(count(&db, "SELECT count(*) FROM articles").await, 1);
    assert_eq!(count(&db, WORDS).await, 1);
}

#[tokio::test]
async fn deleting_an_article_takes_its_words_and_vectors_along() {
    let (db, _place) = filled().await;
    assert_eq!(count(&db, WORDS).await, 1);
    db.execute_unprepared("DELETE FROM articles WHERE id = 1").await.expect("a deletion");
    for table in ["slug_aliases", "article_embeddings", "article_chunks"] {
        assert_eq!(count(&db, &format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    assert_eq!(count(&db, WORDS).await, 0);
}

#[tokio::test]
async fn what_was_saved_before_tags_were_read_is_still_to_be_read() {
    let (db, _place) = filled().await;
    let unread = "SELECT count(*) FROM unread_articles";
    assert_eq!(count(&db, unread).await, 0, "what is saved now is read by its save");
    let steps = Migrator::migrations().iter().rev().position(|step| step.name().ends_with("_properties"));
    let steps = u32::try_from(steps.expect("the step") + 1).expect("few steps");
    for _ in 0..2 {
        Migrator::down(&db, Some(steps)).await.expect("down");
        assert_eq!(count(&db, "SELECT count(*) FROM articles").await, 1);
        Migrator::up(&db, None).await.expect("up again");
        assert_eq!(count(&db, unread).await, 1);
    }
    db.execute_unprepared("INSERT INTO article_tags (article_id, tag, name) VALUES (1, 'a', 'A')")
        .await
        .expect("a tag");
    db.execute_unprepared("DELETE FROM articles WHERE id = 1").await.expect("a deletion");
    for table in ["unread_articles", "article_tags", "article_properties", "article_links"] {
        assert_eq!(count(&db, &format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
}

#[tokio::test]
async fn articles_of_earlier_versions_are_read_again_and_files_called_like_copies_are_none() {
    let (db, _place) = filled().await;
    Migrator::down(&db, Some(1)).await.expect("down");
    let source = "INSERT INTO sources (id, machine, root, created_at) VALUES (77, '', '/notes', 1)";
    db.execute_unprepared(source).await.expect("a folder");
    let insert = "INSERT INTO article_sources
                      (source_id, path, article_id, file_hash, revision, slug, folder, written, is_copy)";
    for file in ["a (conflict of interest).md", "b (conflict 0123abcd).md", "c (saved late 89abcdef01).md"] {
        let row = format!("{insert} VALUES (77, '{file}', 1, '', 1, 'a', '', FALSE, TRUE)");
        db.execute_unprepared(&row).await.expect("a file");
    }
    Migrator::up(&db, None).await.expect("up");
    assert_eq!(count(&db, "SELECT count(*) FROM unread_articles").await, 1);
    assert_eq!(count(&db, "SELECT count(*) FROM article_sources WHERE is_copy").await, 2);
    assert_eq!(count(&db, "SELECT count(*) FROM article_sources WHERE is_copy AND path LIKE 'a%'").await, 0);
}

#[tokio::test]
async fn the_history_of_another_program_is_neither_shared_nor_taken_for_that_of_a_newer_version() {
    let (db, _place) = open().await;
    db.execute_unprepared(
        "CREATE TABLE seaql_migrations (version VARCHAR NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)",
    )
    .await
    .expect("a table");
    db.execute_unprepared("INSERT INTO seaql_migrations VALUES ('m20200101_000001_of_the_host', 1)")
        .await
        .expect("a row");
    let refused = afterword_migration::apply(&db, None).await.expect_err("a refusal");
    assert!(matches!(refused, MigrationError::Foreign(_)), "{refused}");
    Migrator::up(&db, None).await.expect_err("the same by the library's interface");
    assert_eq!(count(&db, "SELECT count(*) FROM seaql_migrations").await, 1);
    db.execute_unprepared("DELETE FROM seaql_migrations").await.expect("no rows");
    Migrator::up(&db, None).await.expect("up");
    db.execute_unprepared("INSERT INTO seaql_migrations VALUES ('m30000101_000001_to_come', 1)").await.expect("a row");
    let refused = afterword_migration::apply(&db, None).await.expect_err("a refusal");
    assert!(matches!(refused, MigrationError::Newer(_)), "{refused}");
}

#[tokio::test]
async fn starters_wait_for_each_other() {
    let (db, place) = open().await;
    let start = || async { afterword_migration::apply(&again(&db, &place).await, None).await.expect("a start") };
    let (a, b, c, d) = tokio::join!(start(), start(), start(), start());
    let all: Vec<_> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    let mut applied = [a, b, c, d].concat();
    applied.sort();
    assert_eq!(applied, all, "each step was run once");
}
