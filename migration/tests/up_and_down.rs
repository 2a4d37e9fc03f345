//! Every step runs up, down and up again, also on a database that holds data.

use afterword_migration::{Migrator, MigratorTrait};
use sea_orm_migration::sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};

async fn open(directory: &tempfile::TempDir) -> DatabaseConnection {
    let path = directory.path().join("test.db");
    Database::connect(format!("sqlite://{}?mode=rwc", path.display())).await.expect("a database file")
}

async fn count(db: &DatabaseConnection, sql: &str) -> i64 {
    let statement = Statement::from_string(db.get_database_backend(), sql.to_owned());
    let row = db.query_one_raw(statement).await.expect("a query").expect("a row");
    row.try_get_by_index(0).expect("a number")
}

async fn objects(db: &DatabaseConnection) -> i64 {
    count(db, "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND name <> 'seaql_migrations'").await
}

const DATA: &str = "
    INSERT INTO articles (id, slug, title, body, content_hash, created_at, updated_at)
        VALUES (1, 'one', 'One', 'Text', 'h', 1, 1);
    INSERT INTO article_words (rowid, title, body) VALUES (1, 'One', 'Text');
    INSERT INTO slug_aliases (slug, article_id, created_at) VALUES ('first', 1, 1);
    INSERT INTO embedding_models (id, fingerprint, identity, state, created_at) VALUES (1, 'f', '{}', 'active', 1);
    INSERT INTO article_embeddings VALUES (1, 1, 1, 'h', 1, 1);
    INSERT INTO article_chunks (article_id, model_id, position, heading_path, text, hash, tokens, vector)
        VALUES (1, 1, 0, '', 'Text', 'c', 3, x'00000000');
    INSERT INTO embedding_tasks (article_id, slug, operation, status, priority, revision, max_attempts, created_at,
        updated_at, scheduled_at, queue_key, cause) VALUES (1, 'one', 'create', 'pending', 'normal', 1, 3, 1, 1, 1, 1, 'saved');
";

#[tokio::test]
async fn migrations_run_up_and_down_on_a_database_that_holds_data() {
    let directory = tempfile::tempdir().expect("a directory");
    let db = open(&directory).await;
    Migrator::up(&db, None).await.expect("up");
    let schema = objects(&db).await;
    db.execute_unprepared(DATA).await.expect("data");
    for steps in 1..=Migrator::migrations().len() {
        let steps = u32::try_from(steps).expect("few steps");
        Migrator::down(&db, Some(steps)).await.expect("down");
        Migrator::up(&db, None).await.expect("up again");
        assert_eq!(objects(&db).await, schema, "{steps} steps down and up again");
    }
    Migrator::down(&db, None).await.expect("all the way down");
    assert_eq!(objects(&db).await, 0);
}

#[tokio::test]
async fn a_later_step_taken_back_keeps_the_articles() {
    let directory = tempfile::tempdir().expect("a directory");
    let db = open(&directory).await;
    Migrator::up(&db, None).await.expect("up");
    db.execute_unprepared(DATA).await.expect("data");
    Migrator::down(&db, Some(3)).await.expect("down");
    assert_eq!(count(&db, "SELECT count(*) FROM articles").await, 1);
    assert_eq!(count(&db, "SELECT count(*) FROM article_words WHERE article_words MATCH 'text'").await, 1);
}

#[tokio::test]
async fn deleting_an_article_takes_its_words_and_vectors_along() {
    let directory = tempfile::tempdir().expect("a directory");
    let db = open(&directory).await;
    Migrator::up(&db, None).await.expect("up");
    db.execute_unprepared(DATA).await.expect("data");
    db.execute_unprepared("DELETE FROM articles WHERE id = 1").await.expect("a deletion");
    for table in ["slug_aliases", "article_embeddings", "article_chunks"] {
        assert_eq!(count(&db, &format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    assert_eq!(count(&db, "SELECT count(*) FROM article_words WHERE article_words MATCH 'text'").await, 0);
    assert_eq!(count(&db, "SELECT count(*) FROM vector_changes").await, 2);
}
