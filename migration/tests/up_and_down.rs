//! Every step runs up, down and up again, also on a database with data, on both engines. One suite: the parent module
//! provides the database and its data.
#![expect(clippy::duplicate_mod, reason = "one suite over both engines")]

use afterword_migration::{MigrationError, Migrator, MigratorTrait};
use sea_orm_migration::sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};

async fn count(db: &DatabaseConnection, sql: &str) -> i64 {
    let statement = Statement::from_string(db.get_database_backend(), sql.to_owned());
    let row = db.query_one_raw(statement).await.expect("a query").expect("a row");
    row.try_get_by_index(0).expect("a number")
}

const DATA: &str = "
    INSERT INTO articles (id, slug, title, body, content_hash, created_at, updated_at)
        VALUES (1, 'one', 'One', 'Text', 'h', 1, 1);
    INSERT INTO slug_aliases (slug, article_id, created_at) VALUES ('first', 1, 1);
    INSERT INTO embedding_models (id, fingerprint, identity, state, created_at) VALUES (1, 'f', '{}', 'active', 1);
    INSERT INTO article_embeddings VALUES (1, 1, 1, 'h', 1, 1);
    INSERT INTO embedding_tasks (article_id, slug, operation, status, priority, revision, max_attempts, created_at,
        updated_at, scheduled_at, queue_key, cause) VALUES (1, 'one', 'create', 'pending', 'normal', 1, 3, 1, 1, 1, 1, 'saved');
";

#[path = "."]
mod sqlite {
    use super::*;

    /// Steps that were released before each step became one transaction with its entry in the history.
    const STEPS_WITHOUT_TRANSACTION: usize = 8;

    const OWN_DATA: &str = "
        INSERT INTO article_words (rowid, title, body) VALUES (1, 'One', 'Text');
        INSERT INTO article_chunks (article_id, model_id, position, heading_path, text, hash, tokens, vector)
            VALUES (1, 1, 0, '', 'Text', 'c', 3, x'00000000');
    ";
    const OBJECTS: &str =
        "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND name <> 'seaql_migrations'";
    const WORDS: &str = "SELECT count(*) FROM article_words WHERE article_words MATCH 'text'";

    type TestDatabase = tempfile::TempDir;

    async fn open() -> (DatabaseConnection, TestDatabase) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("test.db");
        let db = Database::connect(format!("sqlite://{}?mode=rwc", path.display())).await.expect("a database file");
        (db, directory)
    }

    /// Another process's connection.
    async fn again(_: &DatabaseConnection, place: &TestDatabase) -> DatabaseConnection {
        let path = place.path().join("test.db");
        Database::connect(format!("sqlite://{}?mode=rwc", path.display())).await.expect("a database file")
    }

    #[path = "up_and_down/suite.rs"]
    mod suite;

    /// Leaves the database as an earlier version did that was killed in the middle of a step, without today's
    /// transaction. Returns whether there were as many statements.
    async fn half_made(db: &DatabaseConnection, step: usize, statements: usize) -> bool {
        Migrator::up(db, Some(u32::try_from(step).expect("few steps"))).await.expect("the steps before");
        let steps = Migrator::migrations();
        let folder = format!("{}/src/{}", env!("CARGO_MANIFEST_DIR"), steps[step].name());
        let script = std::fs::read_to_string(format!("{folder}/up.sqlite.sql")).expect("a script");
        let (mut done, mut statement) = (0, String::new());
        for line in script.lines() {
            statement.push_str(line);
            statement.push('\n');
            let is_trigger = statement.contains("CREATE TRIGGER");
            if (is_trigger && line.ends_with("END;")) || (!is_trigger && line.ends_with(';')) {
                if done == statements {
                    return true;
                }
                db.execute_unprepared(&std::mem::take(&mut statement)).await.expect("a statement");
                done += 1;
            }
        }
        done == statements
    }

    async fn objects(db: &DatabaseConnection) -> String {
        let sql = "SELECT group_concat(type || ' ' || name || ' ' || coalesce(sql, ''), char(10)) FROM (
                       SELECT * FROM sqlite_schema ORDER BY name)";
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql.to_owned())).await;
        row.expect("a schema").expect("a row").try_get_by_index(0).expect("a text")
    }

    #[tokio::test]
    async fn a_step_that_an_earlier_version_did_not_end_is_run_again() {
        let (whole, _place) = open().await;
        Migrator::up(&whole, None).await.expect("up");
        let schema = objects(&whole).await;
        for step in 0..STEPS_WITHOUT_TRANSACTION {
            for statements in 0.. {
                let (db, _place) = open().await;
                if !half_made(&db, step, statements).await {
                    break;
                }
                Migrator::up(&db, None).await.expect("a repair");
                assert_eq!(objects(&db).await, schema, "{statements} statements of step {step}");
                db.execute_unprepared(DATA).await.expect("data");
            }
        }
    }

    #[tokio::test]
    async fn what_is_not_left_behind_by_a_step_is_named_and_left_alone() {
        let occupied = [
            ("CREATE TABLE articles (mine TEXT)", "articles"),
            ("CREATE INDEX articles_by_folder ON other (mine)", "articles_by_folder"),
        ];
        for (sql, name) in occupied {
            let (db, _place) = open().await;
            db.execute_unprepared("CREATE TABLE other (mine TEXT)").await.expect("a table");
            db.execute_unprepared(sql).await.expect("an object");
            let before = objects(&db).await;
            let refused = afterword_migration::apply(&db, None).await.expect_err("a refusal");
            assert!(matches!(refused, MigrationError::Occupied { ref object, .. } if object == name), "{refused}");
            assert_eq!(objects(&db).await, before);
        }
        let (db, _place) = open().await;
        half_made(&db, 0, 1).await;
        db.execute_unprepared(
            "INSERT INTO articles (slug, title, body, content_hash, created_at, updated_at) VALUES ('a', 'A', '', '', 1, 1)",
        )
        .await
        .expect("a row");
        let refused = afterword_migration::apply(&db, None).await.expect_err("a refusal");
        assert!(matches!(refused, MigrationError::Occupied { .. }), "{refused}");
        assert_eq!(count(&db, "SELECT count(*) FROM articles").await, 1, "no row is dropped");
    }

    #[tokio::test]
    async fn changes_of_vectors_are_logged() {
        let (db, _place) = open().await;
        Migrator::up(&db, None).await.expect("up");
        db.execute_unprepared(DATA).await.expect("data");
        db.execute_unprepared("DELETE FROM articles WHERE id = 1").await.expect("a deletion");
        assert_eq!(count(&db, "SELECT count(*) FROM vector_changes").await, 2);
    }
}

#[path = "."]
mod postgres {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const OWN_DATA: &str = "
        INSERT INTO article_words VALUES (1, 0, to_tsvector('afterword', 'One Text'));
        INSERT INTO article_chunks (article_id, model_id, position, heading_path, text, hash, tokens, vector, embedding)
            VALUES (1, 1, 0, '', 'Text', 'c', 3, '\\x00000000', '[0]');
    ";
    const OBJECTS: &str = "
        SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace
                    AND relname NOT LIKE 'seaql_migrations%')
             + (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prolang = (
                    SELECT oid FROM pg_language WHERE lanname = 'plpgsql'))
             + (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal)
             + (SELECT count(*) FROM pg_ts_config WHERE cfgnamespace = 'public'::regnamespace)";
    const WORDS: &str = "SELECT count(*) FROM article_words WHERE words @@ to_tsquery('afterword', 'text')";

    type TestDatabase = String;

    /// Another process's connection.
    async fn again(_: &DatabaseConnection, place: &TestDatabase) -> DatabaseConnection {
        Database::connect(place.as_str()).await.expect("a database")
    }

    async fn open() -> (DatabaseConnection, TestDatabase) {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL; scripts/test starts a server");
        let name = format!("migration_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let administrator = Database::connect(format!("{server}/postgres")).await.expect("a server");
        administrator.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database");
        let url = format!("{server}/{name}");
        (Database::connect(&url).await.expect("a database"), url)
    }

    #[path = "up_and_down/suite.rs"]
    mod suite;
}
