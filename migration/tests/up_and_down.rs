//! Every step runs up, down and up again, also on a database that holds data, on both engines. One suite: where the
//! database is and what it holds are the parent module's.
#![expect(clippy::duplicate_mod, reason = "one suite over both engines")]

use afterword_migration::{Migrator, MigratorTrait};
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

    const OWN_DATA: &str = "
        INSERT INTO article_words (rowid, title, body) VALUES (1, 'One', 'Text');
        INSERT INTO article_chunks (article_id, model_id, position, heading_path, text, hash, tokens, vector)
            VALUES (1, 1, 0, '', 'Text', 'c', 3, x'00000000');
    ";
    const OBJECTS: &str =
        "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND name <> 'seaql_migrations'";
    const WORDS: &str = "SELECT count(*) FROM article_words WHERE article_words MATCH 'text'";

    type Place = tempfile::TempDir;

    async fn open() -> (DatabaseConnection, Place) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("test.db");
        let db = Database::connect(format!("sqlite://{}?mode=rwc", path.display())).await.expect("a database file");
        (db, directory)
    }

    #[path = "up_and_down/suite.rs"]
    mod suite;

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

    type Place = ();

    async fn open() -> (DatabaseConnection, Place) {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL; scripts/test starts a server");
        let name = format!("migration_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let administrator = Database::connect(format!("{server}/postgres")).await.expect("a server");
        administrator.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database");
        (Database::connect(format!("{server}/{name}")).await.expect("a database"), ())
    }

    #[path = "up_and_down/suite.rs"]
    mod suite;
}
