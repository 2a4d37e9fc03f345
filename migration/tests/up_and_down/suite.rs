//! Up, down and up again.

use afterword_migration::{Migrator, MigratorTrait};
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection};

use super::{OBJECTS, OWN_DATA, Place, WORDS, again, open};
use crate::{DATA, count};

async fn filled() -> (DatabaseConnection, Place) {
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
async fn starters_wait_for_each_other() {
    let (db, place) = open().await;
    let start = || async { afterword_migration::apply(&again(&db, &place).await, None).await.expect("a start") };
    let (a, b, c, d) = tokio::join!(start(), start(), start(), start());
    let all: Vec<_> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    let mut applied = [a, b, c, d].concat();
    applied.sort();
    assert_eq!(applied, all, "each step was run once");
}
